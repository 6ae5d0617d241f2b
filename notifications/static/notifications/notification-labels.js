// @ts-check
// What the component says, and how it tells times. Plural forms end as Intl.PluralRules selects: new_one, new_few, new_other.

export const LABELS = {
  "title": "Notifications",
  "bell_one": "Notifications, {count} new",
  "bell_other": "Notifications, {count} new",
  "new_one": "{count} new notification",
  "new_other": "{count} new notifications",
  "close": "Close",
  "back": "Back to notifications",
  "see_all": "See all notifications",
  "categories": "Categories",
  "all": "All",
  "show": "Show",
  "inbox": "Inbox",
  "unread": "Unread",
  "archived": "Archived",
  "snoozed": "Snoozed",
  "mark_all_read": "Mark all as read",
  "archive_read": "Archive all read",
  "load_more": "Load more",
  "loading": "Loading…",
  "empty": "You are all caught up.",
  "empty_unread": "Nothing unread.",
  "empty_archived": "Nothing archived.",
  "empty_snoozed": "Nothing snoozed.",
  "offline": "You are offline.",
  "error": "That did not work.",
  "retry": "Try again",
  "logged_out": "You are logged out.",
  "reload": "Reload the page",
  "undo": "Undo",
  "urgent": "Urgent",
  "high": "Important",
  "mark_read": "Mark as read",
  "mark_unread": "Mark as unread",
  "archive": "Archive",
  "unarchive": "Move to inbox",
  "snooze": "Snooze",
  "unsnooze": "End snooze",
  "snoozed_until": "Snoozed until {time}",
  "in_an_hour": "In an hour",
  "this_evening": "This evening",
  "tomorrow": "Tomorrow",
  "next_monday": "Next Monday",
  "own_time": "Own time",
  "more": "More",
  "why": "Why did I get this?",
  "delete": "Delete",
  "now": "just now",
  "done_read": "Marked as read",
  "done_unread": "Marked as unread",
  "done_archived": "Archived",
  "done_unarchived": "Moved to inbox",
  "done_snoozed": "Snoozed",
  "done_unsnoozed": "Snooze ended",
  "done_deleted": "Deleted",
  "done": "Done",
  "preferences": "Preferences",
  "default": "Default",
  "default_is": "Default ({name})",
  "by_kind": "By kind of notification",
  "quiet_hours": "Quiet hours",
  "quiet_hint": "In these hours, only what is urgent reaches you.",
  "from": "From",
  "to": "To",
  "save": "Save",
  "saved": "Saved",
  "time_zone": "Time zone",
  "language": "Language"
};

/** Seconds. */
const UNITS = /** @type {const} */ ([["day", 86_400], ["hour", 3_600], ["minute", 60]]);
const WEEK = 604_800;

export class Words {
  /** @param {string} lang @param {Record<string, string>} labels */
  constructor(lang, labels) {
    this.lang = lang;
    this.labels = { ...LABELS, ...labels };
  }

  say = (key, values = {}) => (this.labels[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);

  /** @param {number | string} count such as 3 or "99+" */
  plural = (key, count) => {
    const form = `${key}_${new Intl.PluralRules(this.lang).select(parseInt(`${count}`))}`;
    return this.say(form in this.labels ? form : `${key}_other`, { count });
  };

  /** A time by the reader's clock. */
  when = (instant) => {
    const date = new Date(instant);
    const near = Math.abs(+date - Date.now()) < WEEK * 900;
    return date.toLocaleString(this.lang, near ? { weekday: "short", hour: "numeric", minute: "2-digit" } : { dateStyle: "medium", timeStyle: "short" });
  };

  /** How long ago it was. */
  ago = (instant) => {
    const seconds = (Date.now() - Date.parse(instant)) / 1000;
    if (seconds > WEEK) return new Date(instant).toLocaleDateString(this.lang, { dateStyle: "medium" });
    const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? [];
    return unit ? new Intl.RelativeTimeFormat(this.lang, { numeric: "auto" }).format(-Math.floor(seconds / size), unit) : this.say("now");
  };
}
