"""What a provider tells us later of a message it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["delivered", "bounced", "complained", "opened", "clicked", "failed", "unsubscribed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One event at a provider, in our words. Nothing of it is an address."""

    #: As the receipt had it.
    provider_message_id: str
    kind: Kind
    #: Unique at the provider: told again, it is the same event.
    event_id: str
    #: When it happened there; None: they do not say.
    at: datetime | None = None
    #: The provider's own code, such as 30003.
    reason: str = ""
    #: Will this address never take a message?
    is_hard: bool = False
