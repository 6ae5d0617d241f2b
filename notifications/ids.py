"""UUIDv7: ids that sort by time, so that inserts land at the end of an index."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

#: One `os.urandom` releases the interpreter lock; one for each id cost a third of a worker's time.
_BUFFER_BYTES = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_lock = threading.Lock()
_buffer = b""
_position = 0


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
    global _buffer, _position  # noqa: PLW0603
    with _lock:
        if _position + 8 > len(_buffer):
            _buffer = os.urandom(_BUFFER_BYTES)
            _position = 0
        taken = _buffer[_position : _position + 8]
        _position += 8
    return int.from_bytes(taken) >> 2


def _forget() -> None:
    """Drop the buffer, or parent and child would hand out the same ids."""
    global _buffer, _position, _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _buffer = b""
    _position = 0


os.register_at_fork(after_in_child=_forget)
