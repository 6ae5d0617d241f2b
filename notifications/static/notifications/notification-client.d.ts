/** Types of notification-client.js; for type checkers alone, no browser loads this file. */

export interface Action {
  name: string;
  text: string;
  run_at: string | null;
  result: any;
}

/** Instants are ISO 8601 in UTC. */
export interface Item {
  id: string;
  /** Compare as text; newer is greater. */
  sort_key: string;
  template: string;
  category: string;
  priority: "urgent" | "high" | "normal" | "low";
  title: string;
  body: string;
  action_url: string;
  action_text: string;
  actions: Action[];
  about: string;
  created_at: string;
  seen_at: string | null;
  read_at: string | null;
  archived_at: string | null;
  snoozed_until: string | null;
}

export interface Counts {
  unseen: number;
  unread: number;
  /** Numbers stop here: show "99+". */
  cap: number;
  by_category: Record<string, { unseen: number; unread: number }>;
}

export interface Filter {
  /** Left out: the inbox, which is neither archived nor snoozed. */
  status?: "unread" | "read" | "archived" | "snoozed" | "";
  category?: string;
  template?: string;
  priority?: Item["priority"];
  about?: string;
  created_after?: string;
  created_before?: string;
}

export type State = "connecting" | "live" | "polling" | "offline" | "logged-out";

/** What subscribers hear. */
export type Message =
  /** New or changed; fresh: it arrived just now, and nobody has seen it. */
  | { type: "item"; item: Item; fresh: boolean; counts?: Counts }
  | { type: "removed"; id: string; counts?: Counts }
  /** Much has changed, or may have: read lists again. */
  | { type: "refresh"; counts?: Counts }
  | { type: "counts"; counts: Counts }
  | { type: "state"; state: State };

export interface Cell {
  category: string;
  template: string;
  template_name: string;
  channel: string;
  cadence: string;
  cadences: string[];
  locked: boolean;
  source: "required" | "template" | "category" | "default";
  reason: string;
}

export interface Preferences {
  categories: { code: string; name: string; description: string; required: boolean }[];
  channels: { name: string; label: string }[];
  cadences: { name: string; label: string }[];
  cells: Cell[];
}

export interface Settings {
  time_zone: string;
  locale: string;
  quiet_hours: Record<string, string[]>;
  locales: { name: string; label: string }[];
}

/** An answer that is not 2xx, with its problem+json; status 0, code "unreachable": there was none. */
export class NotificationError extends Error {
  status: number;
  code: string;
  problem: { title?: string; detail?: string; code?: string; errors?: { pointer?: string; parameter?: string; detail: string; code: string }[] };
  /** Seconds. */
  retryAfter: number;
  get loggedOut(): boolean;
}

export class NotificationClient {
  constructor(options?: { api?: string; user?: string; csrfToken?: string; csrfCookie?: string });
  api: string;
  csrfToken: string;
  csrfCookie: string;
  /** The first subscriber opens the connection, the last one to leave closes it. Returns what ends it. */
  subscribe(listener: (message: Message) => void): () => void;
  /** A page, newest first; its `cursor` is null on the last one. */
  list(query?: Filter & { cursor?: string | null; page_size?: number }): Promise<{ results: Item[]; cursor: string | null }>;
  /** The very same object as before when the server says that nothing changed. */
  counts(): Promise<Counts>;
  update(id: string, change: { read?: boolean; seen?: true; archived?: boolean; snoozed_until?: string | null }): Promise<Item>;
  /** Mark some by id, or all that match up to the sort_key `before`: of the newest that was shown. */
  mark(
    as: "read" | "unread" | "seen" | "archived" | "unarchived",
    which: { ids: string[] } | { filter?: Filter; before: string },
  ): Promise<{ updated: number; counts: Counts }>;
  /** Hide an item for good. */
  remove(id: string): Promise<void>;
  runAction(id: string, name: string): Promise<Item>;
  why(id: string): Promise<{ lines: { text: string; channel: string; state: string; reason: string; at: string | null; basis: string }[] }>;
  preferences(): Promise<Preferences>;
  savePreferences(changes: { category?: string; template?: string; channel: string; cadence: string | null }[]): Promise<Preferences>;
  settings(): Promise<Settings>;
  saveSettings(change: { time_zone?: string; locale?: string; quiet_hours?: Record<string, string[]> }): Promise<Settings>;
  /** Ask anything else of the API. */
  request(path: string, method?: string, body?: object): Promise<any>;
}
