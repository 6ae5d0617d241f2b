"""
What a recipient wants: which category or template, by which channel, how often.

Every function takes the user first. Whoever changes something says where and who; the change and its line in the
consent history are one transaction. What changes nothing leaves no line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from notifications.exceptions import WrongPreference
from notifications.models import Category, Preference, Template
from notifications.pipeline import facts, routing
from notifications.pipeline.cadences import DAYS
from notifications.registry import channel_names, did_you_mean
from notifications.services.consent import Change, changing, note
from notifications.types import Cadence, Channel, Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from notifications.services.consent import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What holds for one category, or one template of it, and one channel."""

    category: str
    #: Empty: the whole category.
    template: str
    template_name: str
    channel: str
    cadence: Cadence
    #: What the recipient may choose.
    cadences: tuple[Cadence, ...]
    #: Who decided.
    level: Level
    #: The recipient cannot change it.
    is_locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A wish as it is asked for: for a category or for a template, by a channel. No cadence: taken back."""

    channel: str
    cadence: str | None
    category: str = ""
    template: str = ""

    @property
    def target(self) -> tuple[str, str, str]:
        return self.category, self.template, self.channel


def matrix(recipient: Any) -> list[Cell]:
    """
    Return what holds for every category, and for every template the recipient has a wish of their own for.

    None: what holds for somebody who wished for nothing.
    """
    person = routing.RecipientFacts(is_active=False, addresses={})
    if recipient is not None:
        person = facts.recipients([str(recipient.pk)])[str(recipient.pk)].routing
    own = {code for code, _ in person.by_template}
    templates = Template.objects.filter(code__in=own).select_related("category").order_by("code")
    rows: list[tuple[Category, Template | None]] = [(category, None) for category in Category.objects.order_by("code")]
    rows += [(template.category, template) for template in templates]
    return [_cell(category, template, channel, person) for category, template in rows for channel in channel_names()]


def set_cadence(
    recipient: Any,
    *,
    channel: str,
    cadence: str | None,
    category: str = "",
    template: str = "",
    now: datetime,
    origin: Origin,
) -> bool:
    """
    Write a wish for a category or for a template; None takes it back. Return whether anything changed.

    Raise `WrongPreference` for what there is not, and for switching off a required category.
    """
    wish = Wish(channel=channel, cadence=cadence, category=category, template=template)
    return set_cadences(recipient, [wish], now=now, origin=origin) == 1


def set_cadences(recipient: Any, wishes: Sequence[Wish], *, now: datetime, origin: Origin) -> int:
    """Write wishes, all of them or none, in a constant number of queries. Return how many changed something."""
    for refusal in refusals(wishes).values():
        raise refusal
    with changing(recipient):
        rows = {_target(row): row for row in Preference.objects.filter(recipient=recipient)}
        before = {target: row.cadence for target, row in rows.items()}
        changed = [wish for wish in wishes if before.get(wish.target) != wish.cadence]
        _write(recipient, changed, rows)
        lines = [_line(wish, before.get(wish.target, "")) for wish in changed]
        note(recipient, lines, now=now, origin=origin)
    return len(changed)


def refusals(wishes: Sequence[Wish]) -> dict[int, WrongPreference]:
    """Return what cannot be granted, by its place among the wishes, each with what is wrong."""
    # All of them, for the hint what was meant.
    categories = Category.objects.in_bulk()
    templates = Template.objects.select_related("category").in_bulk() if any(wish.template for wish in wishes) else {}
    refused: dict[int, WrongPreference] = {}
    places: dict[tuple[str, str, str], int] = {}
    for index, wish in enumerate(wishes):
        try:
            _check(wish, categories, templates)
            if places.setdefault(wish.target, index) != index:
                message = f"The same as number {places[wish.target]}; which one is meant?"
                raise WrongPreference(message)  # noqa: TRY301 - one way out for all refusals
        except WrongPreference as e:
            refused[index] = e
    return refused


def allowed_cadences(channel: str) -> tuple[Cadence, ...]:
    """Return how often something can be sent by a channel: digests are for those that make a sound."""
    return tuple(cadence for cadence in Cadence if channel in routing.AUDIBLE or cadence not in DAYS)


def _cell(category: Category, template: Template | None, channel: str, person: routing.RecipientFacts) -> Cell:
    channels = frozenset({channel})
    code = "" if template is None else template.code
    event = routing.EventFacts(
        template=code,
        is_disabled=False,
        channels=None,
        worded=channels,
        configured=channels,
        **facts.of_category(category),
    )
    wish = routing.wish(event, person, channel)
    is_locked = wish.level == Level.REQUIRED
    return Cell(
        category=category.code,
        template=code,
        template_name="" if template is None else template.name,
        channel=channel,
        cadence=wish.cadence,
        cadences=(wish.cadence,) if is_locked else allowed_cadences(channel),
        level=wish.level,
        is_locked=is_locked,
    )


def _check(wish: Wish, categories: Mapping[str, Category], templates: Mapping[str, Template]) -> None:
    """Raise `WrongPreference` naming what is wrong."""
    if bool(wish.category) == bool(wish.template):
        message = "A wish is for a category or for a template; pass one of them."
        raise WrongPreference(message)
    if wish.channel not in Channel.values:
        hint = did_you_mean(wish.channel, Channel.values)
        raise WrongPreference(f"No channel {wish.channel!r}{hint}.", field="channel")
    owner = _owner(wish, categories, templates)
    if wish.cadence is None:
        return
    if wish.cadence not in Cadence.values:
        hint, known = did_you_mean(wish.cadence, Cadence.values), ", ".join(Cadence.values)
        raise WrongPreference(f"No cadence {wish.cadence!r}{hint}; there are {known}.", field="cadence")
    if wish.cadence not in allowed_cadences(wish.channel):
        audible = ", ".join(sorted(routing.AUDIBLE))
        message = f"By {wish.channel!r} each is sent on its own; digests are for {audible}."
        raise WrongPreference(message, field="cadence")
    if owner.required and wish.cadence != Cadence.IMMEDIATELY:
        message = _("The category %(name)s is required: nobody can switch it off.")
        raise WrongPreference(message % {"name": repr(owner.code)}, field="cadence")


def _owner(wish: Wish, categories: Mapping[str, Category], templates: Mapping[str, Template]) -> Category:
    """Return the category that a wish is about."""
    if wish.template:
        if wish.template not in templates:
            hint = did_you_mean(wish.template, templates)
            raise WrongPreference(f"No template {wish.template!r}{hint}.", field="template")
        return templates[wish.template].category
    if wish.category not in categories:
        hint = did_you_mean(wish.category, categories)
        raise WrongPreference(f"No category {wish.category!r}{hint}.", field="category")
    return categories[wish.category]


def _target(row: Preference) -> tuple[str, str, str]:
    return row.category_id or "", row.template_id or "", row.channel


def _write(recipient: Any, wishes: Sequence[Wish], rows: Mapping[tuple[str, str, str], Preference]) -> None:
    """Store wishes that change something, given the rows there are."""
    taken_back, changed, new = [], [], []
    for wish in wishes:
        row = rows.get(wish.target)
        if wish.cadence is None:
            taken_back.append(rows[wish.target].pk)
        elif row is not None:
            row.cadence = wish.cadence
            changed.append(row)
        else:
            key = {"category_id": wish.category or None, "template_id": wish.template or None}
            new.append(Preference(recipient=recipient, channel=wish.channel, cadence=wish.cadence, **key))
    Preference.objects.filter(pk__in=taken_back).delete()
    Preference.objects.bulk_update(changed, ["cadence"])
    Preference.objects.bulk_create(new)


def _line(wish: Wish, before: str) -> Change:
    subject = f"category:{wish.category}" if wish.category else f"template:{wish.template}"
    return Change(subject=subject, channel=wish.channel, before=before, after=wish.cadence or "")
