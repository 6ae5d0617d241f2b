"""From the names in the settings to the objects behind them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from notifications import conf
from notifications.exceptions import UnknownAudience, UnknownChannel
from notifications.types import Channel
from notifications.values import Adapter, Pressed, Said

if TYPE_CHECKING:
    from django.db.models import QuerySet

_NAME = re.compile(r"[a-z0-9_-]{1,64}")


def channel_names() -> tuple[str, ...]:
    """Return the channels that can be used here: in-app, and those with a backend."""
    return (Channel.IN_APP.value, *conf.channels())


#: (channel, number of its backend) → adapter.
_adapters: dict[tuple[str, int], Adapter] = {}


def adapter(name: str, number: int = 0) -> Adapter:
    """Return the adapter of a channel, made once per process; `number` counts those that stand in for the first."""
    found = _adapters.get((name, number))
    # Of two threads that make one, both get the same.
    return found or _adapters.setdefault((name, number), _made(name, number))


def channels_without_address() -> frozenset[str]:
    """Return the channels none of whose backends needs an address; one that cannot be loaded is taken to need it."""
    return frozenset(
        name for name in conf.channels() if not any(_needs_address(backend.path) for backend in conf.backends(name))
    )


@lru_cache(maxsize=64)
def _needs_address(path: str) -> bool:
    try:
        return bool(getattr(import_string(path), "needs_address", True))
    except ImportError:
        return True


def close_adapters() -> None:
    """Let go of all connections to providers; adapters are made anew when they are asked for."""
    while _adapters:
        _, adapter = _adapters.popitem()
        # What the checks find to be no adapter may be here, too.
        if hasattr(adapter, "close"):
            adapter.close()


def _made(name: str, number: int) -> Adapter:
    backends = conf.backends(name)
    if not backends:
        raise unknown_channel(name)
    backend = backends[number]
    if not backend.path:
        message = f"{where(name, number)} has no 'BACKEND'"
        raise ImproperlyConfigured(message)
    try:
        return cast("Adapter", import_string(backend.path)(**backend.options))
    except (ImportError, TypeError) as e:
        message = f"{where(name, number)} cannot be used: {e}"
        raise ImproperlyConfigured(message) from e
    except ValueError as e:
        # Not its text: it may quote an option, and options may be secrets.
        message = f"{where(name, number)} cannot be used: an option has a value it cannot have"
        raise ImproperlyConfigured(message) from e


def where(name: str, number: int) -> str:
    """Return where a backend stands in the settings."""
    fallback = f"['FALLBACKS'][{number - 1}]" if number else ""
    return f"NOTIFICATION_CHANNELS[{name!r}]{fallback}"


def unknown_channel(name: Any) -> UnknownChannel:
    """Return the error that names the channel and the one probably meant."""
    return UnknownChannel(f"No channel {name!r} in NOTIFICATION_CHANNELS{did_you_mean(name, channel_names())}.")


Audience = Callable[[], "QuerySet[Any]"]
Guard = Callable[[Said], bool]
Answer = Callable[[Pressed], "str | None"]
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxAction:
    """A button of inbox items, and what business code does when it is pressed."""

    #: The label; may be lazily translated.
    text: Any
    #: Returns what to tell the person, or None.
    answer: Answer


_audiences: dict[str, Audience] = {}
_guards: dict[str, Guard] = {}
_answers: dict[str, Answer] = {}
_action_texts: dict[str, Any] = {}


def audience(name: str) -> Callable[[Audience], Audience]:
    """
    Give a group of users a name, to be told by it: the decorated function returns a queryset of users.

    It is asked when a broadcast to it is due, and then for each chunk anew, by primary key. Every worker must know it.
    """
    return _registering(_audiences, name, "audience")


def still_valid(name: str) -> Callable[[Guard], Guard]:
    """
    Give a guard a name, for templates to have it as `still_valid`: is what was said still true?

    The decorated function gets what was said and returns whether to go on. It is asked when an event is dispatched, and
    when a delivery is claimed, in the workers. What it raises fails that event or delivery, to be sent round again.
    """
    return _registering(_guards, name, "guard")


def inbox_action(name: str, *, text: Any) -> Callable[[Answer], Answer]:
    """
    Give inbox items a button, for templates to name in `actions`: the decorated function is what pressing it does.

    It runs once for an item, in the transaction that notes it, and returns what to tell the person, or None; pressed
    again, the same is told. It may raise `ActionRefused`: then nothing is noted, and the button can be pressed again.
    """
    registering = _registering(_answers, name, "action")

    def register(function: Answer) -> Answer:
        registered = registering(function)
        _action_texts[name] = text
        return registered

    return register


def inbox_action_named(name: str) -> InboxAction | None:
    """Return a button; None: the code that answered it is gone."""
    return InboxAction(text=_action_texts[name], answer=_answers[name]) if name in _answers else None


def inbox_action_names() -> tuple[str, ...]:
    """Return the buttons there are."""
    return tuple(sorted(_answers))


def guard_named(name: str) -> Guard:
    """Return a guard; raise `LookupError` naming the one probably meant."""
    try:
        return _guards[name]
    except KeyError as e:
        message = f"No guard {name!r} is registered{did_you_mean(name, _guards)}."
        raise LookupError(message) from e


def guard_names() -> tuple[str, ...]:
    """Return the guards there are."""
    return tuple(sorted(_guards))


def _registering(known: dict[str, Any], name: str, noun: str) -> Callable[[Function], Function]:
    if not _NAME.fullmatch(name):
        message = f"The {noun} {name!r} needs a name of lower-case letters, digits, - and _, at most 64 of them."
        raise ImproperlyConfigured(message)

    def register(function: Function) -> Function:
        before = known.setdefault(name, function)
        if (before.__module__, before.__qualname__) != (function.__module__, function.__qualname__):
            where = f"{before.__module__}.{before.__qualname__}"
            message = f"The {noun} {name!r} is {where} already; choose another name."
            raise ImproperlyConfigured(message)
        known[name] = function
        return function

    return register


def audience_named(name: str) -> Audience:
    """Return the function of an audience; raise `UnknownAudience` naming the one probably meant."""
    try:
        return _audiences[name]
    except KeyError as e:
        known = f"; there are {', '.join(sorted(_audiences))}" if _audiences else "; none is registered"
        raise UnknownAudience(f"No audience {name!r}{did_you_mean(name, _audiences)}{known}.") from e


def audience_names() -> tuple[str, ...]:
    """Return the audiences there are."""
    return tuple(sorted(_audiences))


def did_you_mean(name: Any, known: Any) -> str:
    """Return ` (did you mean 'x'?)`, or nothing if no known name is near."""
    near = difflib.get_close_matches(str(name), [str(item) for item in known], n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "NOTIFICATION_CHANNELS":
        close_adapters()


setting_changed.connect(_forget)
