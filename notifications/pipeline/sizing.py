"""How much a drain claims at once: what this process can do in a moment, by what the last batches took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

#: The weight of the first claim.
FIRST = 50

#: Actor → weight it can do in a moment.
_sizes: dict[str, int] = {}
#: Actor → weight of a row, in its last batch.
_widths: dict[str, int] = {}


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


def forget() -> None:
    """Begin with the first size again."""
    _sizes.clear()
    _widths.clear()
