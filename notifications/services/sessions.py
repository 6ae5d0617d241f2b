"""Which sessions still stand: asked for all open streams at once, because nobody sends a request while one is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils.crypto import constant_time_compare

if TYPE_CHECKING:
    from datetime import datetime

#: Keys asked for in one statement.
CHUNK = 1000


def still_logged_in(owners: Mapping[str, str], *, now: datetime) -> set[str]:
    """
    Return the session keys that belong to their user yet, who is active, and whose password is the same.

    `owners`: session key → primary key of the user, as text. Two statements for a thousand sessions in the database;
    stores that know no sets (cache, file) are asked one by one. A signed cookie knows of no logout.
    """
    standing: set[str] = set()
    keys = list(owners)
    for start in range(0, len(keys), CHUNK):
        sessions = _load(keys[start : start + CHUNK], now)
        people = _people(owners[key] for key in sessions)
        for key, data in sessions.items():
            user = people.get(owners[key])
            if user is not None and str(data.get(SESSION_KEY)) == owners[key] and _is_unchanged(user, data):
                standing.add(key)
    return standing


def _load(keys: list[str], now: datetime) -> dict[str, dict[str, Any]]:
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if issubclass(store, DatabaseStore):
        rows = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=now)
        return {row.session_key: row.get_decoded() for row in rows}
    return {key: data for key in keys if (data := store(key).load())}


def _people(pks: Iterable[str]) -> dict[str, Any]:
    """Return the active users among these, by primary key as text."""
    users = get_user_model()._default_manager.in_bulk(set(pks))
    return {str(user.pk): user for user in users.values() if user.is_active}


def _is_unchanged(user: Any, data: dict[str, Any]) -> bool:
    """Compare as Django's `get_user` does; a key that was rotated lately counts, too."""
    known = data.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(known, one) for one in hashes)
