// @ts-check
// The bell and the panel behind it: heading, tabs and filter around the list, preferences, notices.

import { button, h, icon, iconButton, safeURL } from "./notification-dom.js";

/** Milliseconds a notice stays. */
const NOTICE = 7_000;

export class NotificationPanel {
  #center;
  #list;
  #noticeTimer;

  constructor(center, list) {
    this.#center = center;
    this.#list = list;
    const { isPage, words: { say } } = center;
    const inbox = safeURL(center.getAttribute("inbox-url"));
    this.badge = h("span", { class: "badge", part: "badge", "aria-hidden": "true" });
    this.bell = h("button", { type: "button", class: "bell", part: "bell", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": "panel", onclick: () => center.toggle() },
      h("slot", { name: "bell" }, icon("bell")), this.badge);
    this.heading = h("h2", { part: "heading" });
    this.back = iconButton("back", say("back"), () => this.#view(false));
    this.gear = iconButton("settings", say("preferences"), () => this.#view(true), { part: "preferences-button" });
    this.tools = h("div", { class: "tools" },
      iconButton("all", say("mark_all_read"), () => this.#markAll("read"), { part: "mark-all-read" }),
      iconButton("archive", say("archive_read"), () => this.#markAll("archived"), { part: "archive-read" }), this.gear);
    this.tabs = h("div", { class: "tabs", part: "tabs", role: "group", "aria-label": say("categories") });
    const filter = h("select", { part: "filter", "aria-label": say("show"), onchange: () => center.filter({ status: filter.value }) },
      ["", "unread", "archived", "snoozed"].map((value) => h("option", { value }, say(value || "inbox"))));
    this.inbox = h("div", { class: "inbox" }, h("div", { class: "bar" }, this.tabs, filter), list.element);
    this.preferences = h("div", { class: "preferences", part: "preferences" });
    this.notice = h("div", { class: "notice", part: "notice", hidden: true });
    this.status = h("div", { class: "hidden", role: "status" });
    this.element = h("section", { id: "panel", class: isPage ? "page" : "popover", part: "panel", tabindex: "-1", "aria-label": say("title"), ...(!isPage && { role: "dialog", popover: "manual", hidden: true }) },
      h("div", { class: "header", part: "header" }, this.back, this.heading, this.tools, !isPage && iconButton("close", say("close"), () => center.close())),
      this.inbox, this.preferences, this.notice,
      !isPage && inbox && h("div", { class: "footer", part: "footer" }, h("a", { href: inbox.href }, say("see_all"))));
    if (!isPage) {
      const left = ({ relatedTarget }) => relatedTarget && relatedTarget !== this.bell && !this.element.contains(relatedTarget);
      this.element.addEventListener("keydown", ({ key }) => key === "Escape" && center.close());
      // Whoever walks on with Tab leaves it behind.
      this.element.addEventListener("focusout", (event) => left(event) && center.close());
    }
    center.shadowRoot.replaceChildren(...(isPage ? [] : [this.bell]), this.element, this.status);
    this.#turn(false);
  }

  get shown() {
    return !this.element.hidden;
  }

  show() {
    this.element.hidden = false;
    this.element.showPopover?.();
    this.bell.ariaExpanded = "true";
    this.place();
  }

  hide() {
    const { element, bell } = this;
    if (element.contains(this.#center.active)) bell.focus();
    element.hidePopover?.();
    element.hidden = true;
    bell.ariaExpanded = "false";
    this.#turn(false);
  }

  close() {
    clearTimeout(this.#noticeTimer);
  }

  /** Beside the bell, wherever that is, and within the window. */
  place() {
    const { element, bell, shown } = this;
    if (!shown || this.#center.isPage) return;
    const { left, right, top, bottom } = bell.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const width = element.offsetWidth;
    const below = clientHeight - bottom;
    const up = below < 320 && top > below;
    const start = getComputedStyle(this.#center).direction === "rtl" ? left : right - width;
    element.style.left = `${Math.max(8, Math.min(start, clientWidth - width - 8))}px`;
    element.style.top = up ? "auto" : `${bottom + 8}px`;
    element.style.bottom = up ? `${clientHeight - top + 8}px` : "auto";
    element.style.maxHeight = `${(up ? top : below) - 20}px`;
  }

  /** Show the counts, and the tabs of the categories there are. */
  draw() {
    const { tabs, bell, badge } = this;
    const { counts: { unseen, unread, by_category = {}, cap = 99 } = {}, names = {}, words: { plural, say } } = this.#center;
    const capped = (count) => (count >= cap ? `${cap}+` : `${count}`);
    badge.hidden = !unseen;
    badge.textContent = capped(unseen);
    bell.setAttribute("aria-label", unseen ? plural("bell", badge.textContent) : say("title"));
    const codes = [...new Set([...Object.keys(names), ...Object.keys(by_category)])];
    tabs.hidden = this.#center.getAttribute("tabs") === "off" || codes.length < 2;
    for (const code of ["", ...codes]) {
      let tab = [...tabs.children].find(({ dataset }) => dataset.category === code);
      if (!tab) tabs.append((tab = button("", () => this.#center.filter({ category: code }), { part: "tab", "data-category": code })));
      const count = code ? by_category[code]?.unread : unread;
      const hint = h("span", { class: "hidden" }, ` ${say("unread")}`);
      tab.replaceChildren(code ? (names[code] ?? code) : say("all"), count ? h("b", {}, capped(count), hint) : "");
      tab.ariaPressed = `${this.#list.category === code}`;
    }
  }

  ring() {
    const { bell } = this;
    bell.classList.remove("ring");
    requestAnimationFrame(() => bell.classList.add("ring"));
  }

  /** Announce what happened; show it for a while, too, if it can be undone, or should be seen (true). */
  tell(text, undo) {
    const { notice, status } = this;
    status.replaceChildren(h("p", {}, text));
    if (!undo) return;
    const away = () => {
      if (notice.contains(this.#center.active)) this.element.focus();
      notice.hidden = true;
    };
    const back = () => {
      away();
      this.#center.work(undo);
    };
    notice.replaceChildren(text, undo === true ? "" : button(this.#center.words.say("undo"), back));
    notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(away, NOTICE);
  }

  #markAll(as) {
    const { newest: before, category } = this.#list;
    const { client, work } = this.#center;
    const filter = { ...(category && { category }), ...(as === "archived" && { status: "read" }) };
    if (before) work(() => client.mark(as, { filter, before }), `done_${as}`);
  }

  /** Turn to the preferences, or back to the list, and take the focus along. */
  #view(preferences) {
    this.#turn(preferences);
    (preferences ? this.back : this.gear).focus();
    if (!preferences) return;
    this.#center.work(async () => {
      const { drawPreferences } = await import("./notification-preferences.js");
      await drawPreferences(this.preferences, this.#center);
    });
  }

  #turn(preferences) {
    this.back.hidden = this.preferences.hidden = !preferences;
    this.tools.hidden = this.inbox.hidden = preferences;
    this.heading.textContent = this.#center.words.say(preferences ? "preferences" : "title");
  }
}
