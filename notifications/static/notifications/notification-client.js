// @ts-check
// Speaks with the inbox API, and tells subscribers what changes, in every tab. Needs no component.
// Its types are in notification-client.d.ts.

import { LiveUpdates } from "./notification-live.js";

const PATIENCE = 15_000;

/** An answer that is not 2xx, with its problem+json; status 0: there was none. */
export class NotificationError extends Error {
  name = "NotificationError";

  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
    this.code = problem.code || (status ? "" : "unreachable");
    this.retryAfter = retryAfter;
  }

  get loggedOut() {
    return this.status === 401 || this.status === 403;
  }
}

export class NotificationClient {
  #live;
  #etag = "";
  #counts;

  constructor({ api = "/api/notifications/", user = "", csrfToken = "", csrfCookie = "csrftoken" } = {}) {
    this.api = new URL(api.replace(/\/?$/, "/"), location.href).href;
    this.csrfToken = csrfToken;
    this.csrfCookie = csrfCookie;
    // Named for the person, too: on a shared computer nobody hears what is meant for somebody else.
    this.#live = new LiveUpdates(this, `notifications ${user} ${this.api}`);
  }

  /** Hear of every change, until the function that is returned is called. */
  subscribe(listener) {
    return this.#live.subscribe(listener);
  }

  /** Return a page, newest first; `cursor` is null on the last one. */
  async list(query = {}) {
    const given = Object.entries(query).filter(([, value]) => value);
    const { results, next } = await this.request(`?${new URLSearchParams(given)}`);
    return { results, cursor: next && new URL(next, this.api).searchParams.get("cursor") };
  }

  /** Return the very same object as before when the server says that nothing changed. */
  async counts() {
    const answer = await this.#fetch("counts/", "GET", undefined, this.#etag && { "If-None-Match": this.#etag });
    if (answer.status !== 304) {
      this.#etag = answer.headers.get("ETag") ?? "";
      this.#counts = await answer.json();
    }
    return this.#counts;
  }

  async update(id, change) {
    return this.#tell(await this.request(`${id}/`, "PATCH", change));
  }

  /** Mark some by id, or all that match, up to the sort_key `before`: of the newest that was shown. */
  async mark(as, which) {
    const answer = await this.request("mark/", "POST", { as, ...which });
    this.#live.share({ type: as === "seen" ? "counts" : "refresh", counts: answer.counts });
    return answer;
  }

  /** Hide for good. */
  async remove(id) {
    await this.request(`${id}/`, "DELETE");
    this.#live.share({ type: "removed", id });
    this.#recount();
  }

  async runAction(id, name) {
    return this.#tell(await this.request(`${id}/actions/${encodeURIComponent(name)}/`, "POST", {}));
  }

  why(id) {
    return this.request(`${id}/why/`);
  }

  preferences() {
    return this.request("preferences/");
  }

  savePreferences(changes) {
    return this.request("preferences/", "PATCH", { changes });
  }

  settings() {
    return this.request("settings/");
  }

  saveSettings(change) {
    return this.request("settings/", "PATCH", change);
  }

  /** Ask anything else of the API. */
  async request(path, method = "GET", body) {
    const answer = await this.#fetch(path, method, body);
    return answer.status === 204 ? null : answer.json();
  }

  #tell(item) {
    this.#live.share({ type: "item", item });
    this.#recount();
    return item;
  }

  /** Where nothing streams, nobody else tells the counts. */
  async #recount() {
    if (this.#live.streaming) return;
    const counts = await this.counts().catch(() => null);
    if (counts) this.#live.share({ type: "counts", counts });
  }

  async #fetch(path, method, body, headers) {
    const ask = (token) =>
      fetch(new URL(path, this.api), {
        method,
        body: body && JSON.stringify(body),
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token, ...headers },
        // Going back, browsers would show what they have kept.
        cache: headers ? "no-store" : "no-cache",
        // What is marked on the way out of the page arrives all the same.
        keepalive: method !== "GET",
        signal: AbortSignal.timeout(PATIENCE),
      }).catch((error) => {
        throw new NotificationError(0, { detail: error.message }, 0);
      });
    const cookie = document.cookie.match(`(?:^|; )${this.csrfCookie}=([^;]*)`)?.[1] ?? "";
    let answer = await ask(this.csrfToken || cookie);
    // Logging in again makes the page's token old; the cookie is always new.
    if (answer.status === 403 && method !== "GET" && this.csrfToken && cookie) answer = await ask(cookie);
    if (answer.ok || answer.status === 304) return answer;
    const problem = await answer.json().catch(() => ({}));
    const error = new NotificationError(answer.status, problem, Number(answer.headers.get("Retry-After")) || 0);
    if (error.loggedOut) this.#live.logOut();
    throw error;
  }
}
