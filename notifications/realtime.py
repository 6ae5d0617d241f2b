"""Live messages: "this item of yours is new or has changed", to whoever listens in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

_listeners: list[Callable[[Any, UUID | None], None]] = []


def listen(listener: Callable[[Any, UUID | None], None]) -> None:
    """Hear of every message of this process: (recipient's key, notification; None: many have changed)."""
    _listeners.append(listener)


def publish(recipient: Any, notification: UUID | None) -> None:
    """Tell whoever listens, without waiting. None: so many have changed that a fresh look is cheaper."""
    for listener in _listeners:
        listener(recipient, notification)
