// @ts-check
// Push on this device, turned on by a click and never asked for otherwise; loaded where preferences are shown.

import { button, h } from "./notification-dom.js";

/** Beside those of notification-labels.js. */
export const LABELS = {
  "push": "Push on this device",
  "push_hint": "New notifications are shown here, also when no page of this site is open.",
  "push_on": "Turn on push on this device",
  "push_off": "Turn off push on this device",
  "push_is_on": "Push is turned on.",
  "push_blocked": "This browser blocks notifications of this site. Allow them in its settings, then load the page again.",
  "push_missing": "This browser cannot show push messages. On an iPhone or iPad, add this site to the home screen first."
};

const policy = globalThis["trustedTypes"]?.createPolicy("notification-center", { createScriptURL: (url) => url });

/** Draw what there is to say and to press; nothing where the site has no key for push. */
export async function drawPush(element, { client, words, work }) {
  words.labels = { ...LABELS, ...words.labels };
  const { say } = words;
  const text = h("p", { class: "hint", role: "status", tabindex: "-1" });
  const press = button("", () => work(async () => {
    await (own ? turnOff(client) : turnOn(client));
    await draw();
    // What was pressed may be gone.
    if (press.hidden) text.focus();
  }));
  let own;

  const draw = async () => {
    const { results, vapid_public_key: key } = await client.request("endpoints/");
    if (!key) return;
    own = await ownOf(client, results);
    const state = !isPossible() ? "missing" : Notification.permission === "denied" ? "blocked" : own ? "is_on" : "hint";
    text.textContent = say(`push_${state}`);
    press.textContent = say(own ? "push_off" : "push_on");
    press.hidden = state === "missing" || state === "blocked";
    if (!element.firstChild) element.append(h("fieldset", {}, h("legend", {}, say("push")), text, press));
  };
  await draw();
}

/** Ask for permission and subscribe; of use only in answer to a click. Return whether it is on. */
export async function turnOn(client) {
  if ((await Notification.requestPermission()) !== "granted") return false;
  const { vapid_public_key: key } = await client.request("endpoints/");
  const address = workerOf(client);
  const { pushManager } = await activated(await navigator.serviceWorker.register(policy?.createScriptURL(address) ?? address));
  const former = await pushManager.getSubscription();
  const isOurs = former && textOf(former.options.applicationServerKey) === key;
  // Made for a key the site had before: nothing can be sent to it.
  if (former && !isOurs) await former.unsubscribe();
  const subscription = isOurs ? former : await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  const label = navigator["userAgentData"]?.platform ?? "";
  await client.request("endpoints/", "POST", { channel: "web_push", address: subscription, label });
  return true;
}

/** Forget this device, here and on the site; for a button that logs out, too. */
export async function turnOff(client) {
  const subscription = await subscriptionOf(client);
  const own = await ownOf(client, (await client.request("endpoints/")).results);
  if (own) await client.request(`endpoints/${own.id}/`, "DELETE");
  await subscription?.unsubscribe();
}

const isPossible = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const workerOf = ({ api }) => new URL("service-worker.js", api).href;

async function subscriptionOf(client) {
  const registration = isPossible() && (await navigator.serviceWorker.getRegistration(workerOf(client)));
  return registration ? registration.pushManager.getSubscription() : null;
}

/** This device among the addresses of whoever is logged in; undefined: it is not, or is somebody else's. */
async function ownOf(client, results) {
  const subscription = await subscriptionOf(client);
  if (!subscription) return undefined;
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(subscription.endpoint));
  const wanted = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return results.find(({ fingerprint, disabled_at }) => fingerprint === wanted && !disabled_at);
}

/** Nobody can subscribe before the worker is at work; `ready` would wait for one that has this page in its scope. */
async function activated(registration) {
  const worker = registration.installing ?? registration.waiting;
  while (worker && !["activated", "redundant"].includes(worker.state))
    await new Promise((next) => worker.addEventListener("statechange", next, { once: true }));
  return registration;
}

const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const textOf = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
