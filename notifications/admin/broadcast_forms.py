"""The forms of a broadcast: what is said, to whom, and when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from notifications import registry
from notifications.admin_theme import Dressed
from notifications.models import BroadcastDraft, Template
from notifications.services import audiences, broadcast_drafts
from notifications.types import Channel, Priority

#: Before the name of a variable, so that none is taken for another field.
VARIABLE = "variable-"
#: Bytes of an uploaded list.
MAX_UPLOAD = 1_000_000


class BeginForm(Dressed, forms.Form):
    """Which kind of message."""

    template = forms.ModelChoiceField(
        Template.objects.filter(live_version__isnull=False).select_related("category").order_by("code"),
        label=_("Template"),
        help_text=_("Those with published wording."),
    )


class MessageForm(Dressed, forms.Form):
    """What is said: a field for each variable that the template declares."""

    channels = forms.MultipleChoiceField(
        label=_("Channels"), widget=forms.CheckboxSelectMultiple, help_text=_("Of those the template has wording for.")
    )
    priority = forms.TypedChoiceField(choices=Priority.choices, coerce=int, label=_("Priority"))

    def __init__(self, draft: BroadcastDraft, *args: Any, **kwargs: Any) -> None:
        names = broadcast_drafts.channels_of(draft.template)
        chosen = names if draft.channels is None else draft.channels
        kwargs["initial"] = {"priority": draft.priority, "channels": chosen}
        super().__init__(*args, **kwargs)
        self._all = names
        labels = dict(Channel.choices)
        channels = self.fields["channels"]
        assert isinstance(channels, forms.MultipleChoiceField)
        channels.choices = [(name, labels.get(name, name)) for name in names]
        for name, declared in draft.template.variables.items():
            self.fields[VARIABLE + name] = _field(name, declared, draft.variables.get(name))
        # The new ones, too, look like the rest of the page; first what is said.
        self.order_fields([VARIABLE + name for name in draft.template.variables])
        self.dress()

    def said(self) -> dict[str, Any]:
        """Return the variables; what was left empty is not said."""
        values = {name: self.cleaned_data[name] for name in self.fields if name.startswith(VARIABLE)}
        return {name.removeprefix(VARIABLE): value for name, value in values.items() if value not in (None, "")}

    def chosen_channels(self) -> list[str] | None:
        """Return the names; None: all there are."""
        chosen: list[str] = self.cleaned_data["channels"]
        return None if set(chosen) == set(self._all) else chosen


class AudienceForm(Dressed, forms.Form):
    """To whom: a named audience, or a list; nothing at all keeps the list there is."""

    audience = forms.ChoiceField(label=_("Audience"), required=False)
    people = forms.CharField(
        label=_("Or a list of people"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Ids, e-mail addresses or user names; one to a line, or with commas between them."),
    )
    upload = forms.FileField(label=_("Or a file with such a list"), required=False)
    leave_out = forms.BooleanField(
        label=_("Leave out what names nobody"),
        required=False,
        help_text=_("Otherwise such a list is refused, and what is wrong with it is shown."),
    )

    def __init__(self, draft: BroadcastDraft, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"audience": draft.audience}, **kwargs)
        audience = self.fields["audience"]
        assert isinstance(audience, forms.ChoiceField)
        audience.choices = [("", _("- none -")), *((name, name) for name in registry.audience_names())]
        self._has_list = draft.recipients is not None
        self.listed: audiences.Listed | None = None

    def clean(self) -> dict[str, Any]:
        """Look the people up; each entry that names nobody is told."""
        data = super().clean() or self.cleaned_data
        given = sum(bool(data.get(name)) for name in ("audience", "people", "upload"))
        if self.errors or (not given and self._has_list):
            return data
        if given != 1:
            raise forms.ValidationError(_("Choose one: an audience, a list or a file."))
        if not data.get("audience"):
            self._look_up(_text(data["upload"]) if data.get("upload") else data["people"])
            # It is not chosen twice; and what is wrong with it can be mended in its place.
            if data.get("upload") and self.errors:
                self.data = {name: self.data.get(name) for name in self.data} | {"people": _text(data["upload"])}
        return data

    def _look_up(self, text: str) -> None:
        self.listed = listed = audiences.listed(text)
        if listed.keys and self.cleaned_data.get("leave_out"):
            return
        for problem in listed.problems:
            self.add_error("people", problem)
        more = listed.problem_count - len(listed.problems)
        if more > 0:
            self.add_error("people", _("And %(number)s more.") % {"number": more})
        if not listed.keys and not listed.problem_count:
            self.add_error("people", _("The list names nobody."))


class StartForm(Dressed, forms.Form):
    """When, how many first, and that it is meant."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    send_at = forms.DateTimeField(
        label=_("Send at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: now."),
    )
    canary_percent = forms.IntegerField(
        label=_("Tell so many percent first"),
        required=False,
        min_value=1,
        max_value=99,
        help_text=_(
            "Then it waits until somebody lets it go on, or cancels it. They are the oldest accounts. Empty: all."
        ),
    )
    confirmed = forms.IntegerField(label=_("Number of recipients, to confirm"), required=False)

    def __init__(self, number: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if number < broadcast_drafts.CONFIRM_FROM:
            del self.fields["confirmed"]


def _field(name: str, declared: dict[str, Any], value: Any) -> forms.Field:
    """Return an input for a variable, of the kind that its sample has."""
    sample = declared.get("sample")
    kinds: list[tuple[type | tuple[type, ...], type[forms.Field]]] = [
        (bool, forms.BooleanField),
        (int, forms.IntegerField),
        (float, forms.FloatField),
        ((dict, list), forms.JSONField),
    ]
    kind = next((field for of, field in kinds if isinstance(sample, of)), forms.CharField)
    required = bool(declared.get("required", True)) and kind is not forms.BooleanField
    help_text = _("For example: %(sample)s") % {"sample": sample} if sample not in (None, "") else ""
    return kind(label=name, required=required, help_text=help_text, initial=value)


def _text(upload: Any) -> str:
    upload.seek(0)
    if upload.size > MAX_UPLOAD:
        raise forms.ValidationError({"upload": _("The file is too large: at most 1 MB.")})
    try:
        return str(upload.read().decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        raise forms.ValidationError({"upload": _("This is no text in UTF-8.")}) from e
