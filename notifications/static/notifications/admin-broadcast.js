// @ts-check
/** Keeps the numbers of a broadcast fresh; without it there are a link and a button to do so. */

const SECONDS = 3;

/** @returns {HTMLElement | null} */
const live = () => document.querySelector("#n-live");

/** Fetch a page, and put its numbers in the place of ours. @param {string} url @param {RequestInit} [options] */
async function replace(url, options) {
  const response = await fetch(url, { credentials: "same-origin", ...options });
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("#n-live");
  if (response.ok && fresh) live()?.replaceWith(document.adoptNode(fresh));
  return response.ok && fresh !== null;
}

async function step() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("#n-live form[data-again]"));
  const refreshes = live()?.dataset.refresh !== undefined;
  let went = true;
  try {
    if (form) went = await replace(form.action, { method: "POST", body: new FormData(form) });
    // Not under the fingers of who is about to press a button.
    else if (refreshes && !live()?.contains(document.activeElement)) went = await replace(location.href);
    else if (!refreshes) return;
  } catch {
    went = false;
  }
  setTimeout(step, form && went ? 50 : SECONDS * 1000);
}

step();
