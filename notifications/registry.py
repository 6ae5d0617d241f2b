"""From the names in the settings to the objects behind them."""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from notifications import conf
from notifications.exceptions import UnknownChannel
from notifications.types import Adapter, Channel


def channel_names() -> tuple[str, ...]:
    """Return the channels that can be used here: in-app, and those with a backend."""
    return (Channel.IN_APP.value, *conf.channels())


@lru_cache(maxsize=16)
def adapter(name: str) -> Adapter:
    """Return the adapter of a channel, made once per process."""
    try:
        declared = conf.channels()[name]
    except KeyError as e:
        raise unknown_channel(name) from e
    try:
        return cast("Adapter", import_string(declared["BACKEND"])(**declared.get("OPTIONS", {})))
    except (ImportError, KeyError, TypeError) as e:
        message = f"NOTIFICATION_CHANNELS[{name!r}] cannot be used: {e}"
        raise ImproperlyConfigured(message) from e


def unknown_channel(name: Any) -> UnknownChannel:
    """Return the error that names the channel and the one probably meant."""
    return UnknownChannel(f"No channel {name!r} in NOTIFICATION_CHANNELS{did_you_mean(name, channel_names())}.")


def did_you_mean(name: Any, known: Any) -> str:
    """Return ` (did you mean 'x'?)`, or nothing if no known name is near."""
    near = difflib.get_close_matches(str(name), [str(item) for item in known], n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "NOTIFICATION_CHANNELS":
        adapter.cache_clear()


setting_changed.connect(_forget)
