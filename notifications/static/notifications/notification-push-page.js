// @ts-check
// Push on this device, on a page without the component.

import { NotificationClient } from "./notification-client.js";
import { Words } from "./notification-labels.js";
import { drawPush } from "./notification-push.js";

for (const place of document.querySelectorAll("[data-notification-push]")) {
  const { api, csrfToken, labels } = /** @type {HTMLElement} */ (place).dataset;
  const words = new Words(document.documentElement.lang, JSON.parse(labels));
  const status = document.querySelector("main [role=status]");
  const work = async (act) => {
    try {
      await act();
      status.textContent = "";
    } catch (error) {
      status.textContent = error.problem?.detail || words.say("error");
    }
  };
  work(() => drawPush(place, { client: new NotificationClient({ api, csrfToken }), words, work }));
}
