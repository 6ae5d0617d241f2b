"""The form above the lists of the logs: what is asked for, by names that links from elsewhere use, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from notifications.admin_theme import Dressed
from notifications.models import Broadcast, Category, Template
from notifications.services.keyset import Cursor
from notifications.services.logs import Asked
from notifications.types import Channel, DeliveryState, EventState, Priority, Reason, Source

if TYPE_CHECKING:
    from uuid import UUID

#: Broadcasts that can be chosen by what they are known by; of others the id is known.
OFFERED = 20
#: The name in an address → the name of what is asked for.
_MEANING = {
    "state__exact": "state", "reason__exact": "reason", "channel__exact": "channel", "template__exact": "template",
    "category__exact": "category", "priority__exact": "priority", "source__exact": "source",
    "broadcast__exact": "broadcast", "event_id__exact": "event", "notification__exact": "notification",
    "recipient__exact": "recipient", "about__exact": "about", "since": "since", "until": "until",
}  # fmt: skip

#: Fields whose choices are rows.
_SELECTED = mark_safe(" selected")
_CODES: dict[str, type[Template] | type[Category]] = {"template__exact": Template, "category__exact": Category}


class _Select(forms.Select):
    """A choice in one piece: Django's own renders two templates for each option, and a page has a hundred."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the HTML."""
        chosen = {str(one) for one in self.format_value(value)}
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((key, _SELECTED if str(key) in chosen else "", label) for key, label in self.choices),
        )
        given = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(given), options)


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[("", _("all")), *choices], required=False, widget=_Select)


def _code(label: Any) -> forms.ChoiceField:
    """Return a choice of codes, which the form fills in when it is made."""
    return forms.ChoiceField(label=label, required=False, widget=_Select)


def _broadcast() -> forms.UUIDField:
    """Return a field for the id of a broadcast; the page offers the latest."""
    widget = forms.TextInput(attrs={"list": "latest-broadcasts", "autocomplete": "off", "placeholder": _("id")})
    return forms.UUIDField(label=_("broadcast"), required=False, widget=widget)


def _hidden(field: forms.Field) -> forms.Field:
    field.required, field.widget = False, forms.HiddenInput()
    return field


def _instant(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
        error_messages={"invalid": _("A time looks like 2026-03-01T12:00.")},
    )


class _UserField(forms.CharField):
    """Primary key of a user."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return get_user_model()._meta.pk.to_python(text) if len(text) < 40 else _nobody()
        except (ValidationError, ValueError, OverflowError):
            return _nobody()


def _nobody() -> Any:
    raise ValidationError(_("This is no id of a user."))


class LogForm(Dressed, forms.Form):
    """What every log is asked for."""

    since = _instant(_("from"))
    until = _instant(_("to"))
    event_id__exact = _hidden(forms.UUIDField(label=_("event")))
    before = _hidden(forms.UUIDField())
    after = _hidden(forms.UUIDField())

    #: The order of the fields that can be seen.
    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="filter_%s", label_suffix="")
        self.order_fields([*self.shown, "since", "until"])
        for name, model in _CODES.items():
            if isinstance(field := self.fields.get(name), forms.ChoiceField):
                codes = model._default_manager.order_by("pk").values_list("pk", flat=True)
                field.choices = [("", _("all")), *((code, code) for code in codes)]

    def asked(self) -> Asked:
        """Return what is asked for, once it is valid."""
        given = {name: self.cleaned_data[name] for name in _MEANING if name in self.cleaned_data}
        wanted = {_MEANING[name]: value for name, value in given.items() if value not in {None, ""}}
        if "priority" in wanted:
            wanted["priority"] = int(wanted["priority"])
        return Asked(**wanted)

    def cursor(self) -> Cursor:
        """Return where the page begins, once it is valid."""
        return Cursor(before=self.cleaned_data["before"], after=self.cleaned_data["after"])

    def active(self) -> dict[str, str]:
        """Return what is asked for as it stands in the address, without the cursor."""
        names = [name for name in self.fields if name in _MEANING]
        return {name: text for name in names if (text := str(self.data.get(name, "")))}

    def query(self) -> str:
        """Return what is asked for as the part of an address."""
        return urlencode(self.active())

    def latest_broadcasts(self) -> list[tuple[UUID, str]]:
        """Return those that the page offers to choose from: id, and what they are known by."""
        if "broadcast__exact" not in self.fields:
            return []
        latest = Broadcast.objects.order_by("-pk").values_list("pk", "template", "created_at")[:OFFERED]
        return [(pk, f"{template} {localtime(at):%Y-%m-%d %H:%M}") for pk, template, at in latest]

    def fixed(self) -> list[str]:
        """Return, in words, what links have asked for and no field shows."""
        return [f"{self.fields[name].label}: {text}" for name, text in self.active().items() if self[name].is_hidden]


class DeliveryForm(LogForm):
    """What the log of deliveries is asked for."""

    state__exact = _choice(_("state"), DeliveryState.choices)
    reason__exact = _choice(_("reason"), Reason.choices)
    channel__exact = _choice(_("channel"), Channel.choices)
    template__exact = _code(_("template"))
    priority__exact = _choice(_("priority"), Priority.choices)
    broadcast__exact = _broadcast()
    notification__exact = _hidden(forms.UUIDField(label=_("notification")))
    recipient__exact = _hidden(_UserField(label=_("recipient")))
    about__exact = _hidden(forms.CharField(label=_("about")))

    shown = (
        "state__exact", "reason__exact", "channel__exact", "template__exact", "priority__exact", "broadcast__exact",
    )  # fmt: skip


class EventForm(LogForm):
    """What the log of events is asked for."""

    state__exact = _choice(_("state"), EventState.choices)
    template__exact = _code(_("template"))
    priority__exact = _choice(_("priority"), Priority.choices)
    source__exact = _choice(_("source"), Source.choices)
    broadcast__exact = _broadcast()
    about__exact = _hidden(forms.CharField(label=_("about")))

    shown = ("state__exact", "template__exact", "priority__exact", "source__exact", "broadcast__exact")


class NotificationForm(LogForm):
    """What the log of notifications is asked for."""

    template__exact = _code(_("template"))
    category__exact = _code(_("category"))
    priority__exact = _choice(_("priority"), Priority.choices)
    recipient__exact = _hidden(_UserField(label=_("recipient")))
    about__exact = _hidden(forms.CharField(label=_("about")))

    shown = ("template__exact", "category__exact", "priority__exact")
