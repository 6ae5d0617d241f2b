// @ts-check
/**
 * Fetches the dashboard's figures again every few seconds: not while the page is hidden, nor once it is switched off.
 * What is open stays open, the focus stays where it is, and only a change of the whole state is read out.
 */

const KEY = "notifications.dashboard.refresh";
const figures = /** @type {HTMLElement} */ (document.getElementById("dashboard"));
const said = /** @type {HTMLElement} */ (document.getElementById("dashboard-said"));
const button = /** @type {HTMLButtonElement} */ (document.getElementById("refresh"));
const every = Number(figures.dataset.every) * 1000;
const address = figures.dataset.address || "";

let timer = 0;
let isOn = localStorage.getItem(KEY) !== "off";

/** Return the state in a sentence, as the server said it last. */
function summary() {
  const named = /** @type {HTMLElement | null} */ (figures.querySelector("[data-summary]"));
  return named?.dataset.summary ?? "";
}

/** @param {string} text */
function say(text) {
  if (said.textContent !== text) said.textContent = text;
}

/** What can have the focus. */
function reachable() {
  return /** @type {HTMLElement[]} */ ([...figures.querySelectorAll("a, summary, [tabindex]")]);
}

/**
 * Return what tells an element from the others, also among those that come instead of them.
 * @param {Element} element
 */
function mark(element) {
  // An hour later, the same link asks for what was made since another time.
  const leads = element.getAttribute("href")?.replace(/since=[^&]*/, "");
  const name = leads ?? element.getAttribute("aria-labelledby");
  const row = element.closest("tr")?.querySelector("th")?.textContent;
  return [element.tagName, element.closest("[id]")?.id, name, row, element.closest("td")?.cellIndex].join(" ");
}

/** Return the first part of the page that is in sight, if one has scrolled down to it, and where. */
function sight() {
  const parts = window.scrollY ? [...figures.querySelectorAll("section")] : [];
  const seen = parts.find((part) => part.getBoundingClientRect().bottom > 0);
  return seen && { name: seen.getAttribute("aria-labelledby"), top: seen.getBoundingClientRect().top };
}

/** @param {string} html */
function replace(html) {
  const before = summary();
  const open = [...figures.querySelectorAll("details[open]")].map((element) => element.id);
  const scrolled = [...figures.querySelectorAll(".n-scroll")].map((element) => [element.scrollLeft, element.scrollTop]);
  const seen = sight();
  const focused = figures.contains(document.activeElement) ? mark(/** @type {Element} */ (document.activeElement)) : "";
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const id of open) page.getElementById(id)?.setAttribute("open", "");
  figures.replaceChildren(...page.body.childNodes);
  figures.querySelectorAll(".n-scroll").forEach((element, index) => {
    [element.scrollLeft, element.scrollTop] = scrolled[index] ?? [0, 0];
  });
  if (focused) {
    // What is gone leaves the focus where it was, not at the top of the page.
    const again = reachable().find((element) => mark(element) === focused) ?? figures;
    again.focus({ preventScroll: true });
  }
  say(summary() === before ? "" : summary());
  // What appeared above, as that something is held, moves nothing from under the eyes.
  const now = seen && figures.querySelector(`section[aria-labelledby="${seen.name}"]`);
  if (now) window.scrollBy({ top: now.getBoundingClientRect().top - seen.top, behavior: "instant" });
}

async function refresh() {
  try {
    const answer = await fetch(address, { credentials: "same-origin", redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 403) {
      turn(false, button.dataset.over);
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const html = await answer.text();
    if (isOn && !document.hidden && !isBusy()) replace(html);
  } catch {
    say(button.dataset.failed ?? "");
  }
  plan();
}

/** Somebody marks text in order to copy it: it would be gone. */
function isBusy() {
  const selection = document.getSelection();
  return Boolean(selection && !selection.isCollapsed && figures.contains(selection.anchorNode));
}

function plan() {
  window.clearTimeout(timer);
  if (isOn && !document.hidden) timer = window.setTimeout(refresh, every);
}

/**
 * @param {boolean} on
 * @param {string} [why]
 */
function turn(on, why = "") {
  isOn = on;
  button.setAttribute("aria-pressed", String(on));
  say(why);
  plan();
}

button.addEventListener("click", () => {
  turn(!isOn);
  localStorage.setItem(KEY, isOn ? "on" : "off");
  if (isOn) refresh();
});
document.addEventListener("visibilitychange", () => (document.hidden || !isOn ? plan() : refresh()));
button.hidden = false;
turn(isOn);
