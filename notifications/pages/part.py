"""The part of the inbox that a page shows, as its address names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.http import urlencode

from notifications.api import pagination, strict
from notifications.api.serializers import ListQuerySerializer, filter_of
from notifications.models import Notification
from notifications.pages.page import WrongInput
from notifications.types import InboxStatus

if TYPE_CHECKING:
    from django.http import QueryDict

    from notifications.services.inbox import Filter

#: The others, such as those a newsletter appends, are nothing of ours.
NAMES = ("status", "category", "cursor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is shown: the query of the address, checked."""

    given: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.given.get("status", ""))

    @property
    def category(self) -> str:
        return str(self.given.get("category", ""))

    @property
    def cursor(self) -> str | None:
        return self.given.get("cursor")

    @property
    def query(self) -> str:
        """The query of an address; empty, or with its question mark."""
        return f"?{urlencode(self.given)}" if self.given else ""

    def filter(self) -> Filter:
        return filter_of(self.given)

    def other(self, **changes: str | None) -> Part:
        """Return the first page of another part."""
        given = {**self.given, "cursor": None, **changes}
        return Part(given={name: value for name, value in given.items() if value})

    def url(self) -> str:
        return f"{reverse('notifications:inbox')}{self.query}"


def part_of(query: QueryDict) -> Part:
    """Return the part an address names; raise `ValidationError` or `WrongInput`."""
    given = query.copy()
    for name in [name for name in query if name not in NAMES or query.getlist(name) == [""]]:
        del given[name]
    checked = strict.query(ListQuerySerializer, given)
    if checked.get("status") == InboxStatus.READ:
        # There is no such tab.
        raise WrongInput
    # A cursor that was not issued here is refused before anything is done.
    pagination.page(Notification.objects.none(), size=1, cursor=checked.get("cursor"))
    return Part(given=dict(checked))
