// @ts-check
// <notification-center>: a bell with a badge and the inbox behind it, or the inbox alone as a page (mode="page").

import { NotificationClient } from "./notification-client.js";
import { button, h, icon, iconButton, safeURL } from "./notification-dom.js";
import { Words } from "./notification-labels.js";
import { NotificationList } from "./notification-list.js";
import { styles } from "./notification-styles.js";

/** Milliseconds: how long a notice stays, how long news is collected, how often times are told anew. */
const NOTICE = 7_000;
const TOGETHER = 1_000;
const TICK = 30_000;

export class NotificationCenter extends HTMLElement {
  static observedAttributes = ["api", "user", "lang", "labels", "mode", "tabs", "csrf-token", "open"];

  // What was set before the element was defined stays.
  /** Changes what an item looks like, after it was drawn. @type {((item: object, element: HTMLElement) => void) | undefined} */
  renderItem = this["renderItem"];
  #labels = Object.hasOwn(this, "labels") && this.labels;
  client;
  counts;
  state = "connecting";
  #ui;
  #list;
  #stop;
  #names;
  #seen = "";
  #news = 0;
  #noticeTimer;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styles];
    // The own property would hide the one of the class.
    if (this.#labels) delete this.labels;
  }

  get isPage() {
    return this.getAttribute("mode") === "page";
  }

  /** What has the focus in here. */
  get active() {
    return this.shadowRoot.activeElement;
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
    const { signal } = (this.#stop = new AbortController());
    const attribute = (name) => this.getAttribute(name) ?? undefined;
    const lang = [this.lang, document.documentElement.lang, "en"].find(isLocale);
    this.words = new Words(lang, { ...parsed(attribute("labels")), ...this.#labels });
    this.client = new NotificationClient({ api: attribute("api"), user: attribute("user"), csrfToken: attribute("csrf-token") });
    this.#list = new NotificationList(this);
    // Somebody else's, or in another language.
    this.counts = this.#names = undefined;
    this.#seen = "";
    this.#build();
    const on = (target, name, act) => target.addEventListener(name, act, { signal, passive: true });
    on(document, "visibilitychange", () => this.see());
    on(document, "pointerdown", (event) => event.composedPath().includes(this) || this.close());
    on(window, "resize", () => this.#place());
    on(window, "scroll", () => this.#place());
    const clock = setInterval(() => this.#tick(), TICK);
    const unsubscribe = this.client.subscribe((message) => this.#hear(message));
    signal.addEventListener("abort", () => {
      clearInterval(clock);
      clearTimeout(this.#noticeTimer);
      unsubscribe();
      this.#list.close();
    });
    if (this.isPage || this.hasAttribute("open")) this.#show();
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#ui = null;
  }

  attributeChangedCallback(name, before, after) {
    if (!this.#ui || before === after) return;
    if (name === "csrf-token") this.client.csrfToken = after;
    else if (name !== "open") this.#restart();
    else if (after === null) this.#hide();
    else if (before === null) {
      this.#show();
      this.#ui.panel.focus();
    }
  }

  /** Do something, and say how it went. */
  work = async (act, done, undo) => {
    try {
      await act();
      if (done) this.tell(this.words.say(done), undo);
    } catch (error) {
      this.tell(error.status ? error.message : this.words.say("error"), true);
      this.emit("error", { error });
    }
  };

  /** Dispatch an event; false: its default is not wanted. */
  emit = (name, detail, cancelable) =>
    this.dispatchEvent(new CustomEvent(`notification-center:${name}`, { detail, cancelable, bubbles: true, composed: true }));

  /** Somebody follows an item. */
  clicked = (item, event) => {
    if (!this.emit("click", { item, event }, true)) event.preventDefault();
    if (!item.read_at && !item.snoozed_until) this.work(() => this.client.update(item.id, { read: true }));
  };

  /** What is on the screen has been seen; what came after it has not. */
  see() {
    const { newest: before, status, category } = this.#list;
    if (!this.shown || document.hidden || !this.counts?.unseen || status || before <= this.#seen) return;
    this.#seen = before;
    this.client.mark("seen", { before, filter: category ? { category } : undefined }).catch(() => (this.#seen = ""));
  }

  get shown() {
    return this.#ui && !this.#ui.panel.hidden;
  }

  #restart() {
    if (!this.#ui) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  #build() {
    const { isPage, words: { say } } = this;
    const inbox = safeURL(this.getAttribute("inbox-url"));
    const ui = (this.#ui = {});
    ui.badge = h("span", { class: "badge", part: "badge", "aria-hidden": "true" });
    ui.bell = h("button", { type: "button", class: "bell", part: "bell", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": "panel", onclick: () => this.toggle() },
      h("slot", { name: "bell" }, icon("bell")), ui.badge);
    ui.title = h("h2", { part: "heading" });
    ui.back = iconButton("back", say("back"), () => this.#view(false));
    ui.gear = iconButton("settings", say("preferences"), () => this.#view(true), { part: "preferences-button" });
    ui.tools = h("div", { class: "tools" },
      iconButton("all", say("mark_all_read"), () => this.#markAll("read"), { part: "mark-all-read" }),
      iconButton("archive", say("archive_read"), () => this.#markAll("archived"), { part: "archive-read" }), ui.gear);
    ui.tabs = h("div", { class: "tabs", part: "tabs", role: "group", "aria-label": say("categories") });
    ui.filter = h("select", { part: "filter", "aria-label": say("show"), onchange: () => this.#filter({ status: ui.filter.value }) },
      ["", "unread", "archived", "snoozed"].map((value) => h("option", { value }, say(value || "inbox"))));
    ui.inbox = h("div", { class: "inbox" }, h("div", { class: "bar" }, ui.tabs, ui.filter), this.#list.element);
    ui.preferences = h("div", { class: "preferences", part: "preferences" });
    ui.notice = h("div", { class: "notice", part: "notice", hidden: true });
    ui.status = h("div", { class: "hidden", role: "status" });
    ui.panel = h("section", { id: "panel", class: isPage ? "page" : "popover", part: "panel", tabindex: "-1", "aria-label": say("title"), ...(!isPage && { role: "dialog", popover: "manual", hidden: true }) },
      h("div", { class: "header", part: "header" }, ui.back, ui.title, ui.tools, !isPage && iconButton("close", say("close"), () => this.close())),
      ui.inbox, ui.preferences, ui.notice,
      !isPage && inbox && h("div", { class: "footer", part: "footer" }, h("a", { href: inbox.href }, say("see_all"))));
    if (!isPage) {
      ui.panel.addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
      // Whoever walks on with Tab leaves it behind.
      ui.panel.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !ui.panel.contains(relatedTarget) && relatedTarget !== ui.bell && this.close());
    }
    this.shadowRoot.replaceChildren(...(isPage ? [] : [ui.bell]), ui.panel, ui.status);
    this.#turn(false);
    this.#count(this.counts);
  }

  #hear({ type, item, fresh, id, state, counts }) {
    if (state) this.state = state;
    if (state) this.#list.describe();
    if (state === "logged-out") this.emit(state);
    if (fresh && this.emit("new", { item }, true)) this.#ring();
    if (item && this.shown) this.#list.take(item);
    if (type === "removed") this.#list.drop(id);
    if (type === "refresh" && this.shown) this.#list.load();
    if (counts) this.#count(counts);
  }

  #count(counts) {
    const { bell, badge } = this.#ui;
    const unseen = counts?.unseen;
    badge.hidden = !unseen;
    badge.textContent = capped(unseen, counts);
    bell.setAttribute("aria-label", unseen ? this.words.plural("bell", badge.textContent) : this.words.say("title"));
    if (!counts) return;
    this.counts = counts;
    this.#drawTabs();
    this.see();
    this.emit("counts", counts);
  }

  #ring() {
    const { bell } = this.#ui;
    bell.classList.remove("ring");
    requestAnimationFrame(() => bell.classList.add("ring"));
    if (this.#news++) return;
    setTimeout(() => {
      this.tell(this.words.plural("new", this.#news));
      this.#news = 0;
    }, TOGETHER);
  }

  async #show() {
    const { panel, bell } = this.#ui;
    if (!this.isPage) {
      panel.hidden = false;
      panel.showPopover?.();
      bell.ariaExpanded = "true";
      this.#place();
      this.emit("open");
    }
    this.#list.load();
    const { client } = this;
    const known = this.#names ? null : await client.preferences().catch(() => null);
    if (!known || client !== this.client || !this.#ui) return;
    this.#names = Object.fromEntries(known.categories.map(({ code, name }) => [code, name]));
    this.#drawTabs();
  }

  #hide() {
    const { panel, bell } = this.#ui;
    if (this.isPage) return;
    if (panel.contains(this.active)) bell.focus();
    panel.hidePopover?.();
    panel.hidden = true;
    bell.ariaExpanded = "false";
    this.#turn(false);
    this.emit("close");
  }

  /** Beside the bell, wherever that is, and within the window. */
  #place() {
    if (this.isPage || !this.shown) return;
    const { panel, bell } = this.#ui;
    const { left, right, top, bottom } = bell.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const width = panel.offsetWidth;
    const below = clientHeight - bottom;
    const up = below < 320 && top > below;
    const start = getComputedStyle(this).direction === "rtl" ? left : right - width;
    panel.style.left = `${Math.max(8, Math.min(start, clientWidth - width - 8))}px`;
    panel.style.top = up ? "auto" : `${bottom + 8}px`;
    panel.style.bottom = up ? `${clientHeight - top + 8}px` : "auto";
    panel.style.maxHeight = `${(up ? top : below) - 20}px`;
  }

  #drawTabs() {
    const { tabs } = this.#ui;
    const { by_category = {} } = this.counts ?? {};
    const names = this.#names ?? {};
    const codes = [...new Set([...Object.keys(names), ...Object.keys(by_category)])];
    tabs.hidden = this.getAttribute("tabs") === "off" || codes.length < 2;
    for (const code of ["", ...codes]) {
      let tab = [...tabs.children].find(({ dataset }) => dataset.category === code);
      if (!tab) tabs.append((tab = button("", () => this.#filter({ category: code }), { part: "tab", "data-category": code })));
      const unread = code ? by_category[code]?.unread : this.counts?.unread;
      const label = h("span", { class: "hidden" }, ` ${this.words.say("unread")}`);
      tab.replaceChildren(code ? (names[code] ?? code) : this.words.say("all"), unread ? h("b", {}, capped(unread, this.counts), label) : "");
      tab.ariaPressed = `${this.#list.category === code}`;
    }
  }

  #filter(filter) {
    this.#seen = "";
    this.#list.filter(filter);
    this.#drawTabs();
  }

  #markAll(as) {
    const { newest: before, category } = this.#list;
    const filter = { ...(category && { category }), ...(as === "archived" && { status: "read" }) };
    if (before) this.work(() => this.client.mark(as, { filter, before }), `done_${as}`);
  }

  /** Turn to the preferences, or back to the list. */
  async #view(preferences) {
    this.#turn(preferences);
    const { back, gear, preferences: element } = this.#ui;
    (preferences ? back : gear).focus();
    if (!preferences) return;
    await this.work(async () => {
      const { drawPreferences } = await import("./notification-preferences.js");
      await drawPreferences(element, this);
    });
  }

  #turn(preferences) {
    const { back, title, tools, inbox, preferences: element } = this.#ui;
    back.hidden = element.hidden = !preferences;
    tools.hidden = inbox.hidden = preferences;
    title.textContent = this.words.say(preferences ? "preferences" : "title");
  }

  /** Announce what happened; show it for a while, too, if it can be undone, or should be seen (true). */
  tell(text, undo) {
    if (!this.#ui) return;
    const { notice, panel, status } = this.#ui;
    status.replaceChildren(h("p", {}, text));
    if (!undo) return;
    const away = () => {
      if (notice.contains(this.active)) panel.focus();
      notice.hidden = true;
    };
    const back = () => {
      away();
      this.work(undo);
    };
    notice.replaceChildren(text, undo === true ? "" : button(this.words.say("undo"), back));
    notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(away, NOTICE);
  }

  #tick() {
    for (const time of this.shadowRoot.querySelectorAll("time")) time.textContent = this.words.ago(time.dateTime);
  }
}

const capped = (count = 0, { cap = 99 } = {}) => (count >= cap ? `${cap}+` : `${count}`);

function isLocale(name) {
  try {
    return Intl.getCanonicalLocales(name).length;
  } catch {
    return false;
  }
}

function parsed(json = "{}") {
  try {
    return JSON.parse(json);
  } catch (error) {
    console.error("The labels of <notification-center> are not JSON:", error);
    return {};
  }
}

if (!customElements.get("notification-center")) customElements.define("notification-center", NotificationCenter);
