"""The numbers on the bell. Each stops at `CAP`, so nobody waits for a large count: show "99+"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connection

from notifications.models import Category, Notification

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

CAP = 99

#: One probe of the index of unread items for each recipient and category; a total capped is the sum of its parts capped.
_SQL = """
SELECT r.{user_pk}, c.code,
  (SELECT COUNT(*) FROM (SELECT 1 FROM {items} n WHERE {unread} LIMIT {cap}) u),
  (SELECT COUNT(*) FROM (SELECT 1 FROM {items} n WHERE {unread} AND n.seen_at IS NULL LIMIT {cap}) s)
FROM {users} r CROSS JOIN {categories} c
WHERE r.{user_pk} IN ({places})
"""
_UNREAD = """
  n.recipient_id = r.{user_pk} AND n.category_id = c.code AND n.listed_at IS NOT NULL AND n.hidden_at IS NULL
  AND n.read_at IS NULL AND n.snoozed_until IS NULL
"""


def counts(recipient: Any) -> dict[str, Any]:
    """Return {"unseen": …, "unread": …, "cap": …, "by_category": {code: {"unseen": …, "unread": …}}} of a user."""
    return counts_of([recipient.pk])[recipient.pk]


def counts_of(recipients: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Return the same for many users at once, by primary key: one query, whatever the size of their inboxes."""
    wanted = list(dict.fromkeys(recipients))
    found: dict[Any, dict[str, Any]] = {pk: {"unseen": 0, "unread": 0, "cap": CAP, "by_category": {}} for pk in wanted}
    if not wanted:
        return found
    for pk, category, unread, unseen in _rows(wanted):
        if unread:
            total = found[pk]
            total["by_category"][category] = {"unseen": unseen, "unread": unread}
            total["unseen"] = min(total["unseen"] + unseen, CAP)
            total["unread"] = min(total["unread"] + unread, CAP)
    return found


def _rows(recipients: list[Any]) -> list[tuple[Any, str, int, int]]:
    key = get_user_model()._meta.pk
    names = {
        "user_pk": _quoted(key.column),
        "users": _table(get_user_model()),
        "categories": _table(Category),
        "items": _table(Notification),
        "places": ", ".join(["%s"] * len(recipients)),
        "cap": CAP,
    }
    sql = _SQL.format(**names, unread=_UNREAD.format(**names))
    with connection.cursor() as cursor:
        cursor.execute(sql, [key.get_db_prep_value(pk, connection) for pk in recipients])
        return [(key.to_python(pk), *rest) for pk, *rest in cursor.fetchall()]


def _table(model: type[Model]) -> str:
    return _quoted(model._meta.db_table)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
