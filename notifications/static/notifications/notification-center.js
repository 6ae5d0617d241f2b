// @ts-check
// <notification-center>: a bell with a badge and the inbox behind it, or the inbox alone as a page (mode="page").

import { NotificationClient } from "./notification-client.js";
import { Words } from "./notification-labels.js";
import { NotificationList } from "./notification-list.js";
import { NotificationPanel } from "./notification-panel.js";
import { styles } from "./notification-styles.js";

/** Milliseconds: how long news is collected, how often times are told anew. */
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
  /** Of categories, by code. */
  names;
  #panel;
  #list;
  #stop;
  #seen = "";
  #news = 0;

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
    // Somebody else's, or in another language.
    this.counts = this.names = undefined;
    this.#seen = "";
    this.#list = new NotificationList(this);
    this.#panel = new NotificationPanel(this, this.#list);
    this.#panel.draw();
    const on = (target, name, act) => target.addEventListener(name, act, { signal, passive: true });
    on(document, "visibilitychange", () => this.see());
    on(document, "pointerdown", (event) => event.composedPath().includes(this) || this.close());
    on(window, "resize", () => this.#panel.place());
    on(window, "scroll", () => this.#panel.place());
    const clock = setInterval(() => this.#tick(), TICK);
    const unsubscribe = this.client.subscribe((message) => this.#hear(message));
    signal.addEventListener("abort", () => {
      clearInterval(clock);
      unsubscribe();
      this.#list.close();
      this.#panel.close();
    });
    if (this.isPage || this.hasAttribute("open")) this.#show();
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || !this.#panel || before === after) return;
    if (name === "csrf-token") this.client.csrfToken = after;
    else if (name !== "open") this.#restart();
    else if (after === null) this.#hide();
    else if (before === null) {
      this.#show();
      this.#panel.element.focus();
    }
  }

  /** Do something, and say how it went. */
  work = async (act, done, undo) => {
    try {
      await act();
      if (done) this.tell(this.words.say(done), undo);
    } catch (error) {
      this.tell(error.status && error.problem.detail ? error.message : this.words.say("error"), true);
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

  /** @param {{status?: string, category?: string}} filter */
  filter(filter) {
    this.#seen = "";
    this.#list.filter(filter);
    this.#panel.draw();
  }

  /** Whether items are on the screen. */
  get shown() {
    return this.#panel.shown;
  }

  tell(text, undo) {
    this.#panel.tell(text, undo);
  }

  #restart() {
    if (!this.isConnected || !this.#panel) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  #hear({ type, item, fresh, id, state, counts }) {
    if (state) this.state = state;
    if (state) this.#list.describe();
    if (state === "logged-out") this.emit(state);
    if (fresh && this.emit("new", { item }, true)) this.#ring();
    if (item && this.shown) this.#list.take(item);
    if (type === "removed") this.#list.drop(id);
    if (type === "refresh" && this.shown) this.#list.load();
    if (!counts) return;
    this.counts = counts;
    this.#panel.draw();
    this.see();
    this.emit("counts", counts);
  }

  #ring() {
    this.#panel.ring();
    if (this.#news++) return;
    setTimeout(() => {
      this.tell(this.words.plural("new", this.#news));
      this.#news = 0;
    }, TOGETHER);
  }

  async #show() {
    if (!this.isPage) {
      this.#panel.show();
      this.emit("open");
    }
    this.#list.load();
    const { client } = this;
    const known = this.names ? null : await client.preferences().catch(() => null);
    if (!known || client !== this.client) return;
    this.names = Object.fromEntries(known.categories.map(({ code, name }) => [code, name]));
    this.#panel.draw();
  }

  #hide() {
    if (this.isPage) return;
    this.#panel.hide();
    this.emit("close");
  }

  #tick() {
    for (const time of this.shadowRoot.querySelectorAll("time")) time.textContent = this.words.ago(time.dateTime);
  }
}

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
