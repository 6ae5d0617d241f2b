// @ts-check
// The editor of wording: tabs, and a preview that follows what is written. Without it, the buttons open pages of their own.

const PAUSE = 350;

/** One wording: its fields, and how they look. */
class Wording {
  /** @param {HTMLElement} element @param {Editor} editor */
  constructor(element, editor) {
    this.element = element;
    this.editor = editor;
    this.name = element.dataset.wording ?? "";
    this.sent = "";
    this.asked = 0;
    this.timer = 0;
    for (const type of ["input", "change", "keyup", "paste", "cut", "drop"]) {
      element.addEventListener(type, () => this.soon());
    }
    element.addEventListener("click", (event) => this.#clicked(event));
  }

  /** @returns {HTMLElement} */
  get result() {
    return /** @type {HTMLElement} */ (this.element.querySelector("[data-result]"));
  }

  /** Ask after a pause in writing. */
  soon() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask("preview"), PAUSE);
  }

  /** @param {"preview" | "test"} act @param {boolean} [anew] */
  async ask(act, anew = false) {
    const body = this.editor.fields(this.name);
    const text = new URLSearchParams(/** @type {any} */ (body)).toString();
    if (act === "preview" && !anew && text === this.sent) return;
    this.sent = text;
    const number = ++this.asked;
    this.#busy(true);
    const shown = await this.editor.answer(act, body);
    if (number !== this.asked) return;
    this.#busy(false);
    this.#show(shown);
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const button = event.target instanceof Element ? event.target.closest("[data-act]") : null;
    if (!(button instanceof HTMLElement)) return;
    event.preventDefault();
    clearTimeout(this.timer);
    void this.ask(button.dataset.act === "test" ? "test" : "preview", true);
  }

  /** @param {boolean} is */
  #busy(is) {
    this.result.classList.toggle("is-stale", is);
    this.result.setAttribute("aria-busy", String(is));
    for (const mark of this.element.querySelectorAll("[data-busy]")) /** @type {HTMLElement} */ (mark).hidden = !is;
  }

  /** @param {Node[]} nodes */
  #show(nodes) {
    const chosen = this.result.querySelector(".look-choice input:checked")?.id;
    this.result.replaceChildren(...nodes);
    const again = chosen && document.getElementById(chosen);
    if (again instanceof HTMLInputElement) again.checked = true;
    this.#tell();
  }

  /** Say what is wrong at its field. */
  #tell() {
    for (const field of this.element.querySelectorAll("[data-field]")) {
      const place = field.querySelector("[data-problems]");
      if (!place) continue;
      const found = this.result.querySelectorAll(`.problems [data-field="${field.getAttribute("data-field")}"]`);
      const lines = [...found].map((one) => {
        const line = document.createElement("p");
        line.className = one.className;
        line.textContent = one.textContent;
        return line;
      });
      place.replaceChildren(...lines);
      field.classList.toggle("is-error", lines.some((line) => line.className.includes("is-error")));
      this.#mark(field, [...found]);
    }
  }

  /** @param {Element} field @param {Element[]} found */
  #mark(field, found) {
    const widget = /** @type {any} */ (field.querySelector(".django-ace-widget"));
    widget?.editor?.getSession().setAnnotations(
      found
        .filter((one) => one.getAttribute("data-line"))
        .map((one) => ({
          row: Number(one.getAttribute("data-line")) - 1,
          column: 0,
          text: one.textContent,
          type: one.getAttribute("data-severity"),
        })),
    );
  }
}

/** All wordings of a version, of which one is shown. */
class Editor {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.form = /** @type {HTMLFormElement} */ (element.closest("form"));
    /** @type {Map<string, Wording>} */
    this.wordings = new Map();
    element.classList.add("has-script");
    for (const one of element.querySelectorAll(".wording:not(.empty-form)")) this.#take(/** @type {HTMLElement} */ (one));
    this.tabs.addEventListener("click", (event) => this.#chosen(event));
    element.querySelector("[data-add]")?.addEventListener("click", (event) => this.#add(event));
    element.querySelector("[data-sample]")?.addEventListener("change", () => this.wordings.get(this.shown)?.soon());
    this.shown = "";
    const wanted = element.querySelector("[data-tabs] .has-errors")?.getAttribute("href") ?? location.hash;
    this.show(this.wordings.has(wanted.slice(1)) ? wanted.slice(1) : [...this.wordings.keys()][0]);
  }

  /** @returns {HTMLElement} */
  get tabs() {
    return /** @type {HTMLElement} */ (this.element.querySelector("[data-tabs]"));
  }

  /** @param {string | undefined} name */
  show(name) {
    if (!name) return;
    this.shown = name;
    for (const [key, one] of this.wordings) one.element.hidden = key !== name;
    for (const tab of this.tabs.querySelectorAll("a")) {
      if (tab.hash === `#${name}`) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
    for (const widget of this.element.querySelectorAll(`#${name} .django-ace-widget`)) {
      // Ace cannot measure what is hidden.
      /** @type {any} */ (widget).editor?.resize(true);
    }
    void this.wordings.get(name)?.ask("preview");
  }

  /** @param {string} name @returns {FormData} what is written in one wording */
  fields(name) {
    const chosen = new FormData();
    for (const [key, value] of new FormData(this.form)) {
      if (key.startsWith(`${name}-`) || key === "sample" || key === "csrfmiddlewaretoken") chosen.append(key, value);
    }
    chosen.set("content", name);
    chosen.set("fragment", "1");
    return chosen;
  }

  /** @param {"preview" | "test"} act @param {FormData} body @returns {Promise<Node[]>} */
  async answer(act, body) {
    try {
      const address = act === "test" ? this.element.dataset.test : this.element.dataset.preview;
      const response = await fetch(address ?? "", { method: "POST", body, redirect: "error" });
      const text = await response.text();
      if (response.ok) return [...new DOMParser().parseFromString(text, "text/html").body.childNodes];
      return [this.#sorry(response.status === 429 ? text : "")];
    } catch {
      return [this.#sorry("")];
    }
  }

  /** @param {string} text */
  #sorry(text) {
    const line = document.createElement("p");
    line.className = "test-result is-bad";
    line.textContent = text || this.element.dataset.failed || "";
    return line;
  }

  /** @param {HTMLElement} element */
  #take(element) {
    const one = new Wording(element, this);
    this.wordings.set(one.name, one);
    return one;
  }

  /** @param {Event} event */
  #chosen(event) {
    const tab = event.target instanceof Element ? event.target.closest("a") : null;
    if (!tab) return;
    event.preventDefault();
    history.replaceState(null, "", tab.hash);
    this.show(tab.hash.slice(1));
  }

  /** @param {Event} event */
  #add(event) {
    event.preventDefault();
    const blank = this.element.querySelector(".empty-form");
    const total = this.form.querySelector('input[name$="-TOTAL_FORMS"]');
    if (!(blank instanceof HTMLElement) || !(total instanceof HTMLInputElement)) return;
    const copy = /** @type {HTMLElement} */ (blank.cloneNode(true));
    for (const one of [copy, ...copy.querySelectorAll("*")]) {
      for (const attribute of one.attributes) attribute.value = attribute.value.replace("__prefix__", total.value);
    }
    copy.classList.remove("empty-form");
    blank.before(copy);
    const tab = document.createElement("a");
    tab.className = "n-button";
    tab.href = `#${copy.id}`;
    tab.textContent = copy.querySelector("h2")?.textContent ?? "";
    this.tabs.append(tab);
    total.value = String(Number(total.value) + 1);
    // django-ace waits for this.
    document.dispatchEvent(new CustomEvent("formset:added", { bubbles: true }));
    this.show(this.#take(copy).name);
    named(copy);
    /** @type {HTMLElement | null} */ (copy.querySelector("select, input:not([type=hidden])"))?.focus();
  }
}

/** Give the editors of source their names, and the Tab key back: it leads on, as everywhere. @param {ParentNode} within */
function named(within) {
  for (const widget of within.querySelectorAll(".wording-field .django-ace-widget")) {
    const ace = /** @type {any} */ (widget).editor;
    if (!ace) continue;
    const label = widget.closest("[data-field]")?.querySelector("label")?.textContent?.trim() ?? "";
    ace.textInput.getElement().setAttribute("aria-label", label);
    ace.commands.bindKey("Tab", null);
    ace.commands.bindKey("Shift-Tab", null);
  }
}

// After django-ace, which begins at `load`.
window.addEventListener("load", () => {
  for (const element of document.querySelectorAll("[data-wordings]")) new Editor(/** @type {HTMLElement} */ (element));
  named(document);
});
