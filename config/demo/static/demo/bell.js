// @ts-check
// The bell of the demo: asks for the counts every second while somebody looks, shows and marks the newest items.

/** @typedef {{id: string, sort_key: string, title: string, body: string, action_url: string, created_at: string, read_at: string | null}} Item */

const POLL = 1000;
const PATIENCE = 5000;
const PAGE_SIZE = 20;
const MAX_TOASTS = 3;
const TOAST_TIME = 6000;
const UNITS = /** @type {const} */ ([["day", 86400], ["hour", 3600], ["minute", 60]]);
const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

class Bell {
  #root;
  #button;
  #badge;
  #panel;
  #list;
  #markAll;
  #seen;
  #counts = "";
  /** @type {Item[]} */
  #items = [];
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #timer = 0;
  #asking = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
    this.#root = root;
    this.#button = find(".bell-button");
    this.#badge = find(".badge");
    this.#panel = find(".panel");
    this.#list = find("ol");
    this.#markAll = /** @type {HTMLButtonElement} */ (find("[data-mark-all]"));
    // Beyond this page: an order's answer reloads it, and what came meanwhile is still news.
    this.#seen = `bell-${root.dataset.user}`;

    this.#button.addEventListener("click", () => this.#open(this.#panel.hidden));
    this.#markAll.addEventListener("click", () => this.#markAllRead());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#panel.hidden) return;
      this.#open(false);
      this.#button.focus();
    });
    document.addEventListener("click", (event) => {
      if (!event.composedPath().includes(root)) this.#open(false);
    });
    document.addEventListener("visibilitychange", () => this.#poll());
    this.#poll();
  }

  async #poll() {
    clearTimeout(this.#timer);
    if (document.hidden || this.#asking) return;
    this.#asking = true;
    try {
      const counts = await this.#ask("counts/");
      await this.#show(counts);
    } catch (error) {
      if (error instanceof LoggedOut) return;
    } finally {
      this.#asking = false;
    }
    this.#timer = setTimeout(() => this.#poll(), POLL);
  }

  /** @param {{unread: number, cap: number}} counts */
  async #show(counts) {
    const now = JSON.stringify(counts);
    if (now === this.#counts) return;
    const page = await this.#ask(`?page_size=${PAGE_SIZE}`);
    this.#counts = now;
    this.#items = page.results;
    const { unread, cap } = counts;
    this.#badge.hidden = unread === 0;
    this.#badge.textContent = unread >= cap ? `${cap}+` : `${unread}`;
    this.#button.setAttribute("aria-label", unread ? `Notifications, ${this.#badge.textContent} unread` : "Notifications");
    this.#markAll.disabled = unread === 0;
    this.#announce();
    this.#render();
  }

  #announce() {
    const newest = this.#items[0]?.sort_key ?? "";
    const seen = sessionStorage.getItem(this.#seen);
    sessionStorage.setItem(this.#seen, newest > (seen ?? "") ? newest : seen ?? "");
    if (seen === null) return;
    const news = this.#items.filter((item) => item.sort_key > seen && !item.read_at);
    if (news.length === 0) return;
    this.#button.classList.add("ringing");
    this.#button.addEventListener("animationend", () => this.#button.classList.remove("ringing"), { once: true });
    if (this.#panel.hidden) news.slice(0, MAX_TOASTS).reverse().forEach((item) => this.#toast(item));
  }

  /** @param {Item} item */
  #toast(item) {
    const toast = document.createElement("a");
    toast.className = "toast";
    const title = document.createElement("strong");
    title.textContent = item.title;
    const body = document.createElement("span");
    body.textContent = item.body;
    toast.append(title, body);
    this.#lead(toast, item);
    document.querySelector(".toasts")?.append(toast);
    setTimeout(() => toast.remove(), TOAST_TIME);
  }

  /** @param {boolean} open */
  #open(open) {
    this.#panel.hidden = !open;
    this.#button.setAttribute("aria-expanded", `${open}`);
    if (!open) return;
    document.querySelector(".toasts")?.replaceChildren();
    this.#render();
  }

  #render() {
    if (this.#panel.hidden) return;
    const empty = /** @type {HTMLElement} */ (this.#root.querySelector("[data-empty]"));
    empty.hidden = this.#items.length > 0;
    // Rows stay where they are: a moved one would lose the focus, and a screen reader would read all of them again.
    const news = this.#items.filter((item) => !this.#rows.has(item.id));
    for (const item of news) this.#rows.set(item.id, this.#row(item));
    this.#list.prepend(...news.map((item) => /** @type {HTMLElement} */ (this.#rows.get(item.id))));
    for (const item of this.#items) this.#refresh(/** @type {HTMLElement} */ (this.#rows.get(item.id)), item);
  }

  /** @param {Item} item */
  #row(item) {
    const template = /** @type {HTMLTemplateElement} */ (this.#root.querySelector("template"));
    const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (row.querySelector(selector));
    find("strong").textContent = item.title;
    find("[data-body]").textContent = item.body;
    find("time").setAttribute("datetime", item.created_at);
    find("[data-toggle]").addEventListener("click", () => this.#mark(item, row.classList.contains("unread")));
    this.#lead(/** @type {HTMLAnchorElement} */ (find("a")), item);
    return row;
  }

  /**
   * Show what changes about an item.
   * @param {HTMLElement} row
   * @param {Item} item
   */
  #refresh(row, item) {
    const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (row.querySelector(selector));
    row.classList.toggle("unread", !item.read_at);
    find("time").textContent = since(item.created_at);
    find("[data-toggle]").textContent = item.read_at ? "Mark as unread" : "Mark as read";
  }

  /**
   * Make a link lead where the item leads, and mark the item on the way.
   * @param {HTMLAnchorElement} link
   * @param {Item} item
   */
  #lead(link, item) {
    const target = new URL(item.action_url || "#", location.href);
    if (!item.action_url || !["http:", "https:"].includes(target.protocol)) return;
    link.href = target.href;
    link.addEventListener("click", () => this.#mark(item, true));
  }

  /**
   * @param {Item} item
   * @param {boolean} read
   */
  async #mark(item, read) {
    const changed = await this.#ask(`${item.id}/`, "PATCH", { read });
    this.#items = this.#items.map((other) => (other.id === item.id ? changed : other));
    this.#render();
    await this.#poll();
  }

  async #markAllRead() {
    if (this.#items.length === 0) return;
    const { counts } = await this.#ask("mark/", "POST", { as: "read", before: this.#items[0].sort_key });
    await this.#show(counts);
  }

  /**
   * @param {string} path
   * @param {string} method
   * @param {object} [body]
   */
  async #ask(path, method = "GET", body) {
    const answer = await fetch(`${this.#root.dataset.api}${path}`, {
      method,
      body: body && JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.#root.dataset.csrf ?? "" },
      keepalive: method !== "GET",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.status === 401 || answer.status === 403) throw new LoggedOut();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.json();
  }
}

class LoggedOut extends Error {}

/** @param {string} instant */
function since(instant) {
  const seconds = (Date.parse(instant) - Date.now()) / 1000;
  for (const [unit, length] of UNITS) {
    if (-seconds >= length) return ago.format(Math.round(seconds / length), unit);
  }
  return "just now";
}

document.querySelectorAll("[data-bell]").forEach((root) => new Bell(/** @type {HTMLElement} */ (root)));
