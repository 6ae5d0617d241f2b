// @ts-check
// What the boxes of Select2, which Django's admin looks up rows with, leave out: their names, for screen readers.

/** Give each box the name of its label. */
function name() {
  for (const select of document.querySelectorAll("select.admin-autocomplete[id]")) {
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    const text = label?.textContent?.trim().replace(/[*:]+$/, "");
    const box = select.nextElementSibling;
    if (!text || !box?.classList.contains("select2")) continue;
    for (const part of box.querySelectorAll('[role="combobox"], [role="textbox"], [role="searchbox"]')) {
      part.setAttribute("aria-label", text);
    }
  }
}

// They come when they like: after the page, or with a new row of a form.
document.addEventListener("DOMContentLoaded", () => {
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
});
