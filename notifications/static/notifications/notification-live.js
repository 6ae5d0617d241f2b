// @ts-check
// One stream for all tabs: the tab that holds the lock listens and tells the others. Polls where nothing can stream.

/** Seconds between looks at the counts while streaming (a lost frame is made good), and the longest wait. */
const MINUTE = 60;
/** Seconds a full server wants to be left alone. */
const FULL = 30;
/** The sort_key of the newest item, by name, for all clients of this page: news is news once. */
const newest = {};

export class LiveUpdates {
  #client;
  #name;
  #listeners = new Set();
  #stop = new AbortController();
  #channel;
  #source;
  #leading = false;
  #state = "connecting";
  #pollSeconds = 15;
  #attempts = 0;
  #pollTimer;
  #retryTimer;
  #known;
  #turn = 0;
  #doubt = false;

  constructor(client, name) {
    this.#client = client;
    this.#name = name;
  }

  get streaming() {
    return this.#state === "live";
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#open();
    else listener({ type: "state", state: this.#state });
    return () => {
      if (this.#listeners.delete(listener) && !this.#listeners.size) this.#close();
    };
  }

  /** Tell this tab and the others. */
  share(message) {
    this.#channel?.postMessage(message);
    this.#emit(message);
  }

  logOut() {
    this.#close();
    this.#enter("logged-out");
  }

  #open() {
    if (this.#state === "logged-out") return this.#enter(this.#state);
    const { signal } = (this.#stop = new AbortController());
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(window, "online", () => this.#return());
    on(window, "offline", () => this.#leave("offline"));
    on(document, "visibilitychange", () => this.#look());
    // A page kept for the back button must not keep the lock.
    on(window, "pagehide", () => {
      this.#close();
      window.addEventListener("pageshow", () => this.#listeners.size && this.#open(), { once: true });
    });
    this.#enter(navigator.onLine ? "connecting" : "offline");
    const lead = () => {
      this.#leading = true;
      this.#connect();
      return new Promise((resolve) => signal.addEventListener("abort", resolve));
    };
    if (navigator.locks && globalThis.BroadcastChannel) {
      this.#channel = new BroadcastChannel(this.#name);
      on(this.#channel, "message", ({ data }) => this.#hear(data));
      this.#channel.postMessage({ type: "hello" });
      navigator.locks.request(this.#name, { signal }, lead).catch(() => {});
    } else lead();
    this.#check();
  }

  #close() {
    this.#stop.abort();
    this.#turn++;
    this.#leading = false;
    this.#leave("connecting");
    clearTimeout(this.#pollTimer);
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** Hang up. */
  #leave(state) {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    this.#source = undefined;
    this.#enter(state);
  }

  async #connect() {
    // Without a lock every tab has its own stream, and a browser opens six at most: only those that are looked at.
    if (!this.#leading || this.#source || !navigator.onLine || (!this.#channel && document.hidden)) return;
    clearTimeout(this.#retryTimer);
    const { signal } = this.#stop;
    try {
      const { url, poll_seconds } = await this.#client.request("stream/token/", "POST", {});
      if (signal.aborted || this.#source) return;
      this.#pollSeconds = poll_seconds;
      if (url && globalThis.EventSource) this.#listen(new EventSource(new URL(url, this.#client.api)));
      else this.#enter("polling");
    } catch ({ status, retryAfter = 0 }) {
      if (signal.aborted) return;
      // 404: there is no stream here, and nothing to try again.
      if (status === 404) this.#enter("polling");
      else this.#retry(retryAfter);
    }
  }

  #listen(source) {
    this.#source = source;
    const on = (name, act) => source.addEventListener(name, ({ data }) => act(data && JSON.parse(data)));
    for (const type of ["item", "removed", "refresh"]) on(type, (message) => this.share({ ...message, type }));
    on("ready", () => {
      this.#attempts = 0;
      this.#enter("live");
      this.#check(true);
    });
    on("bye", ({ reason }) => (reason === "logged_out" ? this.logOut() : this.#retry(reason === "full" ? FULL : 0)));
    // The browser's own way to try again would use the old token; when it gives up, the server does not stream.
    on("error", () => this.#retry(source.readyState === EventSource.CLOSED ? MINUTE : 0));
  }

  /** Connect again later, later each time, and not every browser at once. @param {number} least seconds */
  #retry(least) {
    this.#leave("polling");
    const wait = Math.max(least, Math.min(MINUTE, 2 ** this.#attempts++));
    this.#retryTimer = setTimeout(() => this.#connect(), wait * (1 + Math.random() / 2) * 1000);
  }

  #return() {
    this.#attempts = 0;
    this.#enter("polling");
    this.#check();
    this.#connect();
  }

  #look() {
    if (!this.#channel && document.hidden) this.#leave("polling");
    if (document.hidden) return;
    this.#check();
    this.#connect();
  }

  /** Listen to another tab. */
  #hear(message) {
    const { type, state, pollSeconds } = message;
    if (type === "hello") this.#lead();
    else if (type !== "leader") this.#emit(message);
    else if (!this.#leading && navigator.onLine) {
      this.#pollSeconds = pollSeconds;
      this.#enter(state);
    }
  }

  /** Tell the other tabs who leads, and how it goes. */
  #lead() {
    if (this.#leading) this.#channel?.postMessage({ type: "leader", state: this.#state, pollSeconds: this.#pollSeconds });
  }

  #enter(state) {
    this.#state = state;
    this.#schedule();
    this.#lead();
    this.#emit({ type: "state", state });
  }

  #schedule(least = 0) {
    clearTimeout(this.#pollTimer);
    if (this.#stop.signal.aborted) return;
    const seconds = Math.max(least, this.streaming ? MINUTE : this.#pollSeconds);
    this.#pollTimer = setTimeout(() => {
      // While one streams it looks for all, else everybody who is looked at does.
      if (this.streaming ? this.#leading : !document.hidden) this.#check();
      else this.#schedule();
    }, seconds * 1000);
  }

  /** Look at the counts; if they changed, say what is new; if lists may be old (`doubt`), say that. */
  async #check(doubt = !this.streaming) {
    const turn = ++this.#turn;
    this.#doubt ||= doubt;
    let least = 0;
    try {
      const counts = await this.#client.counts();
      const changed = counts !== this.#known;
      const { results } = changed && counts.unseen ? await this.#client.list({ page_size: 10 }) : { results: [] };
      // Closed, or a later look is under way.
      if (turn !== this.#turn) return;
      this.#known = counts;
      this.#newest ??= results[0]?.sort_key ?? "";
      const tell = (message) => (this.#leading && this.streaming ? this.share(message) : this.#emit(message));
      for (const item of results.reverse()) if (item.sort_key > this.#newest) tell({ type: "item", item });
      tell({ type: this.#doubt || changed ? "refresh" : "counts", counts });
      this.#doubt = false;
    } catch ({ retryAfter = 0 }) {
      least = retryAfter;
    }
    if (turn === this.#turn) this.#schedule(least);
  }

  // Kept beyond this page: what comes while the next one loads is still news, and so is what came just before leaving.
  get #newest() {
    return newest[this.#name] ?? sessionStorage.getItem(this.#name);
  }

  set #newest(sortKey) {
    newest[this.#name] = sortKey;
    setTimeout(() => sessionStorage.setItem(this.#name, sortKey), 1000);
  }

  #emit(message) {
    if (message.type === "item") {
      const { sort_key, seen_at } = message.item;
      const newer = sort_key > (this.#newest ?? "");
      if (newer) this.#newest = sort_key;
      message = { ...message, fresh: newer && !seen_at };
    }
    for (const listener of [...this.#listeners]) listener(message);
  }
}
