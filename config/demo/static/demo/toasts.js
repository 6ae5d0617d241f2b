// @ts-check
// Shows a note for what is new while the inbox is closed; pressing it opens the inbox.

const MOST = 3;
const STAY = 6000;
const toasts = /** @type {HTMLElement} */ (document.querySelector(".toasts"));

document.addEventListener("notification-center:new", (event) => {
  const center = /** @type {any} */ (event.target);
  const { item } = /** @type {CustomEvent} */ (event).detail;
  if (center.hasAttribute("open")) return;
  const toast = document.createElement("button");
  toast.type = "button";
  toast.className = "toast";
  const title = document.createElement("strong");
  title.textContent = item.title;
  toast.append(title, item.body);
  toast.addEventListener("click", () => center.open());
  toasts.append(toast);
  while (toasts.childElementCount > MOST) toasts.firstElementChild?.remove();
  setTimeout(() => toast.remove(), STAY);
});

document.addEventListener("notification-center:open", () => toasts.replaceChildren());
