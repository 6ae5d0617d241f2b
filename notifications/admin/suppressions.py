"""Addresses that are out of use: why, since when, and letting them be used again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.validators import validate_email
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications import clock
from notifications.admin.base import LogAdmin, recipients_named, staff_member
from notifications.admin.cells import link_to, masked
from notifications.admin_theme import Dressed
from notifications.models import Delivery, Endpoint, Suppression
from notifications.models.recipients import phone_validator
from notifications.models.suppressions import address_hashes
from notifications.services import suppressions
from notifications.types import Channel, Reason

_VALID: dict[Channel, Callable[[Any], None]] = {Channel.EMAIL: validate_email, Channel.SMS: phone_validator}


class AddForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]
    """An address that staff take out of use."""

    channel = forms.ChoiceField(label=_("Channel"), choices=[(one.value, one.label) for one in suppressions.CHANNELS])
    address = forms.CharField(label=_("Address"), max_length=254)
    reason = forms.ChoiceField(label=_("Reason"), choices=[(one.value, one.label) for one in suppressions.CAUSES])

    class Meta:
        model = Suppression
        fields = ["channel", "address", "reason"]

    def clean(self) -> dict[str, Any]:
        """Return what was given, if it is an address of its channel."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "channel" in cleaned and "address" in cleaned:
            try:
                _VALID[Channel(cleaned["channel"])](cleaned["address"])
            except forms.ValidationError as e:
                self.add_error("address", e)
        return cleaned


class LiftForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]
    """Why an address may be used again."""

    lift_reason = forms.CharField(
        label=_("Lift, because"),
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        max_length=1000,
        help_text=_("What makes sure that it works again, such as: the customer wrote from there today."),
    )

    class Meta:
        model = Suppression
        fields = ["lift_reason"]


@admin.register(Suppression)
class SuppressionAdmin(LogAdmin):
    """Addresses that must not be used. To lift one is to say why; nothing is deleted."""

    list_display = [
        "created_at", "channel", "masked_address", "recipient", "why", "source", "code", "expires_at", "lifted_at",
    ]  # fmt: skip
    list_filter = ["channel", "source"]
    list_select_related = ["recipient"]
    linked_by = ("recipient",)
    search_help_text = _("The whole of an e-mail address, a phone number or a user name.")
    fieldsets = [
        (None, {"fields": ["channel", "address", "recipient", "why", "source", "code", "came_of"]}),
        (_("When"), {"fields": ["created_at", "expires_at", "lifted_at", "lifted_by", "lift_reason"]}),
    ]

    def found_by(self, term: str) -> Q:
        """Return those of this address, also of one that was erased, or of this user."""
        hashes = [hashed for channel in suppressions.CHANNELS for hashed in address_hashes(channel, term)]
        return Q(address_hash__in=hashes) | Q(recipient__in=recipients_named(term))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell whether they may take an address out of use."""
        return request.user.has_perm("notifications.add_suppression")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether they may lift it; what is lifted, or expired, stays as it is."""
        may = request.user.has_perm("notifications.change_suppression")
        return may and (not isinstance(obj, Suppression) or obj.is_in_force(clock.now()))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form: of a new one, or to lift one."""
        return super().get_form(request, obj, change, **{**kwargs, "form": LiftForm if change else AddForm})

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fields of the page; who may only look does not see the whole address."""
        if obj is None:
            return [(None, {"fields": AddForm.Meta.fields})]
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request):
            return fieldsets
        hidden = {"address": "masked_address"}
        return [
            (title, {**options, "fields": [hidden.get(name, name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return all fields but those of the form."""
        if obj is None:
            return []
        return [name for name in flatten_fieldsets(self.get_fieldsets(request, obj)) if name != "lift_reason"]

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        """Suppress, or lift."""
        now = clock.now()
        if change:
            rows = Suppression.objects.filter(pk=obj.pk)
            reason = form.cleaned_data["lift_reason"]
            suppressions.lift(rows, by=staff_member(request), reason=reason, now=now)
            obj.refresh_from_db()
            return
        given = form.cleaned_data
        if not suppressions.add(given["channel"], given["address"], reason=Reason(given["reason"]), now=now):
            messages.warning(request, _("It was suppressed already; that stays as it was."))
        stored = Suppression.objects.of(given["channel"], given["address"]).in_force(now)[0]
        obj.__dict__.update(stored.__dict__)

    @admin.display(description=_("address"))
    def masked_address(self, obj: Suppression) -> str:
        """Return the address for a list, which others may see over the shoulder."""
        return masked(obj.address) or str(_("erased"))

    @admin.display(description=_("came of"))
    def came_of(self, obj: Suppression) -> SafeString | str:
        """Return a link to the delivery by which it was found out."""
        culprit = suppressions.evidence(obj)
        return "-" if culprit is None else link_to(Delivery, culprit.pk, culprit)

    @admin.display(description=_("reason"))
    def why(self, obj: Suppression) -> str:
        """Return the reason in words."""
        return str(Reason(obj.reason).label)


@admin.register(Endpoint)
class EndpointAdmin(LogAdmin):
    """Browsers, chat rooms and receivers of webhooks, and which of them are gone. What was given is not shown."""

    list_display = ["created_at", "recipient", "channel", "label", "host", "last_used_at", "disabled_at"]
    list_filter = ["channel"]
    list_select_related = ["recipient"]
    fields = ["id", "recipient", "channel", "label", "host", "created_at", "last_used_at", "disabled_at"]
    search_help_text = _("The whole of a user name or e-mail address.")

    def found_by(self, term: str) -> Q:
        """Return those of this user."""
        return Q(recipient__in=recipients_named(term))
