// @ts-check
// One item of the list: what it says, and what can be done with it.

import { button, h, iconButton, safeURL } from "./notification-dom.js";

const HOUR = 3_600_000;

/** When to be reminded, by the reader's clock. @param {Date} now @returns {[string, Date][]} */
export function snoozePresets(now) {
  const at = (days, hour) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  /** @type {[string, Date][]} */
  const presets = [["in_an_hour", new Date(+now + HOUR)], ["this_evening", at(0, 18)], ["tomorrow", at(1, 9)], ["next_monday", at((8 - now.getDay()) % 7 || 7, 9)]];
  return presets.filter(([name, time]) => name !== "this_evening" || +time > +now + HOUR);
}

export class ItemView {
  #center;
  #drawer = "";
  #why = [];
  #drawn;

  constructor(item, center) {
    this.#center = center;
    this.element = h("li", { part: "item", tabindex: "-1", "data-id": item.id });
    this.draw(item);
  }

  /** Show the item as it is now. What did not change is left alone: somebody may be typing in it. */
  draw(item) {
    this.item = item;
    const text = JSON.stringify({ ...item, seen_at: null });
    if (text !== this.#drawn) this.#draw();
    this.#drawn = text;
  }

  /** The focus stays on the control that has it, or on the item. */
  #draw() {
    const { element, item } = this;
    const { active, renderItem } = this.#center;
    const name = (control) => control.dataset.tool?.replace(/^un/, "");
    const focused = element.contains(active) && active;
    element.className = `${item.read_at ? "" : "unread"} ${this.#drawer}`;
    element.replaceChildren(...this.#content(item).filter(Boolean));
    renderItem?.(item, element);
    if (focused) ([...element.querySelectorAll("[data-tool]")].find((tool) => name(tool) === name(focused)) ?? element).focus();
  }

  #content(item) {
    const { clicked, words: { say, ago, when } } = this.#center;
    const url = safeURL(item.action_url);
    const rel = url?.origin !== location.origin && "noopener noreferrer";
    const link = (attributes, text) => (url ? h("a", { href: url.href, rel, onclick: (event) => clicked(item, event), ...attributes }, text) : text);
    const hot = item.priority === "urgent" || item.priority === "high";
    const actions = item.actions ?? [];
    return [
      h("p", { class: "title", part: "title" }, !item.read_at && h("span", { class: "hidden" }, say("unread"), ": "), link({}, item.title)),
      item.body && h("p", { class: "body", part: "body" }, item.body),
      h("div", { class: "actions" }, url && item.action_text && link({ class: "button", part: "action" }, item.action_text), actions.map((action) => this.#action(action))),
      ...actions.map(({ run_at, result }) => run_at && h("p", { class: "body" }, result || say("done"))),
      h("div", { class: "meta", part: "meta" },
        hot && h("span", { class: "hot" }, say(item.priority)),
        item.snoozed_until ? h("span", {}, say("snoozed_until", { time: when(item.snoozed_until) })) : h("time", { datetime: item.created_at, title: when(item.created_at) }, ago(item.created_at)),
        this.#tools(item)),
      this.#drawer && h("div", { class: "drawer", part: "drawer" }, this.#drawer === "snooze" ? this.#snooze() : this.#more()),
    ];
  }

  #action({ name, text, run_at }) {
    const { client, emit, work } = this.#center;
    const run = async () => emit("action", { name, item: await client.runAction(this.item.id, name) });
    return button(run_at ? `✓ ${text}` : text, () => run_at || work(run, "done"), { part: "action", "data-tool": `run-${name}`, "aria-disabled": run_at && "true" });
  }

  #tools(item) {
    const tool = (name, label, act, more = {}) => iconButton(name, this.#center.words.say(label), act, { "data-tool": name, part: `tool ${name}`, ...more });
    const change = (name, label, wish, done, undo) => tool(name, label, () => this.#change(wish, done, undo));
    const drawer = (name) => tool(name, name, () => this.#open(this.#drawer === name ? "" : name), { "aria-expanded": `${this.#drawer === name}` });
    const tools = item.snoozed_until ? [change("snooze", "unsnooze", { snoozed_until: null }, "unsnoozed")] : [
      item.read_at ? change("unread", "mark_unread", { read: false }, "unread") : change("read", "mark_read", { read: true }, "read"),
      item.archived_at
        ? change("unarchive", "unarchive", { archived: false }, "unarchived")
        : change("archive", "archive", { archived: true }, "archived", item.read_at ? { archived: false } : { read: false }),
      drawer("snooze"),
    ];
    return h("div", { class: "tools", part: "tools" }, tools, drawer("more"));
  }

  #snooze() {
    const { say, when } = this.#center.words;
    const now = new Date();
    const until = (time) => this.#change({ snoozed_until: time.toISOString() }, "snoozed", { snoozed_until: null });
    const local = (hours) => new Date(+now + hours * HOUR - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    const own = h("input", { type: "datetime-local", required: true, min: local(0.1), max: local(8_759), "aria-label": say("own_time") });
    const onsubmit = (event) => {
      event.preventDefault();
      until(new Date(own.value));
    };
    return [
      snoozePresets(now).map(([label, time]) => button(h("span", {}, say(label), h("small", {}, when(time))), () => until(time))),
      h("form", { onsubmit }, own, h("button", {}, say("snooze"))),
    ];
  }

  #more() {
    const { client, work, words: { say } } = this.#center;
    const why = async () => {
      this.#why = (await client.why(this.item.id)).lines;
      this.#draw();
    };
    return [
      button(say("why"), () => work(why), { "data-tool": "why" }),
      button(say("delete"), () => work(() => client.remove(this.item.id), "done_deleted"), { class: "hot", "data-tool": "delete" }),
      this.#why.length > 0 && h("ul", { part: "why" }, this.#why.map(({ text }) => h("li", {}, text))),
    ];
  }

  #open(drawer) {
    this.#drawer = drawer;
    this.#draw();
    this.element.querySelector(".drawer button")?.focus();
  }

  #change(change, done, undo) {
    const { client, work } = this.#center;
    if (this.#drawer) this.#open("");
    work(() => client.update(this.item.id, change), `done_${done}`, undo && (() => client.update(this.item.id, undo)));
  }
}
