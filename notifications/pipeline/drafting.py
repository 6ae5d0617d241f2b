"""From what business code said to what may be stored: every check of the front door, and nothing written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Model

from notifications.exceptions import NotPlainData, UnknownPriority, WrongTime, WrongVariables
from notifications.inputs import plain_json, safe_link
from notifications.pipeline.wording import contract
from notifications.registry import channel_names, did_you_mean, unknown_channel
from notifications.types import Priority, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifications.pipeline.wording import Contract

MAX_KEY = 200
MAX_ACTION_TEXT = 100
#: Characters of variables beside which the rest of a request has room in any case.
ROOMY = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request that passed every check."""

    template: str
    variables: dict[str, Any]
    priority: Priority
    action_url: str
    action_text: str
    channels: list[str] | None
    about: str
    digest_key: str
    source: Source
    #: Primary key of the service's key.
    api_key: int | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime | None
    idempotency_key: str | None
    #: The request as one text, without what differs between repetitions; may be empty where no key asks to know it again.
    request: str


def draft(
    template: str,
    *,
    now: datetime,
    variables: dict[str, Any] | None = None,
    priority: Priority | str | int | None = None,
    delay: timedelta | None = None,
    send_at: datetime | None = None,
    expires_in: timedelta | None = None,
    action_url: str = "",
    action_text: str = "",
    channels: Sequence[str] | None = None,
    about: Model | str | None = None,
    digest_key: str = "",
    idempotency_key: str | None = None,
    source: Source = Source.CODE,
    api_key: int | None = None,
) -> Draft:
    """Check a request; raise the `PublishError` that names what is wrong and how to mend it."""
    declared = contract(template)
    values = variables or {}
    size = _check_variables(declared, values)
    level = declared.priority if priority is None else _priority(priority)
    when = due_at(now, delay, send_at)
    label = "" if about is None or about == "" else object_named(about)
    names = _channels(channels)
    request = {
        "template": template,
        "variables": values,
        "priority": level.value,
        "when": [_seconds(delay), send_at.isoformat() if send_at else None, _seconds(expires_in)],
        "action": [safe_link(action_url), _short("action_text", action_text, MAX_ACTION_TEXT)],
        "channels": names,
        "about": label,
        # Left out where there is none: requests of the release before have no such part.
        **({"digest_key": _short("digest_key", digest_key, MAX_KEY)} if digest_key else {}),
    }
    return Draft(
        template=template,
        variables=values,
        priority=level,
        action_url=action_url,
        action_text=action_text,
        channels=names,
        about=label,
        digest_key=digest_key,
        source=source,
        api_key=api_key,
        created_at=now,
        due_at=when,
        expires_at=_expires_at(when, expires_in),
        idempotency_key=_key(idempotency_key),
        request=plain_json(request, "the request") if idempotency_key is not None or size > ROOMY else "",
    )


def due_at(now: datetime, delay: object, send_at: object) -> datetime:
    """Return when something is due; raise `WrongTime`."""
    if delay is not None and send_at is not None:
        message = "Pass `delay` or `send_at`, not both."
        raise WrongTime(message)
    if delay is not None:
        if not isinstance(delay, timedelta) or delay < timedelta(0):
            raise WrongTime(f"`delay` is {delay!r}; pass a timedelta of zero or more.")
        return _added(now, delay, "delay")
    if send_at is not None:
        if not isinstance(send_at, datetime) or send_at.utcoffset() is None:
            raise WrongTime(f"`send_at` is {send_at!r}; pass an aware datetime, such as timezone.now() + ….")
        return max(now, send_at)
    return now


def object_named(given: Model | str) -> str:
    """Return the name of a business object, `orders.order:42`; raise `NotPlainData`."""
    if isinstance(given, Model):
        if given._state.adding:
            raise NotPlainData(f"`about` is a {type(given).__name__} that is not saved yet; publish after `save()`.")
        return f"{given._meta.label_lower}:{given.pk}"
    name = _short("about", given, MAX_KEY)
    if not name:
        message = "`about` is empty; pass a saved model instance, or text such as orders.order:42."
        raise NotPlainData(message)
    return name


def _check_variables(declared: Contract, values: Any) -> int:
    """Return how many characters the variables have as JSON."""
    if not isinstance(values, dict):
        raise NotPlainData(f"`variables` is a {type(values).__name__}; pass a dict of plain JSON values.")
    size = len(plain_json(values, "variables"))
    problems = [f"{name!r} is missing" for name in sorted(declared.required - values.keys())]
    problems += [
        f"{name!r} is unknown{did_you_mean(name, declared.names)}" for name in sorted(values.keys() - declared.names)
    ]
    if problems:
        names = ", ".join(sorted(declared.names)) or "no variables"
        raise WrongVariables(f"Variables of {declared.code}: {'; '.join(problems)}. It declares: {names}.")
    return size


def _priority(given: Priority | str | int) -> Priority:
    try:
        if isinstance(given, str):
            return Priority[given.upper()]
        return Priority(given)
    except (KeyError, ValueError, TypeError) as e:
        names = [priority.name.lower() for priority in Priority]
        hint = did_you_mean(given, names)
        raise UnknownPriority(f"No priority {given!r}{hint}; there are {', '.join(names)}.") from e


def _expires_at(due_at: datetime, expires_in: object) -> datetime | None:
    if expires_in is None:
        return None
    if not isinstance(expires_in, timedelta) or expires_in <= timedelta(0):
        raise WrongTime(f"`expires_in` is {expires_in!r}; pass a timedelta above zero.")
    return _added(due_at, expires_in, "expires_in")


def _added(start: datetime, length: timedelta, name: str) -> datetime:
    try:
        return start + length
    except OverflowError as e:
        raise WrongTime(f"`{name}` leads beyond the last year there is; pass a shorter time.") from e


def _channels(given: Sequence[str] | None) -> list[str] | None:
    if given is None:
        return None
    # A text is a sequence of letters: say what was meant.
    names = [given] if isinstance(given, str) else list(given)
    known = channel_names()
    for name in names:
        if name not in known:
            raise unknown_channel(name)
    return list(dict.fromkeys(str(name) for name in names))


def _key(given: str | None) -> str | None:
    if given is None:
        return None
    if not given:
        message = "`idempotency_key` is empty; leave it out, or pass text that names what happened."
        raise NotPlainData(message)
    return _short("idempotency_key", given, MAX_KEY)


def _short(name: str, given: object, length: int) -> str:
    if not isinstance(given, str):
        raise NotPlainData(f"`{name}` is a {type(given).__name__}; pass text.")
    plain_json(given, name)
    if len(given) > length:
        raise NotPlainData(f"`{name}` has {len(given)} characters; at most {length}.")
    return given


def _seconds(length: object) -> float | None:
    return length.total_seconds() if isinstance(length, timedelta) else None
