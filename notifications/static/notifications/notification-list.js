// @ts-check
// The list: pages of items, kept in order and in place while items arrive, change and go.

import { h } from "./notification-dom.js";
import { ItemView } from "./notification-item.js";

/** @typedef {import("./notification-types.js").Item} Item */

export class NotificationList {
  #center;
  /** @type {Map<string, ItemView>} */
  #views = new Map();
  /** @type {Map<string, Item>} */
  #waiting = new Map();
  /** @type {string | null} */
  #cursor = null;
  #turn = 0;
  #loading = false;
  /** @type {any} */
  #error = null;
  #watch;

  status = "";
  category = "";

  /** @param {import("./notification-center.js").NotificationCenter} center */
  constructor(center) {
    const { say } = (this.#center = center);
    this.pill = h("button", { type: "button", class: "pill", part: "pill", hidden: true, onclick: () => this.#showWaiting() });
    this.list = h("ol", { part: "list", role: "list", "aria-label": say("title"), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#walk(event) });
    this.note = h("div", { class: "note", part: "state" });
    this.more = h("button", { type: "button", class: "more", part: "more", hidden: true, onclick: () => this.load(true) }, say("load_more"));
    this.element = h("div", { class: "scroller", part: "scroller", tabindex: "-1" }, this.pill, this.list, this.note, this.more);
    this.#watch = new IntersectionObserver((seen) => {
      if (seen.some((entry) => entry.isIntersecting) && !this.#loading && !this.#error) this.load(true);
    }, { root: center.mode === "page" ? null : this.element, rootMargin: "200px" });
  }

  close() {
    this.#watch.disconnect();
    this.#turn++;
  }

  /** The sort_key of the newest item shown. */
  get newest() {
    return this.list.firstElementChild && this.#at(this.list.firstElementChild)?.sort_key;
  }

  /** Begin anew with another filter. @param {{status?: string, category?: string}} filter */
  filter(filter) {
    Object.assign(this, filter);
    this.#views.clear();
    this.list.replaceChildren();
    this.element.scrollTop = 0;
    return this.load();
  }

  /** Read what is shown again, or the next page. */
  async load(more = false) {
    const turn = ++this.#turn;
    this.#loading = true;
    this.#error = null;
    this.describe();
    try {
      const { status, category } = this;
      const size = more ? 25 : Math.min(100, Math.max(25, this.#views.size));
      const page = await this.#center.client.list({ status, category, page_size: size, cursor: more ? this.#cursor : null });
      if (turn !== this.#turn) return;
      this.#cursor = page.cursor;
      if (!more) this.#keepOnly(page.results);
      for (const item of page.results) this.#put(item);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#error = error;
      this.#center.emit("error", { error });
    }
    this.#loading = false;
    this.describe();
    this.#center.see();
  }

  /** Take over an item that is new or changed. @param {Item} item @param {boolean} fresh */
  take(item, fresh) {
    const view = this.#views.get(item.id);
    if (!this.#belongs(item)) this.drop(item.id);
    else if (view?.item.sort_key === item.sort_key) view.draw(item);
    else if (fresh && this.#busy()) this.#waiting.set(item.id, item);
    else if (!this.#cursor || fresh || item.sort_key > (this.#at(this.list.lastElementChild)?.sort_key ?? "~")) this.#put(item);
    this.describe();
    this.#center.see();
  }

  /** @param {string} id */
  drop(id) {
    this.#waiting.delete(id);
    const element = this.#views.get(id)?.element;
    if (!element) return;
    this.#views.delete(id);
    const next = element.nextElementSibling ?? element.previousElementSibling ?? this.element;
    const focused = element.contains(element.getRootNode().activeElement);
    element.remove();
    if (focused) next.focus();
    this.describe();
  }

  /** Say what there is when there are no items, or not all. */
  describe() {
    const { say, state } = this.#center;
    const empty = this.#views.size === 0;
    const button = (/** @type {string} */ label, /** @type {() => void} */ act) => h("button", { type: "button", onclick: act }, say(label));
    const out = state === "logged-out";
    this.list.hidden = out || empty;
    this.more.hidden = out || !this.#cursor || Boolean(this.#error);
    this.pill.hidden = out || this.#waiting.size === 0;
    this.pill.textContent = this.#center.plural("new", this.#waiting.size);
    this.element.setAttribute("aria-busy", `${this.#loading}`);
    const note = out ? [say("logged_out"), button("reload", () => location.reload())]
      : state === "offline" ? [say("offline")]
      : this.#error ? [`${say("error")} ${this.#error.status ? this.#error.message : ""}`, button("retry", () => this.load(!empty && Boolean(this.#cursor)))]
      : empty && this.#loading ? [h("span", { class: "hidden" }, say("loading")), ...[1, 2, 3].map(() => h("i", { class: "bone" }))]
      : empty ? [h("i", { class: "calm" }), say(`empty${this.status && `_${this.status}`}`)] : [];
    this.note.replaceChildren(...note);
    this.#watch.unobserve(this.more);
    if (!this.more.hidden) this.#watch.observe(this.more);
  }

  redraw() {
    for (const view of this.#views.values()) view.draw(view.item);
  }

  /** @param {Element | null} element */
  #at(element) {
    return this.#views.get(/** @type {any} */ (element)?.dataset.id)?.item;
  }

  /** @param {Item} item */
  #belongs(item) {
    const place = item.snoozed_until ? "snoozed" : item.archived_at ? "archived" : "";
    const within = this.status === "unread" ? place === "" && !item.read_at : this.status === place;
    return within && (!this.category || item.category === this.category);
  }

  /** Somebody reads further down, or is about to press something: what jumps now is hit by mistake. */
  #busy() {
    const { element, list } = this;
    return element.scrollTop > 8 || list.matches(":hover, :focus-within") || list.getBoundingClientRect().top < 0;
  }

  #showWaiting() {
    this.#waiting.forEach((item) => this.#put(item));
    this.#waiting.clear();
    this.list.firstElementChild?.focus();
    this.element.scrollTop = 0;
    this.describe();
    this.#center.see();
  }

  /** @param {Item[]} items */
  #keepOnly(items) {
    const ids = new Set(items.map((item) => item.id));
    for (const id of [...this.#views.keys()]) if (!ids.has(id)) this.drop(id);
    this.#waiting.clear();
  }

  /** Show an item where its sort_key puts it. @param {Item} item */
  #put(item) {
    let view = this.#views.get(item.id);
    const moved = view?.item.sort_key !== item.sort_key;
    if (view) view.draw(item);
    else this.#views.set(item.id, (view = new ItemView(item, this.#center)));
    if (!moved) return;
    const after = [...this.list.children].find((other) => other !== view.element && (this.#at(other)?.sort_key ?? "") < item.sort_key);
    this.list.insertBefore(view.element, after ?? null);
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const rows = [...this.list.children];
    const target = /** @type {Element} */ (event.target);
    if (target.matches("input")) return;
    const here = rows.findIndex((row) => row.contains(target));
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined || !rows[to]) return;
    event.preventDefault();
    rows[to].focus();
  }
}
