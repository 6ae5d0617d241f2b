// @ts-check
// Keeps the outbox fresh: reads the page again, and takes over the messages that are new.

const POLL = 2000;
const box = /** @type {HTMLElement} */ (document.querySelector("[data-outbox]"));

/** @param {ParentNode} page */
function localTimes(page) {
  page.querySelectorAll("time").forEach((time) => {
    time.textContent = new Date(time.dateTime).toLocaleTimeString();
  });
}

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
        adopted.forEach(localTimes);
        box.prepend(...adopted);
      }
    } catch {
      // The shop is closed for a moment: ask again.
    }
  }
  setTimeout(refresh, POLL);
}

localTimes(box);
setTimeout(refresh, POLL);
