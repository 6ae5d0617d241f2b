"""ORM → facts, for a whole batch in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings as site

from notifications import registry
from notifications.models import Category, Mute, Preference, RecipientSettings, Template
from notifications.pipeline import endpoints, people, suppressing, wording
from notifications.pipeline.quiet_hours import QuietHours, time_zone
from notifications.pipeline.routing import EventFacts, RecipientFacts, Window
from notifications.types import Cadence, Priority, QuietPolicy
from notifications.values import Content, Reader, Said

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from notifications.models import Delivery, Event
    from notifications.pipeline.people import Person


#: Making a member of an enumeration from its value takes longer than looking it up.
_CADENCES = {cadence.value: cadence for cadence in Cadence}


class _Settings(NamedTuple):
    """What is read of a person's settings: a row of the model would take longer to make than to read."""

    recipient_id: Any
    phone: str
    locale: str
    time_zone: str
    quiet_hours: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A user as the pipeline sees them."""

    pk: Any
    reader: Reader
    routing: RecipientFacts

    @property
    def locale(self) -> str:
        return self.reader.locale


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A template's live state."""

    template: Template
    contents: tuple[Content, ...]
    #: What the planner needs of it, by the names of `EventFacts`: the same for all its events.
    of_template: dict[str, Any]


def templates(codes: Iterable[str]) -> dict[str, Wording]:
    """Return the live wording of templates, by code: at most two queries."""
    rows = templates_by_code(codes)
    contents = wording.contents_of(row.live_version_id for row in rows.values() if row.live_version_id is not None)
    return {code: _wording(row, contents.get(row.live_version_id or 0, ())) for code, row in rows.items()}


def _wording(template: Template, contents: tuple[Content, ...]) -> Wording:
    of_template = {
        "template": template.code,
        "is_disabled": template.disabled_at is not None,
        "worded": frozenset(content.channel for content in contents),
        "configured": frozenset(registry.channel_names()),
        "addressless": registry.channels_without_address(),
        "escalation": {channel: timedelta(seconds=wait) for channel, wait in template.escalation.items()},
        "window": _window(template.digest),
        **of_category(template.category),
    }
    return Wording(template=template, contents=contents, of_template=of_template)


def templates_by_code(codes: Iterable[str]) -> dict[str, Template]:
    """Return templates, each with its category, by code: at most one query."""
    wanted = set(codes)
    if not wanted:
        return {}
    return {row.code: row for row in Template.objects.filter(code__in=wanted).select_related("category")}


def recipients(ids: Iterable[str], *, now: datetime | None = None) -> dict[str, Recipient]:
    """
    Return the known users among `ids` (text, as events store them), by id: four queries.

    With `now`, also how they can be reached then: at most three more.
    """
    wanted = people.wanted(ids)
    users = people.people(wanted)
    said = RecipientSettings.objects.filter(recipient__in=wanted).values_list(*_Settings._fields)
    settings = {row[0]: _Settings(*row) for row in said}
    by_category: dict[Any, dict[tuple[str, str], Cadence]] = defaultdict(dict)
    by_template: dict[Any, dict[tuple[str, str], Cadence]] = defaultdict(dict)
    wishes = Preference.objects.filter(recipient__in=wanted)
    for pk, category, code, channel, cadence in wishes.values_list(
        "recipient", "category", "template", "channel", "cadence"
    ):
        if code:
            by_template[pk][code, channel] = _CADENCES[cadence]
        else:
            by_category[pk][category or "", channel] = _CADENCES[cadence]
    mutes: dict[Any, dict[str, datetime | None]] = defaultdict(dict)
    for pk, about, until in Mute.objects.filter(recipient__in=wanted).values_list("recipient", "about", "until"):
        mutes[pk][about] = until
    addresses, suppressed = _reach(users, settings, wanted, now)
    found, default_zone = {}, site.TIME_ZONE
    for user in users:
        row = settings.get(user.pk)
        zone = _zone(row) or default_zone
        found[str(user.pk)] = Recipient(
            pk=user.pk,
            reader=Reader(name=user.name, locale=row.locale if row else "", time_zone=zone),
            routing=RecipientFacts(
                is_active=user.is_active,
                addresses=addresses[user.pk],
                suppressed=suppressed,
                by_category=by_category[user.pk],
                by_template=by_template[user.pk],
                mutes=mutes[user.pk],
                time_zone=zone,
                quiet=_quiet(row),
            ),
        )
    return found


def of_event(event: Event, live: Wording) -> EventFacts:
    """Return what the planner needs of an event."""
    return EventFacts(
        channels=None if event.channels is None else tuple(event.channels),
        priority=Priority(event.priority),
        about=event.about,
        digest_key=event.digest_key,
        is_valid=still_valid(live.template, event),
        **live.of_template,
    )


def still_valid(template: Template, event: Event) -> bool:
    """Ask the guard of a template whether what was said is still true; raise whatever it raises."""
    if not template.still_valid:
        return True
    said = Said(template=event.template_id, about=event.about, variables=event.variables, created_at=event.created_at)
    return registry.guard_named(template.still_valid)(said)


def categories_by_code(codes: Iterable[str]) -> dict[str, Category]:
    """Return categories, by code: at most one query."""
    wanted = set(codes)
    return Category.objects.in_bulk(wanted) if wanted else {}


def of_delivery(row: Delivery, template: Template, category: Category, *, about: str, is_valid: bool) -> EventFacts:
    """Return what the planner needs to ask once more whether a planned delivery is wanted."""
    channels = frozenset({row.channel})
    return EventFacts(
        template=template.code,
        is_disabled=template.disabled_at is not None,
        channels=(row.channel,),
        worded=channels,
        configured=channels,
        priority=Priority(row.priority),
        about=about,
        is_valid=is_valid,
        **of_category(category),
    )


def of_category(category: Category) -> dict[str, Any]:
    """Return what the planner needs of a category, by the names of `EventFacts`."""
    return {
        "category": category.code,
        "is_required": category.required,
        "defaults": {channel: Cadence(cadence) for channel, cadence in category.defaults.items()},
        "quiet_policy": QuietPolicy(category.quiet_hours),
    }


def _window(given: dict[str, Any]) -> Window | None:
    if not given:
        return None
    longest = given.get("longest")
    return Window(
        length=timedelta(seconds=given["window"]),
        longest=None if longest is None else timedelta(seconds=longest),
        first_now=given.get("first_now", False),
    )


def _zone(row: _Settings | None) -> str:
    """Return the recipient's time zone; empty, if they have none or one that is no more."""
    name = row.time_zone if row else ""
    try:
        return time_zone(name).key if name else ""
    except ValueError:
        return ""


def _quiet(row: _Settings | None) -> QuietHours | None:
    """Return the recipient's quiet hours. What cannot be read holds nothing back: `services.personal` checks it."""
    if row is None or not row.quiet_hours:
        return None
    try:
        return QuietHours.from_json(row.quiet_hours)
    except ValueError:
        return None


def _reach(
    users: Collection[Person], settings: Mapping[Any, _Settings], wanted: Any, now: datetime | None
) -> tuple[Mapping[Any, dict[str, tuple[str, ...]]], Collection[tuple[str, str]]]:
    """Return user → channel → addresses, and those of all of them that must not be used; without `now`, none at all."""
    found: defaultdict[Any, dict[str, tuple[str, ...]]] = defaultdict(dict)
    if now is None:
        return found, frozenset()
    places = []
    for user in users:
        if user.email:
            found[user.pk]["email"] = (user.email,)
            places.append(("email", user.email))
    for pk, row in settings.items():
        if row.phone:
            found[pk]["sms"] = (row.phone,)
            places.append(("sms", row.phone))
    for pk, by_channel in endpoints.live(wanted, registry.channel_names()).items():
        found[pk].update(by_channel)
    return found, suppressing.suppressed(places, now=now)
