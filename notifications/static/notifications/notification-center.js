// @ts-check
// <notification-center>: a bell with a badge and the inbox behind it, or the inbox alone as a page (mode="page").

import { NotificationClient } from "./notification-client.js";
import { h, icon, iconButton, safeURL } from "./notification-dom.js";
import { LABELS } from "./notification-labels.js";
import { NotificationList } from "./notification-list.js";
import { styles } from "./notification-styles.js";

/** @typedef {import("./notification-types.js").Item} Item */

const UNITS = /** @type {const} */ ([["day", 86_400], ["hour", 3_600], ["minute", 60]]);
const WEEK = 7 * 86_400;
/** Milliseconds: how long a notice stays, how long news is collected, how often times are told anew. */
const NOTICE = 7_000;
const TOGETHER = 1_000;
const TICK = 30_000;

export class NotificationCenter extends HTMLElement {
  static observedAttributes = ["api", "user", "lang", "labels", "mode", "tabs", "csrf-token", "open"];

  // What was set before the element was defined stays.
  /** @type {((item: Item, element: HTMLElement) => void) | undefined} */
  renderItem = this.renderItem;
  /** @type {Record<string, string>} */
  #labels = this.#early();
  /** @type {any} */
  client;
  /** @type {import("./notification-types.js").Counts | undefined} */
  counts;
  state = "connecting";
  /** @type {Record<string, any>} */
  #ui = {};
  /** @type {any} */
  #list;
  /** @type {Map<string, string>} */
  #names = new Map();
  #stop = new AbortController();
  #lang = "en";
  #words = LABELS;
  #seen = "";
  #news = 0;
  #noticeTimer = 0;

  get mode() {
    return this.getAttribute("mode") === "page" ? "page" : "popover";
  }

  /** Whether items are on the screen. */
  get shown() {
    return this.mode === "page" || this.hasAttribute("open");
  }

  get labels() {
    return this.#labels;
  }

  set labels(labels) {
    this.#labels = labels;
    this.#restart();
  }

  open() {
    this.toggleAttribute("open", true);
  }

  close() {
    this.toggleAttribute("open", false);
  }

  toggle() {
    this.toggleAttribute("open");
  }

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#lang = [this.lang, document.documentElement.lang, "en"].find(isLocale) ?? "en";
    this.#words = { ...LABELS, ...parsed(this.getAttribute("labels")), ...this.#labels };
    this.client = new NotificationClient({
      api: this.getAttribute("api") ?? undefined,
      user: this.getAttribute("user") ?? "",
      csrfToken: this.getAttribute("csrf-token") ?? "",
    });
    this.#list = new NotificationList(this);
    this.#build();
    document.addEventListener("visibilitychange", () => this.see(), { signal });
    document.addEventListener("pointerdown", (event) => event.composedPath().includes(this) || this.close(), { signal });
    for (const name of ["resize", "scroll"]) addEventListener(name, () => this.#place(), { signal, passive: true });
    const clock = setInterval(() => this.#tick(), TICK);
    const unsubscribe = this.client.subscribe((/** @type {any} */ message) => this.#hear(message));
    signal.addEventListener("abort", () => {
      clearInterval(clock);
      clearTimeout(this.#noticeTimer);
      unsubscribe();
      this.#list.close();
    });
    if (this.shown) this.#show(false);
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (!this.#ui.panel || before === after) return;
    if (name === "csrf-token") this.client.csrfToken = after ?? "";
    else if (name !== "open") this.#restart();
    else if (this.mode === "popover" && (before === null) !== (after === null)) after === null ? this.#hide() : this.#show(true);
  }

  /** The words for a key. @type {(key: string, values?: Record<string, any>) => string} */
  say = (key, values = {}) =>
    (/** @type {any} */ (this.#words)[key] ?? key).replace(/\{(\w+)\}/g, (/** @type {string} */ all, /** @type {string} */ name) => values[name] ?? all);

  /** @type {(key: string, count: number | string) => string} */
  plural = (key, count) => {
    const form = `${key}_${new Intl.PluralRules(this.#lang).select(parseInt(`${count}`))}`;
    return this.say(form in this.#words ? form : `${key}_other`, { count });
  };

  /** @type {(code: string) => string} */
  categoryName = (code) => this.#names.get(code) ?? code;

  /** A time that tells how long ago it was, and keeps doing so. @type {(instant: string) => HTMLElement} */
  ago = (instant) => h("time", { datetime: instant, title: this.when(instant) }, this.#since(instant));

  /** A time by the reader's clock. @type {(instant: string | Date) => string} */
  when = (instant) => {
    const near = Math.abs(+new Date(instant) - Date.now()) < 6 * 86_400_000;
    const how = near ? /** @type {const} */ ({ weekday: "short", hour: "numeric", minute: "2-digit" }) : /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });
    return new Intl.DateTimeFormat(this.#lang, how).format(new Date(instant));
  };

  /** Do something, and say how it went. @type {(act: () => Promise<any>, done?: string, undo?: () => Promise<any>) => Promise<void>} */
  work = async (act, done, undo) => {
    try {
      await act();
      if (done) this.#announce(this.say(done));
      if (done && undo) this.#notice(this.say(done), undo);
    } catch (error) {
      this.fail(error);
    }
  };

  /** @param {any} error */
  fail(error) {
    const text = error.status ? error.message : this.say("error");
    this.#announce(text);
    this.#notice(text);
    this.emit("error", { error });
  }

  /** Dispatch an event; false: its default is unwanted. @param {string} name @param {any} [detail] @param {boolean} [cancelable] */
  emit(name, detail, cancelable) {
    return this.dispatchEvent(new CustomEvent(`notification-center:${name}`, { detail, cancelable, bubbles: true, composed: true }));
  }

  /** Somebody chose an item. @param {Item} item @param {MouseEvent} event */
  clicked(item, event) {
    if (!this.emit("click", { item, event }, true)) event.preventDefault();
    if (!item.read_at && !item.snoozed_until) this.work(() => this.client.update(item.id, { read: true }));
  }

  /** What is on the screen has been seen; what came after it has not. */
  see() {
    const { newest, status, category } = this.#list;
    if (!this.shown || document.hidden || !this.counts?.unseen || status || !newest || newest <= this.#seen) return;
    this.#seen = newest;
    this.client.mark("seen", { before: newest, filter: category ? { category } : undefined }).catch(() => (this.#seen = ""));
  }

  #early() {
    const { labels } = Object.hasOwn(this, "labels") ? this : { labels: {} };
    delete (/** @type {any} */ (this).labels);
    return labels;
  }

  #restart() {
    if (!this.isConnected || !this.#ui.panel) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  #build() {
    const { say } = this;
    const page = this.mode === "page";
    const inbox = safeURL(this.getAttribute("inbox-url") ?? "");
    const option = (/** @type {string} */ value, /** @type {string} */ label) => h("option", { value }, say(label));
    const ui = (this.#ui = {});
    ui.badge = h("span", { class: "badge", part: "badge", "aria-hidden": "true", hidden: true });
    ui.bell = h("button", { type: "button", class: "bell", part: "bell", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": "panel", onclick: () => this.toggle() },
      h("slot", { name: "bell" }, icon("bell")), ui.badge);
    ui.title = h("h2", { part: "title" }, say("title"));
    ui.back = iconButton("back", say("back"), () => this.#preferences(false), { hidden: true });
    ui.tools = h("div", { class: "tools" },
      iconButton("all", say("mark_all_read"), () => this.#markAll("read"), { part: "mark-all-read" }),
      iconButton("archive", say("archive_read"), () => this.#markAll("archived"), { part: "archive-read" }),
      (ui.gear = iconButton("settings", say("preferences"), () => this.#preferences(true), { part: "preferences-button" })));
    ui.tabs = h("div", { class: "tabs", part: "tabs", role: "group", "aria-label": say("categories") });
    ui.filter = h("select", { part: "filter", "aria-label": say("show"), onchange: () => this.#filter({ status: ui.filter.value }) },
      option("", "inbox"), option("unread", "unread"), option("archived", "archived"), option("snoozed", "snoozed"));
    ui.inbox = h("div", { class: "inbox" }, h("div", { class: "bar" }, ui.tabs, ui.filter), this.#list.element);
    ui.preferences = h("div", { class: "preferences", part: "preferences", hidden: true });
    ui.notice = h("div", { class: "notice", part: "notice", hidden: true });
    ui.live = h("div", { class: "hidden", role: "status" });
    ui.panel = h("section", { id: "panel", class: this.mode, part: "panel", tabindex: "-1", "aria-label": say("title"), ...(page ? {} : { role: "dialog", popover: "manual", hidden: true }) },
      h("header", { part: "header" }, ui.back, ui.title, ui.tools, !page && iconButton("close", say("close"), () => this.close(), { part: "close" })),
      ui.inbox, ui.preferences, ui.notice,
      !page && inbox && h("footer", { part: "footer" }, h("a", { href: inbox.href }, say("see_all"))));
    if (!page) {
      ui.panel.addEventListener("focusout", ({ relatedTarget: to }) => to && to !== ui.bell && !ui.panel.contains(to) && this.close());
      ui.panel.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    }
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles];
    root.replaceChildren(...(page ? [] : [ui.bell]), ui.panel, ui.live);
    this.#count(this.counts);
    this.#drawTabs();
  }

  /** @param {any} message */
  #hear(message) {
    const { type, item, fresh, counts } = message;
    if (type === "state") {
      this.state = message.state;
      this.#list.describe();
      if (message.state === "logged-out") this.emit("logged-out");
    }
    if (type === "item") {
      if (fresh && this.emit("new", { item }, true)) this.#ring();
      if (this.shown) this.#list.take(item, fresh);
    }
    if (type === "removed") this.#list.drop(message.id);
    if (type === "refresh" && this.shown) this.#list.load();
    if (counts) this.#count(counts);
  }

  /** @param {any} counts */
  #count(counts) {
    const { bell, badge } = this.#ui;
    const unseen = counts?.unseen ?? 0;
    badge.textContent = capped(unseen, counts?.cap);
    badge.hidden = !unseen;
    bell.setAttribute("aria-label", unseen ? this.plural("bell", badge.textContent) : this.say("title"));
    if (!counts) return;
    this.counts = counts;
    this.#drawTabs();
    this.see();
    this.emit("counts", counts);
  }

  #ring() {
    this.#ui.bell.classList.remove("ring");
    requestAnimationFrame(() => this.#ui.bell.classList.add("ring"));
    if (this.#news++) return;
    setTimeout(() => {
      this.#announce(this.plural("new", this.#news));
      this.#news = 0;
    }, TOGETHER);
  }

  /** @param {boolean} focus */
  async #show(focus) {
    const { panel, bell } = this.#ui;
    if (this.mode === "popover") {
      panel.hidden = false;
      panel.showPopover?.();
      bell.setAttribute("aria-expanded", "true");
      this.#place();
      if (focus) panel.focus();
      this.emit("open");
    }
    this.#list.load();
    if (this.#names.size) return;
    const { categories = [] } = await this.client.preferences().catch(() => ({}));
    this.#names = new Map(categories.map((/** @type {any} */ category) => [category.code, category.name]));
    this.#drawTabs();
    this.#list.redraw();
  }

  #hide() {
    const { panel, bell } = this.#ui;
    const inside = panel.contains(this.shadowRoot?.activeElement);
    panel.hidePopover?.();
    panel.hidden = true;
    bell.setAttribute("aria-expanded", "false");
    if (inside) bell.focus();
    this.emit("close");
  }

  /** Beside the bell, wherever that is, and within the window. */
  #place() {
    const { panel, bell } = this.#ui;
    if (this.mode === "page" || panel.hidden) return;
    const edge = bell.getBoundingClientRect();
    const { clientWidth: width, clientHeight: height } = document.documentElement;
    const start = getComputedStyle(this).direction === "rtl" ? edge.left : edge.right - panel.offsetWidth;
    const above = height - edge.bottom < 320 && edge.top > height - edge.bottom;
    panel.style.left = `${Math.max(8, Math.min(start, width - panel.offsetWidth - 8))}px`;
    panel.style.top = above ? "auto" : `${edge.bottom + 8}px`;
    panel.style.bottom = above ? `${height - edge.top + 8}px` : "auto";
    panel.style.maxHeight = `${(above ? edge.top : height - edge.bottom) - 20}px`;
  }

  #drawTabs() {
    const { tabs } = this.#ui;
    const { by_category: counts = {}, cap = 99 } = this.counts ?? /** @type {any} */ ({});
    const codes = [...new Set([...this.#names.keys(), ...Object.keys(counts)])];
    tabs.hidden = this.getAttribute("tabs") === "off" || codes.length < 2;
    for (const code of ["", ...codes]) {
      let tab = [...tabs.children].find((other) => other.dataset.category === code);
      if (!tab) tabs.append((tab = h("button", { type: "button", part: "tab", "data-category": code, onclick: () => this.#filter({ category: code }) })));
      const name = code ? this.categoryName(code) : this.say("all");
      const count = capped((code ? counts[code]?.unread : this.counts?.unread) ?? 0, cap);
      tab.replaceChildren(name, count === "0" ? "" : h("b", {}, count));
      tab.setAttribute("aria-label", count === "0" ? name : this.say("tab", { name, count }));
      tab.setAttribute("aria-pressed", `${this.#list.category === code}`);
    }
  }

  /** @param {{status?: string, category?: string}} filter */
  #filter(filter) {
    this.#seen = "";
    this.#list.filter(filter);
    this.#drawTabs();
  }

  /** @param {"read" | "archived"} as */
  #markAll(as) {
    const { newest: before, category } = this.#list;
    const filter = { ...(category && { category }), ...(as === "archived" && { status: "read" }) };
    if (before) this.work(() => this.client.mark(as, { filter, before }), `done_${as}`);
  }

  /** @param {boolean} show */
  async #preferences(show) {
    const { preferences, inbox, title, back, tools, gear } = this.#ui;
    preferences.hidden = back.hidden = !show;
    inbox.hidden = tools.hidden = show;
    title.textContent = this.say(show ? "preferences" : "title");
    (show ? back : gear).focus();
    if (!show) return;
    await this.work(async () => {
      const { drawPreferences } = await import("./notification-preferences.js");
      await drawPreferences(preferences, this);
    });
  }

  /** @param {string} text */
  #announce(text) {
    this.#ui.live.replaceChildren(h("p", {}, text));
  }

  /** Show for a while what was done, and the way back. @param {string} text @param {() => Promise<any>} [undo] */
  #notice(text, undo) {
    const { notice, panel } = this.#ui;
    const away = () => {
      if (notice.contains(this.shadowRoot?.activeElement)) panel.focus();
      notice.hidden = true;
    };
    const back = () => {
      away();
      this.work(/** @type {any} */ (undo));
    };
    notice.replaceChildren(text, undo ? h("button", { type: "button", onclick: back }, this.say("undo")) : "");
    notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(away, NOTICE);
  }

  /** @param {string} instant */
  #since(instant) {
    const seconds = (Date.now() - Date.parse(instant)) / 1000;
    if (seconds > WEEK) return new Intl.DateTimeFormat(this.#lang, { dateStyle: "medium" }).format(new Date(instant));
    const [unit, length] = UNITS.find(([, size]) => seconds >= size) ?? ["", 1];
    return unit ? new Intl.RelativeTimeFormat(this.#lang, { numeric: "auto" }).format(-Math.floor(seconds / length), unit) : this.say("now");
  }

  #tick() {
    for (const time of this.shadowRoot?.querySelectorAll("time") ?? []) time.textContent = this.#since(time.dateTime);
  }
}

/** @param {number} count @param {number} [cap] */
const capped = (count, cap = 99) => (count >= cap ? `${cap}+` : `${count}`);

/** @param {string} name */
function isLocale(name) {
  try {
    return Intl.getCanonicalLocales(name).length > 0;
  } catch {
    return false;
  }
}

/** @param {string | null} json */
function parsed(json) {
  try {
    return JSON.parse(json ?? "{}");
  } catch (error) {
    console.error("<notification-center labels> is not JSON", error);
    return {};
  }
}

if (!customElements.get("notification-center")) customElements.define("notification-center", NotificationCenter);
