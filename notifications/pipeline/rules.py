"""PURE: what staff and shipped files may say about a category or a template, checked; ValueError says what is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from notifications.registry import did_you_mean
from notifications.types import Cadence, Channel

#: What can be sent later or not at all: not the inbox.
_OUTSIDE = tuple(channel for channel in Channel.values if channel != Channel.IN_APP)
MAX_WAIT = timedelta(days=30)


def defaults(given: Any) -> dict[str, str]:
    """Return channel → cadence, for those without a wish: `{"sms": "off"}`."""
    for channel, cadence in _table(given, '{"sms": "off"}').items():
        _check_channel(channel, Channel.values)
        if cadence not in Cadence.values:
            known = ", ".join(Cadence.values)
            raise ValueError(f"No cadence {cadence!r}{did_you_mean(cadence, Cadence.values)}; there are {known}.")
    return dict(given)


def escalation(given: Any) -> dict[str, int]:
    """Return channel → seconds to wait whether it is read in the app: `{"email": 1800}`."""
    for channel, seconds in _table(given, '{"email": 1800}').items():
        _check_channel(channel, _OUTSIDE)
        _check_seconds(channel, seconds)
    return dict(given)


def digest(given: Any) -> dict[str, Any]:
    """Return how a template collects: `{"window": 600, "sliding": true, "longest": 3600, "first_now": true}`."""
    known = {"window", "sliding", "longest", "first_now", "template"}
    for key in _table(given, '{"window": 600}').keys() - known:
        raise ValueError(f"A digest has no {key!r}{did_you_mean(key, known)}.")
    if not given:
        return {}
    _check_seconds("window", given.get("window"))
    for key in ("sliding", "first_now"):
        if not isinstance(given.get(key, False), bool):
            raise ValueError(f"{key!r} is {given[key]!r}; write true or false.")  # noqa: TRY004 - one kind
    if not isinstance(given.get("template", ""), str):
        raise ValueError(f"'template' is {given['template']!r}; write the code of a template.")  # noqa: TRY004 - one kind
    _check_sliding(given)
    return dict(given)


def _check_sliding(given: dict[str, Any]) -> None:
    if not given.get("sliding"):
        if "longest" in given:
            message = "'longest' is for a sliding window; leave it out, or write sliding = true."
            raise ValueError(message)
        return
    _check_seconds("longest", given.get("longest"))
    if given["longest"] < given["window"]:
        message = "'longest' is shorter than 'window'; a sliding window needs room to slide."
        raise ValueError(message)


def _check_seconds(name: str, value: Any) -> None:
    if type(value) is not int or not 0 < value <= MAX_WAIT.total_seconds():
        raise ValueError(f"{name!r} is {value!r}; write whole seconds, at most {MAX_WAIT.days} days.")


def _table(given: Any, example: str) -> dict[Any, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"Write it like {example}, not as a {type(given).__name__}.")  # noqa: TRY004 - one kind
    return given


def _check_channel(channel: Any, known: Any) -> None:
    if channel not in known:
        raise ValueError(f"No channel {channel!r}{did_you_mean(channel, known)}; there are {', '.join(known)}.")
