"""What staff can do on somebody's behalf about single rows: mutes, addresses, suppressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin.person_forms import OnBehalfForm
from notifications.models import Endpoint, Mute, Suppression
from notifications.services import endpoints, journal, mutes, suppressions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from notifications.services.consent import Origin


class MuteForm(OnBehalfForm):
    """Nothing more about an object."""

    about = forms.CharField(label=_("Object"), max_length=mutes.MAX_ABOUT, help_text=_("Such as orders.order:42."))
    until = forms.SplitDateTimeField(
        label=_("Until"),
        required=False,
        widget=forms.SplitDateTimeWidget(date_attrs={"type": "date"}, time_attrs={"type": "time"}),
        help_text=_("Empty: for ever."),
    )

    def act(self, origin: Origin, now: datetime) -> None:
        """Mute it."""
        given = self.cleaned_data
        mutes.mute(self.recipient, given["about"], until=given["until"], now=now, origin=origin)


class UnmuteForm(OnBehalfForm):
    """What is muted is heard of again."""

    row = forms.ModelChoiceField(Mute.objects.none(), widget=forms.HiddenInput)

    def __init__(self, recipient: Any, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(recipient, data, **kwargs)
        row: Any = self.fields["row"]
        row.queryset = Mute.objects.filter(recipient=recipient)

    def act(self, origin: Origin, now: datetime) -> None:
        """Unmute it."""
        mutes.unmute(self.recipient, self.cleaned_data["row"].about, now=now, origin=origin)


class RemoveEndpointForm(OnBehalfForm):
    """A browser, a room or a receiver that is not to be used any more."""

    row = forms.ModelChoiceField(Endpoint.objects.none(), widget=forms.HiddenInput)

    def __init__(self, recipient: Any, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(recipient, data, **kwargs)
        row: Any = self.fields["row"]
        row.queryset = endpoints.of(recipient)

    def act(self, origin: Origin, now: datetime) -> None:
        """Remove it."""
        endpoints.remove(self.cleaned_data["row"], now=now, origin=origin)


class LiftForm(OnBehalfForm):
    """An address that is known to work again."""

    done = gettext_lazy("The address may be used again.")
    row = forms.ModelChoiceField(Suppression.objects.none(), widget=forms.HiddenInput)

    def __init__(self, recipient: Any, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(recipient, data, **kwargs)
        row: Any = self.fields["row"]
        row.queryset = suppressions.of(recipient).in_force(clock.now())

    def act(self, origin: Origin, now: datetime) -> None:
        """Lift it: not in the person's history, because it is about the address."""
        row = self.cleaned_data["row"]
        suppressions.lift(Suppression.objects.filter(pk=row.pk), by=origin.by, reason=origin.note, now=now)
        journal.record(origin.by, row, origin.note, changes=None)
