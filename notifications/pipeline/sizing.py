"""How much a drain claims at once: what this process can do in a moment, by what the last batches took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

#: Rows of the first claim.
FIRST = 50

#: Actor → rows.
_sizes: dict[str, int] = {}


def size(actor: str, *, most: int) -> int:
    """Return how many rows to claim now."""
    return min(_sizes.get(actor, FIRST), most)


@contextmanager
def measured(actor: str, number: int, *, claimed: int, moment: float) -> Iterator[None]:
    """
    Note how long `claimed` of `number` rows took; next time it shall be `moment`, in seconds.

    It grows only where more was waiting, and at most twofold: small batches mostly pay for their round trips.
    """
    started = monotonic()
    yield
    took = monotonic() - started
    fitting = claimed * moment / max(took, moment / 1000)
    if fitting < number or claimed >= number:
        _sizes[actor] = max(int(min(fitting, 2 * number)), 1)


def forget() -> None:
    """Begin with the first size again."""
    _sizes.clear()
