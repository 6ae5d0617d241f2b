"""The words people read in the notification center: its own, and names that staff or shipped files gave."""

from __future__ import annotations

import json

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

#: The keys and the English of static/notifications/notification-labels.js, and of notification-push.js.
LABELS = {
    "title": _("Notifications"),
    "bell_one": _("Notifications, {count} new"),
    "bell_other": _("Notifications, {count} new"),
    "new_one": _("{count} new notification"),
    "new_other": _("{count} new notifications"),
    "close": _("Close"),
    "back": _("Back to notifications"),
    "see_all": _("See all notifications"),
    "categories": _("Categories"),
    "all": _("All"),
    "show": _("Show"),
    "inbox": _("Inbox"),
    "unread": _("Unread"),
    "archived": _("Archived"),
    "snoozed": _("Snoozed"),
    "mark_all_read": _("Mark all as read"),
    "archive_read": _("Archive all read"),
    "load_more": _("Load more"),
    "loading": _("Loading…"),
    "empty": _("You are all caught up."),
    "empty_unread": _("Nothing unread."),
    "empty_archived": _("Nothing archived."),
    "empty_snoozed": _("Nothing snoozed."),
    "offline": _("You are offline."),
    "error": _("That did not work."),
    "retry": _("Try again"),
    "logged_out": _("You are logged out."),
    "reload": _("Reload the page"),
    "undo": _("Undo"),
    "urgent": _("Urgent"),
    "high": _("Important"),
    "mark_read": _("Mark as read"),
    "mark_unread": _("Mark as unread"),
    "archive": _("Archive"),
    "unarchive": _("Move to inbox"),
    "snooze": _("Snooze"),
    "unsnooze": _("End snooze"),
    "snoozed_until": _("Snoozed until {time}"),
    "in_an_hour": _("In an hour"),
    "this_evening": _("This evening"),
    "tomorrow": _("Tomorrow"),
    "next_monday": _("Next Monday"),
    "own_time": _("Own time"),
    "more": _("More"),
    "why": _("Why did I get this?"),
    "delete": _("Delete"),
    "now": _("just now"),
    "done_read": _("Marked as read"),
    "done_unread": _("Marked as unread"),
    "done_archived": _("Archived"),
    "done_unarchived": _("Moved to inbox"),
    "done_snoozed": _("Snoozed"),
    "done_unsnoozed": _("Snooze ended"),
    "done_deleted": _("Deleted"),
    "done": _("Done"),
    "preferences": _("Preferences"),
    "default": _("Default"),
    "default_is": _("Default ({name})"),
    "by_kind": _("By kind of notification"),
    "quiet_hours": _("Quiet hours"),
    "quiet_hint": _("In these hours, only what is urgent reaches you."),
    "from": _("From"),
    "to": _("To"),
    "save": _("Save"),
    "saved": _("Saved"),
    "time_zone": _("Time zone"),
    "language": _("Language"),
    "push": _("Push on this device"),
    "push_hint": _("New notifications are shown here, also when no page of this site is open."),
    "push_on": _("Turn on push on this device"),
    "push_off": _("Turn off push on this device"),
    "push_is_on": _("Push is turned on."),
    "push_blocked": _(
        "This browser blocks notifications of this site. Allow them in its settings, then load the page again."
    ),
    "push_missing": _(
        "This browser cannot show push messages. On an iPhone or iPad, add this site to the home screen first."
    ),
}


def for_scripts() -> str:
    """Return the words in the active language as JSON; empty for English, which the scripts have themselves."""
    if (get_language() or "en").partition("-")[0] == "en":
        return ""
    return json.dumps({key: str(text) for key, text in LABELS.items()}, ensure_ascii=False)


def translated(name: str) -> str:
    """Return a name that staff or a shipped file gave, in the reader's language if there is a translation."""
    # The translation of nothing is the catalogue's header.
    return gettext(name) if name else ""
