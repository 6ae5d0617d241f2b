"""Keys of other services: making them, knowing them again, taking them back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from notifications.exceptions import NotificationError
from notifications.models import ApiKey, Template
from notifications.models.api_keys import ALL
from notifications.registry import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: So that a key that leaked into a repository or a log is found by scanners.
SCHEME = "ntf"
#: 60 bits name a key; 238 bits are the secret.
_PREFIX_LENGTH, _SECRET_LENGTH = 12, 40
_PREFIX_LETTERS = string.ascii_lowercase + string.digits
_SECRET_LETTERS = string.ascii_letters + string.digits
#: `last_used_at` is written at most this often.
_NOTED_EVERY = timedelta(minutes=1)
#: Compared with where there is no such key: as much work as if there were.
_NO_HASH = "0" * 64


class WrongApiKey(NotificationError, ValueError):
    """The key cannot be made, or found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new key. `text` is all there will ever be of it: show it, and forget it."""

    key: ApiKey
    text: str = field(repr=False)


@sensitive_variables("secret", "text")
def issue(
    name: str,
    *,
    now: datetime,
    templates: Sequence[str] = (),
    may_publish: bool = True,
    may_read: bool = True,
    expires_at: datetime | None = None,
    by: Any = None,
) -> Issued:
    """Make a key for a service; raise `WrongApiKey`."""
    _check(name, templates, now, expires_at)
    prefix, secret = _random(_PREFIX_LETTERS, _PREFIX_LENGTH), _random(_SECRET_LETTERS, _SECRET_LENGTH)
    text = f"{SCHEME}_{prefix}_{secret}"
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        hash=_hash(text),
        templates=list(dict.fromkeys(templates)),
        may_publish=may_publish,
        may_read=may_read,
        created_at=now,
        created_by=by,
        expires_at=expires_at,
    )
    return Issued(key=key, text=text)


@sensitive_variables("text")
def authenticate(text: str, *, now: datetime) -> ApiKey | None:
    """Return the key; None: there is none, or it is revoked or expired. As much work in each case."""
    key = ApiKey.objects.filter(prefix=prefix_of(text)).first()
    is_it = hmac.compare_digest(_NO_HASH if key is None else key.hash, _hash(text))
    if key is None or not is_it or not _is_alive(key, now):
        return None
    _note_use(key, now)
    return key


def rotate(key: ApiKey, *, now: datetime, overlap: timedelta, by: Any = None) -> Issued:
    """
    Make a key in the place of another, which works for `overlap` longer, so that its service is never without one.

    It may do what the other may, for ever or until the same instant. Raise `WrongApiKey` for one that works no more.
    """
    if not _is_alive(key, now):
        raise WrongApiKey(f"The key {key.prefix} is revoked or has expired; make a new one.")
    known = {ALL, *Template.objects.filter(code__in=key.templates).values_list("code", flat=True)}
    with transaction.atomic():
        issued = issue(
            key.name,
            now=now,
            templates=[code for code in key.templates if code in known],
            may_publish=key.may_publish,
            may_read=key.may_read,
            expires_at=key.expires_at,
            by=by,
        )
        ends = min(now + overlap, key.expires_at or now + overlap)
        ApiKey.objects.filter(pk=key.pk).update(**({"expires_at": ends} if overlap else {"revoked_at": now}))
    return issued


def revoke(keys: Any, *, now: datetime) -> int:
    """Take these keys back, for good; return how many were not revoked before."""
    revoked: int = keys.filter(revoked_at__isnull=True).update(revoked_at=now)
    return revoked


def named(prefix: str) -> Any:
    """Return the key with this prefix, as a queryset; raise `WrongApiKey` naming the one probably meant."""
    rows = ApiKey.objects.filter(prefix=prefix)
    if not rows.exists():
        known = list(ApiKey.objects.values_list("prefix", flat=True))
        # Cut: somebody may have pasted a secret.
        raise WrongApiKey(f"No API key has the prefix {prefix[:_PREFIX_LENGTH]!r}{did_you_mean(prefix, known)}.")
    return rows


@sensitive_variables("text")
def prefix_of(text: str) -> str:
    """Return the part of a key that is no secret; empty: this is no key."""
    scheme, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    is_key = scheme == SCHEME and len(prefix) == _PREFIX_LENGTH and prefix.isascii() and prefix.isalnum() and secret
    return prefix if is_key else ""


def _check(name: str, templates: Sequence[str], now: datetime, expires_at: datetime | None) -> None:
    if not name.strip() or len(name) > 100 or not name.isprintable():
        message = "The name is empty, longer than 100 characters, or not printable; name the service it is for."
        raise WrongApiKey(message)
    known = list(Template.objects.values_list("code", flat=True))
    for code in templates:
        if code != ALL and code not in known:
            raise WrongApiKey(f"No template {code!r}{did_you_mean(code, known)}; {ALL!r} stands for all.")
    if expires_at is not None and expires_at <= now:
        raise WrongApiKey(f"It would have expired already ({expires_at:%Y-%m-%d %H:%M}); pass a time to come.")


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


@sensitive_variables("text")
def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _is_alive(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _note_use(key: ApiKey, now: datetime) -> None:
    before = now - _NOTED_EVERY
    if key.last_used_at is None or key.last_used_at <= before:
        # Compared again in the statement: of many requests at once, one writes.
        due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=before)
        ApiKey.objects.filter(due, pk=key.pk).update(last_used_at=now)
