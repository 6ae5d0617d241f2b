/** What the inbox API says; for type checkers alone, no browser loads this file. */

export interface Action {
  name: string;
  text: string;
  run_at: string | null;
  result: any;
}

export interface Item {
  id: string;
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
  status?: "unread" | "read" | "archived" | "snoozed" | "";
  category?: string;
  template?: string;
  priority?: Item["priority"];
  about?: string;
  created_after?: string;
  created_before?: string;
}

export interface Change {
  read?: boolean;
  seen?: true;
  archived?: boolean;
  snoozed_until?: string | null;
}

export interface WhyLine {
  text: string;
  channel: string;
  state: string;
  reason: string;
  at: string | null;
  basis: string;
}

export type State = "connecting" | "live" | "polling" | "offline" | "logged-out";

/** What subscribers of NotificationClient hear. */
export type Message =
  | { type: "item"; item: Item; fresh: boolean; counts?: Counts }
  | { type: "removed"; id: string; counts?: Counts }
  | { type: "refresh"; counts?: Counts }
  | { type: "counts"; counts: Counts }
  | { type: "state"; state: State };
