// @ts-check
/** Keeps the numbers of a broadcast fresh; without it there are a link and a button to do so. */

const SECONDS = 3;

/** @param {string} id @param {ParentNode} [page] */
const part = (id, page = document) => /** @type {HTMLElement | null} */ (page.querySelector(`#${id}`));

/** Fetch a page, and put its numbers in the place of ours. @param {string} url @param {RequestInit} [options] */
async function replace(url, options) {
  const response = await fetch(url, { credentials: "same-origin", ...options });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const [old, fresh] = [part("n-live"), part("n-live", page)];
  if (!response.ok || !old || !fresh) return false;
  // The buttons only when there are others: not under the fingers of who is about to press one.
  const [buttons, others] = [part("n-steer"), part("n-steer", page)];
  if (old.dataset.standing !== fresh.dataset.standing) {
    if (buttons && others) buttons.replaceWith(others);
    const said = part("n-said");
    if (said) said.textContent = part("n-standing", page)?.textContent ?? "";
  }
  old.replaceWith(fresh);
  return true;
}

async function step() {
  const live = part("n-live");
  const form = /** @type {HTMLFormElement | null} */ (live?.querySelector("form[data-again]"));
  let went = true;
  try {
    if (form) went = await replace(form.action, { method: "POST", body: new FormData(form) });
    else if (live?.dataset.refresh === undefined) return;
    else if (!document.hidden) went = await replace(location.href);
  } catch {
    went = false;
  }
  setTimeout(step, form && went ? 50 : SECONDS * 1000);
}

step();
