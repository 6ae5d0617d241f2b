// @ts-check
// Shows push messages, and opens what they lead to. It is served below the API, so no page is in its scope: a worker that
// the site has itself goes on undisturbed.

/** @type {any} */
const worker = self;

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url));
});
worker.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

/** What cannot be read is shown all the same: browsers insist that something is. */
function read(data) {
  try {
    return data.json() ?? {};
  } catch {
    return {};
  }
}

/** The same tag again takes the place of the former one: it is the same message. */
function show({ title, body, tag, url, id }) {
  return worker.registration.showNotification(title || location.host, { body, tag, data: { url, id } });
}

/** To the page if it is open, else to a new window; no page that somebody is busy with is taken elsewhere. */
async function open(address) {
  const { href } = safeURL(address) ?? new URL("/", location.href);
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find(({ url }) => url === href);
  return there ? there.focus() : worker.clients.openWindow(href);
}

/** The browser has given up the subscription: register another, for whoever had this one and is still logged in. */
async function renew({ oldSubscription, newSubscription }) {
  const { results, vapid_public_key } = await ask("endpoints/");
  const former = oldSubscription && (await fingerprint(oldSubscription.endpoint));
  const own = results.find((one) => one.channel === "web_push" && (!former || one.fingerprint === former));
  if (!own || !vapid_public_key) return;
  const options = { userVisibleOnly: true, applicationServerKey: vapid_public_key };
  const address = newSubscription ?? (await worker.registration.pushManager.subscribe(options));
  await ask("endpoints/", "POST", { channel: "web_push", address, label: own.label });
  if (former) await ask(`endpoints/${own.id}/`, "DELETE");
}

/** Ask the API beside which this file is. */
async function ask(path, method = "GET", body) {
  const token = (await worker.cookieStore?.get("csrftoken"))?.value ?? "";
  const headers = { "Accept": "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
  const answer = await fetch(new URL(path, location.href), { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

/** As the API names an address: the SHA-256 of it. */
async function fingerprint(endpoint) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** As in notification-dom.js; a worker that imports needs a browser younger than all the rest here. */
function safeURL(address) {
  if (!address || /[\0-\x1f\\]|^\s|\s$/.test(address) || !URL.canParse(address, location.href)) return null;
  const url = new URL(address, location.href);
  const absolute = /^https?:\/\//i.test(address) && !url.username && !url.password;
  return absolute || (/^[/?#]/.test(address) && url.origin === location.origin) ? url : null;
}
