"""How much a drain claims at once, and whether more drains would help: by what the last batches took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from time import monotonic

#: The weight of the first claim.
FIRST = 50

#: Actor → weight it can do in a moment.
_sizes: dict[str, int] = {}
#: Actor → weight of a row, in its last batch.
_widths: dict[str, int] = {}

#: The part of its time from which on an actor is said to wait for its provider.
WAITING = 0.5
#: Seconds after which a call under way is waited for, whatever the last ones took.
LONG = 0.05


@dataclass(slots=True)
class _Calls:
    """What an actor's calls to its provider took."""

    #: Thread → when the call began that it is in, by time.monotonic.
    begun: dict[int, float] = field(default_factory=dict)
    #: When the last one ended.
    ended: float = 0.0
    #: Of the time between the ends of the last two, the part that the call took. Unknown: all of it.
    share: float = 1.0


#: Actor → its calls.
_calls: defaultdict[str, _Calls] = defaultdict(_Calls)


def size(actor: str, *, most: int) -> int:
    """Return how many rows to claim now, of a weight of at most `most` together."""
    return max(min(_sizes.get(actor, FIRST), most) // _widths.get(actor, 1), 1)


@contextmanager
def measured(actor: str, rows: int, *, full: bool, moment: float, weight: int | None = None) -> Iterator[None]:
    """
    Note how long a batch took; the next one shall take `moment`, in seconds. `full`: there was more waiting.

    `weight` is what of it takes time (None: the rows). It grows only where more was waiting, and at most twofold: small
    batches mostly pay for their round trips.
    """
    weight = rows if weight is None else weight
    started = monotonic()
    yield
    fitting = weight * moment / max(monotonic() - started, moment / 1000)
    _widths[actor] = max(weight // rows, 1)
    if full or fitting < _sizes.get(actor, FIRST):
        _sizes[actor] = max(int(min(fitting, 2 * weight)), 1)


@contextmanager
def calling(actor: str) -> Iterator[None]:
    """Note how long a call takes that carries a batch; where each message has its own, there is always much to wait for."""
    calls, thread, started = _calls[actor], get_ident(), monotonic()
    calls.begun[thread] = started
    try:
        yield
    finally:
        del calls.begun[thread]
        ended = monotonic()
        if calls.ended:
            calls.share = (ended - started) / max(ended - calls.ended, ended - started, 1e-9)
        calls.ended = ended


def waits_for_provider(actor: str) -> bool:
    """
    Tell whether the drains of an actor spend their time waiting, so that more of them get more done.

    They do unless each call carries a batch and is answered at once: what is sent one by one is settled one by one, too.
    """
    calls = _calls[actor]
    if calls.share >= WAITING:
        return True
    now = monotonic()
    return any(now - begun >= LONG for begun in list(calls.begun.values()))


def forget() -> None:
    """Begin with the first size again."""
    _sizes.clear()
    _widths.clear()
    _calls.clear()
