// @ts-check
// One stream for all tabs: the tab that holds the lock listens, and tells the others. Polls where nothing can stream.

/** @typedef {import("./notification-client.js").Message} Message */

/** Seconds between looks at the counts while streaming: a frame that was lost is made good. */
const REPAIR = 60;
/** Seconds a server that is full wants to be left alone, and the longest wait for any. */
const PAUSE = 30;
const LONGEST = 60;

export class LiveUpdates {
  #client;
  #name;
  /** @type {Set<(message: Message) => void>} */
  #listeners = new Set();
  #stop = new AbortController();
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {EventSource | undefined} */
  #source;
  #leading = false;
  /** @type {"connecting" | "live" | "polling" | "offline" | "logged-out"} */
  #state = "connecting";
  #pollSeconds = 15;
  #attempts = 0;
  #pollTimer = 0;
  #retryTimer = 0;

  /** @param {import("./notification-client.js").NotificationClient} client @param {string} name of lock and channel */
  constructor(client, name) {
    this.#client = client;
    this.#name = name;
  }

  get streaming() {
    return this.#state === "live";
  }

  /** @param {(message: Message) => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#open();
    else listener({ type: "state", state: this.#state });
    return () => {
      if (this.#listeners.delete(listener) && !this.#listeners.size) this.#close();
    };
  }

  /** Tell this tab and the others. @param {any} message */
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
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    /** @type {(target: EventTarget, name: string, act: (event: any) => void) => void} */
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(window, "online", () => this.#online());
    on(window, "offline", () => this.#offline());
    on(document, "visibilitychange", () => this.#look());
    // A page kept for the back button must not keep the lock.
    on(window, "pagehide", (event) => event.persisted && this.#close());
    window.addEventListener("pageshow", (event) => event.persisted && this.#listeners.size && this.#open(), { once: true });
    this.#enter(navigator.onLine ? "connecting" : "offline");
    if (navigator.locks && globalThis.BroadcastChannel) {
      this.#channel = new BroadcastChannel(this.#name);
      on(this.#channel, "message", (event) => this.#hear(event.data));
      this.#channel.postMessage({ type: "hello" });
      const lead = () => new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
        this.#lead();
      });
      navigator.locks.request(this.#name, { signal }, lead).catch(() => {});
    } else this.#lead();
    this.#check();
  }

  #close() {
    this.#stop.abort();
    this.#leading = false;
    this.#hangUp();
    this.#channel?.close();
    this.#channel = undefined;
    clearTimeout(this.#pollTimer);
    if (this.#state !== "logged-out") this.#state = "connecting";
  }

  #lead() {
    this.#leading = true;
    this.#connect();
  }

  #hangUp() {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    this.#source = undefined;
  }

  async #connect() {
    this.#hangUp();
    // Without a lock every tab has its own stream, and a browser opens six at most: only those that are looked at.
    if (!this.#leading || !navigator.onLine || (!this.#channel && document.hidden)) return;
    const { signal } = this.#stop;
    let token;
    try {
      token = await this.#client.request("stream/token/", "POST", {});
    } catch (error) {
      const { status, retryAfter } = /** @type {any} */ (error);
      if (signal.aborted) return;
      // There is no such thing here: nothing to try again.
      if (status === 404 || status === 405) this.#enter("polling");
      else this.#reconnect(retryAfter);
      return;
    }
    if (signal.aborted || this.#source) return;
    this.#pollSeconds = token.poll_seconds || this.#pollSeconds;
    if (!token.url || !globalThis.EventSource) return this.#enter("polling");
    this.#listen(new EventSource(new URL(token.url, this.#client.api)));
  }

  /** @param {EventSource} source */
  #listen(source) {
    this.#source = source;
    for (const type of ["item", "removed", "refresh"]) {
      source.addEventListener(type, (event) => this.share({ ...JSON.parse(event.data), type }));
    }
    source.addEventListener("ready", () => {
      this.#attempts = 0;
      this.#enter("live");
      this.#check(true);
    });
    source.addEventListener("bye", (event) => {
      const { reason } = JSON.parse(event.data);
      if (reason === "logged_out") this.logOut();
      else this.#reconnect(reason === "full" ? PAUSE : 0);
    });
    // Its own way to try again would use the old token.
    source.addEventListener("error", () => this.#reconnect(source.readyState === EventSource.CLOSED ? LONGEST : 0));
  }

  /** Try again later, later each time, and not all at once. @param {number} least seconds */
  #reconnect(least) {
    this.#hangUp();
    this.#enter("polling");
    const wait = Math.max(least, Math.min(LONGEST, 2 ** this.#attempts++));
    this.#retryTimer = setTimeout(() => this.#connect(), wait * (1 + Math.random() / 2) * 1000);
  }

  #online() {
    this.#attempts = 0;
    this.#enter("polling");
    this.#check(true);
    this.#connect();
  }

  #offline() {
    this.#hangUp();
    this.#enter("offline");
  }

  #look() {
    if (!document.hidden) this.#check();
    if (!this.#channel && this.#leading) document.hidden ? this.#hangUp() : this.#connect();
  }

  /** @param {any} message of another tab */
  #hear(message) {
    if (message.type === "hello") {
      if (this.#leading) this.#channel?.postMessage({ type: "leader", state: this.#state, pollSeconds: this.#pollSeconds });
    } else if (message.type !== "leader") this.#emit(message);
    else if (!this.#leading && navigator.onLine) {
      this.#pollSeconds = message.pollSeconds;
      this.#enter(message.state);
    }
  }

  /** @param {typeof this.#state} state */
  #enter(state) {
    this.#state = state;
    this.#schedule();
    this.#emit({ type: "state", state });
    if (this.#leading) this.#hear({ type: "hello" });
  }

  #schedule(least = 0) {
    clearTimeout(this.#pollTimer);
    if (this.#stop.signal.aborted) return;
    const seconds = Math.max(least, this.streaming ? REPAIR : this.#pollSeconds);
    this.#pollTimer = setTimeout(() => {
      // While one streams, it looks for all; else everybody who is looked at does.
      if (this.streaming ? this.#leading : !document.hidden) this.#check();
      else this.#schedule();
    }, seconds * 1000);
  }

  /** Look at the counts; if they changed, or something else might have, say what is new and that lists are old. */
  async #check(doubt = !this.streaming) {
    const { signal } = this.#stop;
    const tell = (/** @type {any} */ message) => (this.streaming && this.#leading ? this.share(message) : this.#emit(message));
    let least = 0;
    try {
      const known = this.#known;
      const counts = (this.#known = await this.#client.counts());
      if (counts !== known && counts.unseen) {
        const { results } = await this.#client.list({ page_size: 10 });
        if (signal.aborted) return;
        if (this.#newest === null) this.#newest = results[0]?.sort_key ?? "";
        const { newest } = { newest: this.#newest };
        results.filter((item) => item.sort_key > newest && !item.seen_at).reverse().forEach((item) => tell({ type: "item", item }));
      }
      if (signal.aborted) return;
      this.#newest ??= "";
      tell({ type: doubt || counts !== known ? "refresh" : "counts", counts });
    } catch (error) {
      least = /** @type {any} */ (error).retryAfter;
    }
    if (!signal.aborted) this.#schedule(least);
  }

  /** @type {any} */
  #known;

  // Beyond this page: what came while the next one loaded is still news.
  get #newest() {
    try {
      return sessionStorage.getItem(this.#name);
    } catch {
      return this.#memory;
    }
  }

  set #newest(value) {
    this.#memory = value;
    try {
      sessionStorage.setItem(this.#name, value ?? "");
    } catch {
      // Storage is refused: this page's memory has to do.
    }
  }

  /** @type {string | null} */
  #memory = null;

  /** @param {any} message */
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
