"""What staff can ask for on somebody's behalf: each form says what, the note why, and the services do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin.base import short_json
from notifications.admin_theme import Dressed
from notifications.exceptions import WrongPreference
from notifications.models import Category, Template
from notifications.registry import channel_names
from notifications.services import on_behalf, personal, preferences
from notifications.services.preferences import Cell, Wish
from notifications.types import Cadence, Channel, Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from notifications.services.consent import Origin


class FilledForm(forms.Form):
    """A form with fields that depend on whom it is about: they are there before it is dressed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fill()

    def fill(self) -> None:
        """Add them."""


class OnBehalfForm(Dressed, FilledForm):
    """One thing done on somebody's behalf, and why."""

    #: What the page says when it is done.
    done: ClassVar[Any] = gettext_lazy("Saved, with your note.")

    note = forms.CharField(
        label=_("Note"),
        max_length=on_behalf.MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text=_("Why, and who asked for it. It stands in the person's history, which they may read."),
    )

    def __init__(self, recipient: Any, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self.recipient = recipient
        # Several forms are on one page: each has names of its own.
        super().__init__(data, auto_id=f"{type(self).__name__.lower()}_%s", **kwargs)

    def perform(self, by: Any) -> bool:
        """Do it; False: it could not be done, and the form says why."""
        if not self.is_valid():
            return False
        try:
            with on_behalf.acting(self.recipient, by=by, note=self.cleaned_data["note"]) as origin:
                self.act(origin, clock.now())
        except WrongPreference as e:
            self.add_error(e.field if e.field in self.fields else None, str(e))
            return False
        return True

    def act(self, origin: Origin, now: datetime) -> None:
        """Do it by the services; raise `WrongPreference`."""
        raise NotImplementedError


class WishesForm(OnBehalfForm):
    """What a person wants to hear: a field for every category and channel, and for every wish about a template."""

    more_template = forms.ModelChoiceField(
        Template.objects.order_by("code"), label=_("Kind of message"), required=False
    )
    more_channel = forms.ChoiceField(label=_("Channel"), required=False)
    more_cadence = forms.ChoiceField(
        label=_("How often"), choices=[("", "---------"), *Cadence.choices], required=False
    )

    def fill(self) -> None:
        """Add a field for each cell of the matrix that may be changed."""
        channel: Any = self.fields["more_channel"]
        channel.choices = [("", "---------"), *((name, Channel(name).label) for name in channel_names())]
        self.cells = preferences.matrix(self.recipient)
        for cell in self.cells:
            if not cell.is_locked:
                self.fields[_name(cell)] = _choice(cell)

    @property
    def channels(self) -> list[str]:
        """The heads of the columns."""
        return [str(Channel(name).label) for name in channel_names()]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each category and each template with a wish, with a cell for each channel."""
        categories = Category.objects.in_bulk()
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for cell in sorted(self.cells, key=lambda cell: (cell.category, cell.template)):
            category = categories[cell.category]
            name = cell.template_name if cell.template else category.name
            head = {"name": name, "code": cell.template or cell.category, "is_template": bool(cell.template)}
            row = rows.setdefault((cell.category, cell.template), {**head, "cells": []})
            row["cells"].append({
                "field": None if cell.is_locked else self[_name(cell)],
                "cadence": cell.cadence.label,
                "level": cell.level.label,
            })  # fmt: skip
        return list(rows.values())

    def clean(self) -> dict[str, Any]:
        """Return what was given, if a wish for one more template is whole."""
        cleaned: dict[str, Any] = super().clean() or {}
        more = [cleaned.get(f"more_{part}") for part in ("template", "channel", "cadence")]
        if any(more) and not all(more):
            self.add_error(
                "more_template", gettext("Choose a kind of message, a channel and how often, or none of them.")
            )
        return cleaned

    def act(self, origin: Origin, now: datetime) -> None:
        """Write what differs from what the form showed."""
        given = self.cleaned_data
        wishes = [
            Wish(
                category="" if cell.template else cell.category,
                template=cell.template,
                channel=cell.channel,
                cadence=given[_name(cell)] or None,
            )
            for cell in self.cells
            if _name(cell) in self.changed_data
        ]
        if given["more_template"]:
            wishes.append(
                Wish(template=given["more_template"].code, channel=given["more_channel"], cadence=given["more_cadence"])
            )
        preferences.set_cadences(self.recipient, wishes, now=now, origin=origin)


class SettingsForm(OnBehalfForm):
    """How a person is reached, in which language, and when not."""

    phone = forms.CharField(label=_("Phone"), required=False, help_text=_("International form: +4930123456."))
    locale = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.CharField(
        label=_("Time zone"), required=False, help_text=_("Such as Europe/Berlin; empty: the site's.")
    )
    quiet_hours = forms.JSONField(
        label=_("Quiet hours"),
        required=False,
        widget=short_json(),
        help_text=_('Such as {"daily": ["22:00-07:00"], "sat": ["00:00-10:00"]}; {}: none.'),
    )

    def __init__(self, recipient: Any, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        own = personal.settings_of(recipient)
        names = ("phone", "locale", "time_zone", "quiet_hours")
        super().__init__(recipient, data, initial={name: getattr(own, name) for name in names}, **kwargs)
        locale: Any = self.fields["locale"]
        known = dict(settings.LANGUAGES)
        # What business code wrote, such as de-AT, is kept unless it is changed.
        kept = {own.locale: own.locale} if own.locale and own.locale not in known else {}
        locale.choices = [("", _("the site's")), *kept.items(), *known.items()]
        self.fields["time_zone"].widget.attrs["list"] = "time-zones"
        self.time_zones = sorted(available_timezones())

    def act(self, origin: Origin, now: datetime) -> None:
        """Write what differs from what there is, all of it or none."""
        given = {**self.cleaned_data, "quiet_hours": self.cleaned_data["quiet_hours"] or {}}
        for name, write in _SETTERS.items():
            if name in self.changed_data:
                write(self.recipient, given[name], now=now, origin=origin)


#: In the order in which what is wrong is said.
_SETTERS: dict[str, Any] = {
    "phone": personal.set_phone,
    "locale": personal.set_locale,
    "time_zone": personal.set_time_zone,
    "quiet_hours": personal.set_quiet_hours,
}


def _name(cell: Cell) -> str:
    kind = "template" if cell.template else "category"
    return f"{kind}:{cell.template or cell.category}:{cell.channel}"


def _choice(cell: Cell) -> forms.ChoiceField:
    """Return the field of one cell: empty stands for no wish of their own."""
    is_own = cell.level == (Level.TEMPLATE if cell.template else Level.CATEGORY)
    nothing = gettext("no wish") if is_own else f"({cell.cadence.label})"
    label = f"{cell.template_name or cell.category}, {Channel(cell.channel).label}"
    return forms.ChoiceField(
        label=label,
        choices=[("", nothing), *((cadence.value, cadence.label) for cadence in cell.cadences)],
        initial=cell.cadence.value if is_own else "",
        required=False,
        widget=forms.Select(attrs={"aria-label": label}),
    )
