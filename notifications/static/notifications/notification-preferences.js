// @ts-check
// What somebody wants to hear of, by which channel and how often; loaded when it is first opened.

import { h, icon } from "./notification-dom.js";

export async function drawPreferences(element, center) {
  const { client, words: { say }, work } = center;
  const [{ categories, channels, cadences, cells }, settings] = await Promise.all([client.preferences(), client.settings()]);
  const name = (all, wanted) => all.find((one) => one.name === wanted)?.label ?? wanted;
  const fields = new Map();
  let shown = cells;
  const key = ({ category, template, channel }) => [category, template, channel].join();
  const show = (all) => {
    shown = all;
    for (const cell of all) fields.get(key(cell))?.(cell);
  };

  const save = ({ category, template, channel }, cadence) => work(async () => {
    const answer = client.savePreferences([{ ...(template ? { template } : { category }), channel, cadence: cadence || null }]);
    // Refused, it shows again what holds.
    show((await answer.catch((error) => (show(shown), Promise.reject(error)))).cells);
  }, "saved", true);

  const field = (cell) => {
    const word = name(channels, cell.channel);
    const label = word.charAt(0).toLocaleUpperCase() + word.slice(1);
    if (cell.locked) return h("div", { class: "field" }, label, h("b", {}, icon("lock"), name(cadences, cell.cadence)), h("small", {}, cell.reason));
    const select = h("select", { "data-channel": cell.channel, onchange: () => save(cell, select.value) });
    fields.set(key(cell), ({ template, cadence, source, reason, cadences: allowed }) => {
      const own = source === (template ? "template" : "category");
      select.replaceChildren(
        h("option", { value: "" }, own ? say("default") : say("default_is", { name: name(cadences, cadence) })),
        ...allowed.map((value) => h("option", { value }, name(cadences, value))));
      select.value = own ? cadence : "";
      select.title = reason;
    });
    return h("label", { class: "field" }, label, select);
  };

  const group = (title, some, ...more) => h("fieldset", {}, h("legend", {}, title), more[0], h("div", { class: "fields" }, some.map(field)), more[1]);
  const matrix = categories.map(({ code, name: title, description }) => {
    const mine = cells.filter(({ category }) => category === code);
    const kinds = [...new Set(mine.map(({ template }) => template))].filter(Boolean).map((kind) => mine.filter(({ template }) => template === kind));
    return group(title, mine.filter(({ template }) => !template), description && h("p", {}, description),
      kinds.length > 0 && h("details", {}, h("summary", {}, say("by_kind")), kinds.map((kind) => group(kind[0].template_name, kind))));
  });

  const change = (values) => work(() => client.saveSettings(values), "saved", true);
  const choice = (label, setting, options) => {
    const select = h("select", { name: setting, onchange: () => change({ [setting]: select.value }) },
      [["", say("default")], ...options].map(([value, text]) => h("option", { value }, text)));
    select.value = settings[setting];
    return h("label", { class: "field" }, say(label), select);
  };
  const [from, to] = (settings.quiet_hours.daily?.[0] ?? "-").split("-");
  const time = (label, value) => h("label", { class: "field" }, say(label), h("input", { type: "time", name: label, value }));
  const onsubmit = (event) => {
    event.preventDefault();
    const hours = [...new FormData(event.target).values()];
    change({ quiet_hours: { ...settings.quiet_hours, daily: hours.every(Boolean) ? [hours.join("-")] : [] } });
  };
  const zones = new Set([settings.time_zone, ...Intl.supportedValuesOf("timeZone")].filter(Boolean));
  const push = h("div");
  if (channels.some((channel) => channel.name === "web_push"))
    await work(async () => (await import("./notification-push.js")).drawPush(push, center));
  element.replaceChildren(
    ...matrix, push,
    h("fieldset", {}, h("legend", {}, say("quiet_hours")), h("p", {}, say("quiet_hint")),
      h("form", { class: "fields", onsubmit }, time("from", from), time("to", to), h("button", {}, say("save")))),
    h("div", { class: "fields" },
      choice("time_zone", "time_zone", [...zones].map((zone) => [zone, zone.replaceAll("_", " ")])),
      choice("language", "locale", settings.locales.map((locale) => [locale.name, locale.label]))),
  );
  show(cells);
}
