"""The recipients: number n has an address of its own on every channel, so that a provider's log tells who was told."""

from __future__ import annotations

from typing import Final

#: Channels with a provider, whose log is the judge. In-app has none.
OUTSIDE: Final = ("email", "sms")


def address(number: int, channel: str) -> str:
    """Return where recipient `number` is reached; in-app: the user's id."""
    if channel == "email":
        return f"u{number}@chaos.example"
    if channel == "sms":
        return f"+1555{number:07d}"
    return str(number)
