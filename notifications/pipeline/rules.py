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
        if type(seconds) is not int or not 0 < seconds <= MAX_WAIT.total_seconds():
            raise ValueError(
                f"The wait of {channel!r} is {seconds!r}; write whole seconds, at most {MAX_WAIT.days} days."
            )
    return dict(given)


def _table(given: Any, example: str) -> dict[Any, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"Write it like {example}, not as a {type(given).__name__}.")  # noqa: TRY004 - one kind
    return given


def _check_channel(channel: Any, known: Any) -> None:
    if channel not in known:
        raise ValueError(f"No channel {channel!r}{did_you_mean(channel, known)}; there are {', '.join(known)}.")
