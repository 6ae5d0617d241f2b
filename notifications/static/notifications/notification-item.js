// @ts-check
// One item of the list: what it says, and what can be done with it.

import { h, iconButton, safeURL } from "./notification-dom.js";

/** @typedef {import("./notification-types.js").Item} Item */

/** When to be reminded, by the reader's clock. @param {Date} now @returns {[string, Date][]} */
export function snoozePresets(now) {
  const at = (/** @type {number} */ days, /** @type {number} */ hour) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  return [
    ["in_an_hour", new Date(+now + 3_600_000)],
    now.getHours() < 17 ? ["this_evening", at(0, 18)] : ["tomorrow", at(1, 9)],
    ...(now.getHours() < 17 ? [/** @type {[string, Date]} */ (["tomorrow", at(1, 9)])] : []),
    ["next_monday", at((8 - now.getDay()) % 7 || 7, 9)],
  ];
}

export class ItemView {
  #center;
  /** @type {"" | "snooze" | "more"} */
  #drawer = "";
  /** @type {any[]} */
  #why = [];

  /** @param {Item} item @param {import("./notification-center.js").NotificationCenter} center */
  constructor(item, center) {
    this.#center = center;
    this.item = item;
    this.element = h("li", { part: "item", tabindex: "-1", "data-id": item.id });
    this.draw(item);
  }

  /** Show the item as it is now; the focus stays on the control that has it. @param {Item} item */
  draw(item) {
    this.item = item;
    const { element } = this;
    const focused = element.contains(element.getRootNode().activeElement) && element.getRootNode().activeElement.dataset.tool;
    element.classList.toggle("unread", !item.read_at);
    element.replaceChildren(...this.#content(item));
    this.#center.renderItem?.(item, element);
    if (focused) (element.querySelector(`[data-tool="${focused}"]`) ?? element).focus();
  }

  /** @param {Item} item */
  #content(item) {
    const { say, ago, categoryName } = this.#center;
    const url = safeURL(item.action_url);
    const hot = { urgent: say("urgent"), high: say("high") }[/** @type {string} */ (item.priority)];
    const said = item.actions?.find((action) => action.run_at && action.result)?.result;
    const clicked = (/** @type {Event} */ event) => this.#center.clicked(item, event);
    const link = (/** @type {object} */ attributes, /** @type {string} */ text) =>
      url ? h("a", { href: url.href, rel: url.origin !== location.origin && "noopener noreferrer", onclick: clicked, ...attributes }, text) : text;
    return [
      h("p", { class: "title", part: "title" }, !item.read_at && h("span", { class: "hidden" }, say("is_unread"), " "), link({}, item.title)),
      item.body && h("p", { class: "body", part: "body" }, item.body),
      said && h("p", { class: "result" }, typeof said === "string" ? said : (said.text ?? said.detail ?? say("done"))),
      (item.action_text || item.actions?.length) && h("div", { class: "actions" },
        item.action_text && link({ class: "button", part: "action" }, item.action_text),
        ...(item.actions ?? []).map((action) => this.#action(action))),
      h("div", { class: "meta", part: "meta" },
        hot && h("span", { class: "hot" }, hot),
        h("span", {}, item.snoozed_until ? say("snoozed_until", { time: this.#center.when(item.snoozed_until) }) : ago(item.created_at)),
        item.category && h("span", {}, categoryName(item.category)),
        this.#tools(item)),
      this.#drawer && h("div", { class: "drawer", part: "drawer" }, ...(this.#drawer === "snooze" ? this.#snooze() : this.#more())),
    ].filter(Boolean);
  }

  /** @param {import("./notification-types.js").Action} action */
  #action({ name, text, run_at }) {
    const { client, work } = this.#center;
    const run = async () => {
      const item = await client.runAction(this.item.id, name);
      this.#center.emit("action", { item, name });
    };
    return h("button", { type: "button", part: "action", "data-tool": `run-${name}`, "aria-disabled": run_at && "true", onclick: () => run_at || work(run, "done") },
      run_at ? `✓ ${text}` : text);
  }

  /** @param {Item} item */
  #tools(item) {
    const { say } = this.#center;
    const tool = (/** @type {string} */ name, /** @type {string} */ label, /** @type {() => void} */ act, /** @type {object} */ more = {}) =>
      iconButton(name, say(label), act, { "data-tool": name, part: `tool ${name}`, ...more });
    const drawer = (/** @type {"snooze" | "more"} */ name) =>
      tool(name, name, () => this.#open(this.#drawer === name ? "" : name), { "aria-expanded": `${this.#drawer === name}` });
    const undo = item.read_at ? { archived: false } : { read: false };
    return h("div", { class: "tools", part: "tools" },
      ...(item.snoozed_until
        ? [tool("unsnooze", "unsnooze", () => this.#change({ snoozed_until: null }, "unsnoozed"))]
        : [
            item.read_at
              ? tool("unread", "mark_unread", () => this.#change({ read: false }, "unread"))
              : tool("read", "mark_read", () => this.#change({ read: true }, "read")),
            item.archived_at
              ? tool("unarchive", "unarchive", () => this.#change({ archived: false }, "unarchived"))
              : tool("archive", "archive", () => this.#change({ archived: true }, "archived", undo)),
            drawer("snooze"),
          ]),
      drawer("more"));
  }

  #snooze() {
    const { say, when } = this.#center;
    const until = (/** @type {Date} */ time) => this.#change({ snoozed_until: time.toISOString() }, "snoozed", { snoozed_until: null });
    const soon = new Date();
    const local = (/** @type {number} */ time) => new Date(time - soon.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    const own = h("input", { type: "datetime-local", name: "time", required: true, min: local(+soon + 60_000), max: local(+soon + 31_449_600_000), "aria-label": say("own_time") });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      until(new Date(own.value));
    };
    return [
      ...snoozePresets(soon).map(([label, time]) =>
        h("button", { type: "button", onclick: () => until(time) }, say(label), h("small", {}, when(time)))),
      h("form", { onsubmit: submit }, own, h("button", {}, say("snooze"))),
    ];
  }

  #more() {
    const { say, work, client } = this.#center;
    return [
      h("button", { type: "button", "data-tool": "why", onclick: () => work(async () => {
        this.#why = (await client.why(this.item.id)).lines;
        this.draw(this.item);
      }) }, say("why")),
      h("button", { type: "button", class: "danger", onclick: () => work(() => client.remove(this.item.id), "done_deleted") }, say("delete")),
      this.#why.length > 0 && h("ul", { class: "why", role: "list" }, ...this.#why.map((line) => h("li", {}, line.text))),
    ];
  }

  /** @param {typeof this.#drawer} drawer */
  #open(drawer) {
    this.#drawer = drawer;
    this.draw(this.item);
    this.element.querySelector(".drawer button")?.focus();
  }

  /** @param {any} change @param {string} done @param {any} [undo] */
  #change(change, done, undo) {
    const { client, work } = this.#center;
    const { id } = this.item;
    this.#drawer = "";
    work(() => client.update(id, change), `done_${done}`, undo && (() => client.update(id, undo)));
  }
}
