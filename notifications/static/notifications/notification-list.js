// @ts-check
// The list: pages of items, in order and in place while items arrive, change and go.

import { button, h, icon } from "./notification-dom.js";
import { ItemView } from "./notification-item.js";

const PAGE = 25;
const MOST = 100;

export class NotificationList {
  #center;
  /** @type {Map<string, ItemView>} */
  #views = new Map();
  /** News that waits until it is asked for. */
  #waiting = new Map();
  #cursor;
  #turn = 0;
  /** What changed while a page was on its way is newer than that page. */
  #taken = new Set();
  #loading = false;
  #error;
  #retry;
  #noted;
  #watch;

  status = "";
  category = "";

  constructor(center) {
    this.#center = center;
    const { say } = center.words;
    this.pill = button("", () => this.#showWaiting(), { class: "pill", part: "pill" });
    this.list = h("ol", { part: "list", role: "list", "aria-label": say("title"), onkeydown: (event) => this.#walk(event) });
    this.note = h("div", { class: "note", part: "state" });
    this.more = button(say("load_more"), () => this.load(true), { class: "more", part: "more" });
    this.element = h("div", { class: "scroller", part: "scroller", tabindex: "-1" }, this.pill, this.list, this.note, this.more);
    const near = (seen) => seen.at(-1).isIntersecting && !this.#loading && this.load(true);
    this.#watch = new IntersectionObserver(near, { root: center.isPage ? null : this.element, rootMargin: "200px" });
  }

  close() {
    this.#watch.disconnect();
    this.#turn++;
  }

  /** The sort_key of the newest item shown. */
  get newest() {
    return this.#at(this.list.firstElementChild);
  }

  /** @param {{status?: string, category?: string}} filter */
  filter(filter) {
    Object.assign(this, filter);
    this.#taken.clear();
    this.#keep([]);
    this.load();
  }

  /** Read again what is shown, or the next page. */
  async load(more = false) {
    const turn = ++this.#turn;
    const { status, category } = this;
    const pressed = this.#center.active === this.more;
    const page_size = more ? PAGE : Math.min(MOST, Math.max(PAGE, this.#views.size));
    this.#loading = true;
    this.#error = null;
    this.#taken.clear();
    this.describe();
    try {
      const { results, cursor } = await this.#center.client.list({ status, category, page_size, cursor: more && this.#cursor });
      // Meanwhile somebody asked for something else.
      if (turn !== this.#turn) return;
      this.#cursor = cursor;
      if (!more) this.#keep(results);
      const busy = this.#busy();
      for (const item of results) if (!this.#taken.has(item.id)) this.#put(item, busy);
      if (pressed) this.#views.get(results[0]?.id)?.element.focus();
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#error = error;
      this.#retry = () => this.load(more);
      this.#center.emit("error", { error });
    }
    this.#loading = false;
    this.#settle();
  }

  /** Take over an item that is new or changed. */
  take(item) {
    this.#taken.add(item.id);
    const place = item.snoozed_until ? "snoozed" : item.archived_at ? "archived" : "";
    const belongs = this.status === "unread" ? !place && !item.read_at : this.status === place;
    if (!belongs || (this.category && this.category !== item.category)) return this.drop(item.id);
    // What is older than the last one shown is on a page to come.
    if (!this.#cursor || item.sort_key > this.#at(this.list.lastElementChild)) this.#put(item, this.#busy());
    this.#settle();
  }

  /** @param {string} id */
  drop(id) {
    this.#waiting.delete(id);
    const element = this.#views.get(id)?.element;
    if (!element) return;
    this.#views.delete(id);
    const next = element.nextElementSibling ?? element.previousElementSibling ?? this.element;
    const focused = element.contains(this.#center.active);
    element.remove();
    if (focused) next.focus();
    this.describe();
  }

  /** Say what there is where no items are. */
  describe() {
    const { state, active, words: { say, plural } } = this.#center;
    const empty = !this.#views.size;
    const out = state === "logged-out";
    const error = this.#error;
    this.list.hidden = out || empty;
    this.more.hidden = out || !this.#cursor || error;
    this.pill.hidden = out || !this.#waiting.size;
    this.pill.textContent = plural("new", this.#waiting.size);
    this.element.ariaBusy = `${this.#loading}`;
    const [text, ...more] = out ? [say("logged_out"), button(say("reload"), () => location.reload())]
      : state === "offline" ? [say("offline")]
      : error ? [error.status && error.problem.detail ? error.message : say("error"), button(say("retry"), () => this.#retry())]
      : !empty ? []
      : this.#loading ? [say("loading"), ...[1, 2, 3].map(() => h("i", { class: "bone" }))]
      : [say(`empty${this.status && `_${this.status}`}`), h("i", { class: "calm" }, icon("bell"))];
    // Said once, however often it is found.
    if (text !== this.#noted) {
      if (this.note.contains(active)) this.element.focus();
      this.note.replaceChildren(...(text ? [h("span", {}, text), ...more] : []));
      if (text && !this.#loading && this.#center.shown) this.#center.tell(text);
    }
    this.#noted = text;
    // Observed anew, it tells at once whether it is in sight still.
    this.#watch.unobserve(this.more);
    if (!this.more.hidden) this.#watch.observe(this.more);
  }

  #settle() {
    this.describe();
    this.#center.see();
  }

  #at(element) {
    return this.#views.get(element?.dataset.id)?.item.sort_key ?? "";
  }

  /** Whether somebody reads further down, or is about to press something: what jumps now is hit by mistake. */
  #busy() {
    const { element, list } = this;
    return element.scrollTop > 8 || list.matches(":hover, :focus-within") || list.getBoundingClientRect().top < 0;
  }

  #showWaiting() {
    const news = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const item of news) this.#put(item, false);
    const first = this.list.firstElementChild;
    first.focus();
    first.scrollIntoView();
    this.#settle();
  }

  #keep(items) {
    const ids = items.map(({ id }) => id);
    for (const id of [...this.#views.keys(), ...this.#waiting.keys()]) if (!ids.includes(id) && !this.#taken.has(id)) this.drop(id);
  }

  /** Show an item where its sort_key puts it; what is new has to wait while somebody reads. */
  #put(item, waits) {
    const { id, sort_key, seen_at } = item;
    let view = this.#views.get(id);
    const here = view?.item.sort_key === sort_key;
    if (!here && waits && !seen_at && this.newest && sort_key > this.newest) return this.#waiting.set(id, item);
    if (view) view.draw(item);
    else this.#views.set(id, (view = new ItemView(item, this.#center)));
    const { element } = view;
    if (!here) this.list.insertBefore(element, [...this.list.children].find((row) => row !== element && this.#at(row) < sort_key) ?? null);
  }

  #walk(event) {
    const rows = [...this.list.children];
    const at = rows.findIndex((row) => row.contains(event.target));
    const row = rows[{ ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key]];
    if (!row || event.target.matches("input")) return;
    event.preventDefault();
    row.focus();
  }
}
