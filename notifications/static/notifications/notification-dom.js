// @ts-check
// Builds elements without markup: what the server says is never more than text, and leads nowhere it should not.

const ICONS = {
  bell: "M6 9a6 6 0 0 1 12 0c0 6 2.5 7.5 2.5 7.5h-17S6 15 6 9M10 20a2.3 2.3 0 0 0 4 0",
  read: "M4 12.5 9.5 18 20 6.5",
  unread: "M12 7a5 5 0 1 0 .01 0",
  archive: "M4 8v11h16V8M3 4h18v4H3zM10 12h4",
  unarchive: "M4 8v11h16V8M3 4h18v4H3zM12 17v-6M9.5 13 12 10.5l2.5 2.5",
  snooze: "M12 4a8.5 8.5 0 1 0 .01 0M12 8v5l3 2",
  more: "M5 11a1 1 0 1 0 .01 0M12 11a1 1 0 1 0 .01 0M19 11a1 1 0 1 0 .01 0",
  settings: "M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5a2.5 2.5 0 1 0 .01 0M8 14.5a2.5 2.5 0 1 0 .01 0",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6 6 18",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  all: "M2 12.5 7 17.5 15.5 8M12 16l1.5 1.5L22 8",
};

/** Build an element: attributes (false left out), listeners as on…, then children. @returns {any} */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value || value === "") element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter(Boolean));
  return element;
}

export const button = (text, onclick, attributes = {}) => h("button", { type: "button", onclick, ...attributes }, text);

/** A button that shows only an icon; the label is its name and its tooltip. */
export const iconButton = (name, label, onclick, attributes) =>
  button(icon(name), onclick, { class: "icon", part: name, "aria-label": label, title: label, ...attributes });

export function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Return where an address leads, or null: only http(s), and what names no host stays on this one. */
export function safeURL(address) {
  if (!address || /[\0-\x1f\\]|^\s|\s$/.test(address) || !URL.canParse(address, location.href)) return null;
  const url = new URL(address, location.href);
  const absolute = /^https?:\/\//i.test(address) && !url.username && !url.password;
  return absolute || (/^[/?#]/.test(address) && url.origin === location.origin) ? url : null;
}
