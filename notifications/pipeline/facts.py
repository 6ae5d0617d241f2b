"""ORM → facts, for a whole batch in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from notifications import registry
from notifications.models import Preference, RecipientSettings, Template
from notifications.pipeline import wording
from notifications.pipeline.routing import EventFacts, RecipientFacts
from notifications.types import Cadence, Channel, Content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notifications.models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A user as the pipeline sees them."""

    pk: Any
    name: str
    locale: str
    routing: RecipientFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A template's live state."""

    template: Template
    contents: tuple[Content, ...]

    @property
    def worded(self) -> frozenset[str]:
        return frozenset(content.channel for content in self.contents)


def templates(codes: Iterable[str]) -> dict[str, Wording]:
    """Return the live wording of templates, by code: at most two queries."""
    rows = list(Template.objects.filter(code__in=set(codes)).select_related("category"))
    contents = wording.contents_of(row.live_version_id for row in rows if row.live_version_id is not None)
    return {row.code: Wording(template=row, contents=contents.get(row.live_version_id or 0, ())) for row in rows}


def recipients(ids: Iterable[str]) -> dict[str, Recipient]:
    """Return the known users among `ids` (text, as events store them), by id: three queries."""
    users = {str(user.pk): user for user in get_user_model()._default_manager.filter(pk__in=set(ids))}
    settings = {row.recipient_id: row for row in RecipientSettings.objects.filter(recipient__in=users)}
    by_category: dict[Any, dict[tuple[str, str], Cadence]] = defaultdict(dict)
    by_template: dict[Any, dict[tuple[str, str], Cadence]] = defaultdict(dict)
    for wish in Preference.objects.filter(recipient__in=users):
        if wish.template_id is not None:
            by_template[wish.recipient_id][wish.template_id, wish.channel] = Cadence(wish.cadence)
        else:
            by_category[wish.recipient_id][wish.category_id or "", wish.channel] = Cadence(wish.cadence)
    return {
        key: Recipient(
            pk=user.pk,
            name=user.get_short_name() or user.get_username(),
            locale=settings[user.pk].locale if user.pk in settings else "",
            routing=RecipientFacts(
                is_active=user.is_active,
                addresses=_addresses(user, settings.get(user.pk)),
                by_category=by_category[user.pk],
                by_template=by_template[user.pk],
            ),
        )
        for key, user in users.items()
    }


def of_event(event: Event, live: Wording) -> EventFacts:
    """Return what the planner needs of an event."""
    return EventFacts(
        template=live.template.code,
        category=live.template.category_id,
        is_required=live.template.category.required,
        is_disabled=live.template.disabled_at is not None,
        channels=None if event.channels is None else tuple(event.channels),
        worded=live.worded,
        configured=frozenset(registry.channel_names()),
    )


def _addresses(user: Any, settings: RecipientSettings | None) -> dict[str, str]:
    addresses = {Channel.EMAIL.value: getattr(user, user.get_email_field_name(), "") or ""}
    if settings is not None and settings.phone:
        addresses[Channel.SMS.value] = settings.phone
    return addresses
