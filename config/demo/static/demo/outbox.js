// @ts-check
// Keeps the outbox fresh: reads the page again, and takes over the messages that are new.

import { localise } from "./times.js";

const POLL = 2000;
const box = /** @type {HTMLElement} */ (document.querySelector("[data-outbox]"));

async function refresh() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.pathname);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const messages = [...page.querySelectorAll("[data-outbox] > details")];
      const news = messages.filter((message) => !document.getElementById(message.id));
      if (news.length > 0) {
        document.getElementById("nothing-yet")?.remove();
        const adopted = news.map((message) => document.adoptNode(message));
        adopted.forEach(localise);
        box.prepend(...adopted);
      }
    } catch {
      // The shop is closed for a moment: ask again.
    }
  }
  setTimeout(refresh, POLL);
}

setTimeout(refresh, POLL);
