// @ts-check
// What somebody wants to hear of, by which channel and when; loaded when it is first opened.

import { h } from "./notification-dom.js";

/**
 * @typedef {{category: string, template: string, template_name: string, channel: string, cadence: string, cadences: string[],
 *   locked: boolean, source: string, reason: string}} Cell
 */

/** @param {HTMLElement} element @param {import("./notification-center.js").NotificationCenter} center */
export async function drawPreferences(element, center) {
  const { client, say, work } = center;
  const [matrix, settings] = await Promise.all([client.preferences(), client.settings()]);
  const cadence = new Map(matrix.cadences.map((/** @type {any} */ each) => [each.name, each.label]));
  const channel = new Map(matrix.channels.map((/** @type {any} */ each) => [each.name, each.label]));
  /** @type {Map<string, (cell: Cell) => void>} */
  const fields = new Map();
  const key = (/** @type {Cell} */ cell) => [cell.category, cell.template, cell.channel].join();

  /** @param {Cell} cell */
  const save = (cell, /** @type {string} */ wish) => work(async () => {
    const which = cell.template ? { template: cell.template } : { category: cell.category };
    try {
      show(await client.savePreferences([{ ...which, channel: cell.channel, cadence: wish || null }]));
    } catch (error) {
      show(matrix);
      throw error;
    }
  }, "saved");

  /** @param {any} answer */
  function show(answer) {
    Object.assign(matrix, answer);
    for (const cell of matrix.cells) fields.get(key(cell))?.(cell);
  }

  /** @param {Cell} first */
  function field(first) {
    const name = channel.get(first.channel) ?? first.channel;
    if (first.locked) {
      return h("div", { class: "field" }, name, h("b", { title: first.reason }, "🔒 ", cadence.get(first.cadence) ?? first.cadence), h("small", {}, first.reason));
    }
    const select = h("select", { "data-channel": first.channel, onchange: () => save(first, select.value) });
    fields.set(key(first), (cell) => {
      const own = cell.source === (cell.template ? "template" : "category");
      const options = cell.cadences.map((each) => h("option", { value: each }, cadence.get(each) ?? each));
      select.replaceChildren(h("option", { value: "" }, own ? say("default") : say("default_is", { name: cadence.get(cell.cadence) ?? cell.cadence })), ...options);
      select.value = own ? cell.cadence : "";
      select.title = cell.reason;
    });
    return h("label", { class: "field" }, name, select);
  }

  /** @param {any} category */
  function group(category) {
    const cells = matrix.cells.filter((/** @type {Cell} */ cell) => cell.category === category.code);
    const kinds = Map.groupBy(cells, (/** @type {Cell} */ cell) => cell.template);
    const fieldset = (/** @type {string} */ name, /** @type {Cell[]} */ own, /** @type {any[]} */ ...more) =>
      h("fieldset", {}, h("legend", {}, name), ...more.slice(0, 1), h("div", { class: "fields" }, ...own.map(field)), ...more.slice(1));
    const own = kinds.get("") ?? [];
    kinds.delete("");
    return fieldset(category.name, own, category.description && h("p", {}, category.description), kinds.size > 0 && h("details", {}, h("summary", {}, say("by_kind")),
      ...[...kinds.values()].map((/** @type {any} */ some) => fieldset(some[0].template_name, some))));
  }

  const change = (/** @type {object} */ values) => work(() => client.saveSettings(values), "saved");
  const choice = (/** @type {string} */ label, /** @type {string} */ name, /** @type {[string, string][]} */ options) => {
    const select = h("select", { name, onchange: () => change({ [name]: select.value }) },
      ...[["", say("default")], ...options].map(([value, text]) => h("option", { value }, text)));
    select.value = settings[name];
    return h("label", { class: "field" }, say(label), select);
  };
  const [from = "", to = ""] = (settings.quiet_hours.daily?.[0] ?? "").split("-");
  const time = (/** @type {string} */ name, /** @type {string} */ value) =>
    h("label", { class: "field" }, say(name), h("input", { type: "time", name, value }));
  const quiet = (/** @type {any} */ event) => {
    event.preventDefault();
    const data = new FormData(event.target);
    const window = data.get("from") && data.get("to") ? [`${data.get("from")}-${data.get("to")}`] : [];
    change({ quiet_hours: { ...settings.quiet_hours, daily: window } });
  };
  const zones = new Set([...Intl.supportedValuesOf("timeZone"), ...(settings.time_zone ? [settings.time_zone] : [])]);
  element.replaceChildren(
    ...matrix.categories.map(group),
    h("fieldset", {}, h("legend", {}, say("quiet_hours")), h("p", {}, say("quiet_hint")),
      h("form", { class: "fields", onsubmit: quiet }, time("from", from), time("to", to), h("button", {}, say("save")))),
    h("div", { class: "fields" },
      choice("time_zone", "time_zone", [...zones].map((zone) => [zone, zone.replaceAll("_", " ")])),
      choice("language", "locale", settings.locales.map((/** @type {any} */ each) => [each.name, each.label]))),
  );
  show(matrix);
}
