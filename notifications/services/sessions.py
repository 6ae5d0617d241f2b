"""Which sessions still stand: asked for all open streams at once, because nobody sends a request while one is open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Whoever holds this session's key was this user, by primary key as text."""

    session_key: str
    user: str


def still_standing(logins: Iterable[Login], *, now: datetime) -> set[Login]:
    """
    Return the logins of which the session is there yet and that user's, who is active with the same password.

    Two statements for a thousand sessions in the database; stores that know no sets (cache, file) are asked one by one.
    A signed cookie knows of no logout.
    """
    standing: set[Login] = set()
    asked = list(logins)
    for start in range(0, len(asked), CHUNK):
        some = asked[start : start + CHUNK]
        sessions = _load({login.session_key for login in some}, now)
        people = _people({login.user for login in some})
        standing |= {
            login
            for login in some
            if login.session_key in sessions
            and login.user in people
            and _is_of(people[login.user], sessions[login.session_key])
        }
    return standing


def _load(keys: Iterable[str], now: datetime) -> dict[str, dict[str, Any]]:
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if issubclass(store, DatabaseStore):
        rows = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=now)
        return {row.session_key: row.get_decoded() for row in rows}
    return {key: store(key).load() for key in keys}


def _people(pks: Iterable[str]) -> dict[str, Any]:
    """Return the active users among these, by primary key as text."""
    users = get_user_model()._default_manager.in_bulk(list(pks))
    return {str(user.pk): user for user in users.values() if user.is_active}


def _is_of(user: Any, session: dict[str, Any]) -> bool:
    """Compare as Django's `get_user` does; a secret key that was rotated lately counts, too."""
    known = session.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return session.get(SESSION_KEY) == str(user.pk) and any(constant_time_compare(known, one) for one in hashes)
