"""UUIDv7: ids that sort by time, so that inserts land at the end of an index."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from struct import unpack
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterator

#: One `os.urandom` releases the interpreter lock; one for each id cost a third of a worker's time.
_POOL_SIZE = 512
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Taking the next one of an iterator is one step, whatever other threads do.
_pool: Iterator[int] = iter(())


def uuid7() -> UUID:
    """
    Return a new id: 48 bits of Unix milliseconds, 12 bits below the millisecond, 62 random bits.

    RFC 9562 §5.7, with the sub-millisecond fraction of §6.2 (method 3) in `rand_a`.
    """
    return _uuid7(time.time_ns(), _random_62_bits())


def uuid7_at(instant: datetime) -> UUID:
    """
    Return the smallest id of an aware instant: `pk__lt=uuid7_at(…)` is "made before", by the primary key's own index.

    Before 1970 it is the smallest id there is.
    """
    microseconds = (instant - _EPOCH) // timedelta(microseconds=1)
    return _uuid7(max(microseconds, 0) * 1000, 0)


def dated(name: UUID, instant: datetime) -> UUID:
    """Return an id of an instant that is always the same for the same name: for names that do not sort by time."""
    low = uuid7_at(instant).int >> 64 << 64 | 0b10 << 62
    return UUID(int=low | (name.int ^ name.int >> 64) & (1 << 62) - 1)


def made_at(name: UUID) -> datetime:
    """Return when an id was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=name.int >> 80)


def _uuid7(nanoseconds: int, random_62_bits: int) -> UUID:
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7000 << 64 | fraction << 64
    value |= 0b10 << 62 | random_62_bits
    return UUID(int=value)


def _random_62_bits() -> int:
    global _pool  # noqa: PLW0603
    while (bits := next(_pool, None)) is None:
        # Two threads that come here at once make one each, and one of them is dropped.
        _pool = iter(unpack(f"{_POOL_SIZE}Q", os.urandom(_POOL_SIZE * 8)))
    return bits >> 2


def _forget() -> None:
    """Drop the pool, or parent and child would hand out the same ids."""
    global _pool  # noqa: PLW0603
    _pool = iter(())


os.register_at_fork(after_in_child=_forget)
