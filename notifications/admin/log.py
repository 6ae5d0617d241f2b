"""What happened, who was told, how, and every try: to be read, never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Count, Q, QuerySet
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications.admin.base import LogAdmin, ReadOnlyInline, as_uuid, recipients_named
from notifications.admin.cells import link_to, link_to_list, masked, pretty
from notifications.models import Attempt, Delivery, Event, Notification, ProviderEvent
from notifications.types import DeliveryState, EventState

_SEARCH_HELP = _("The whole of an id, a user name, an e-mail address, or what it is about, such as orders.order:42.")
_PROVIDER_TIMES = ["delivered_at", "bounced_at", "complained_at", "opened_at", "clicked_at"]


@admin.register(Event)
class EventAdmin(LogAdmin):
    """What business code said."""

    list_display = ["created_at", "template_code", "state", "priority", "people", "about", "due_at"]
    list_filter = ["state", "priority", "source", "template"]
    linked_by = ("id", "broadcast")
    search_help_text = _SEARCH_HELP
    fieldsets = [
        (
            None,
            {"fields": ["id", "template", "state", "last_error", "priority", "about", "notifications", "deliveries"]},
        ),
        (_("What was said"), {"fields": ["told", "said", "action_url", "action_text", "asked_channels"]}),
        (_("When"), {"fields": ["created_at", "due_at", "expires_at", "cancelled_at"]}),
        (_("Where from"), {"fields": ["source", "api_key", "idempotency_key", "broadcast"]}),
        (
            _("What dispatch decided"),
            {"fields": ["recipient_count", "duplicate_count", "unknown_count", "planned_count", "claims"]},
        ),
    ]

    def found_by(self, term: str) -> Q:
        """Return the events with this id, key or object, or that told this recipient."""
        key = as_uuid(term)
        if key is not None:
            return Q(pk=key) | Q(broadcast=key)
        told = Notification.objects.filter(recipient__in=recipients_named(term)).order_by("-pk")
        found = Q(idempotency_key=term) | Q(pk__in=list(told.values_list("event_id", flat=True)[:1000]))
        return found | Q(about=term) if ":" in term else found

    @admin.display(description=_("recipients"))
    def people(self, obj: Event) -> int:
        """Return how many it is for."""
        return len(obj.recipients)

    @admin.display(description=_("recipients"))
    def told(self, obj: Event) -> SafeString:
        """Return a link for each recipient; at most 50."""
        user_model = get_user_model()
        try:
            users = {str(pk): user for pk, user in user_model._default_manager.in_bulk(obj.recipients).items()}
        except (ValueError, OverflowError):
            # An id that no user can have: dispatch failed on it, too, and this page is where staff see why.
            users = {}
        unknown = _("unknown")
        shown = ((link_to(user_model, pk, users[pk]) if pk in users else f"{pk} ({unknown})",) for pk in obj.recipients)
        return format_html_join(", ", "{}", shown)

    @admin.display(description=_("variables"))
    def said(self, obj: Event) -> SafeString:
        """Return the variables."""
        return pretty(obj.variables)

    @admin.display(description=_("channels"))
    def asked_channels(self, obj: Event) -> str:
        """Return the channels business code asked for."""
        return str(_("all the template has wording for")) if obj.channels is None else ", ".join(obj.channels)

    @admin.display(description=_("notifications"))
    def notifications(self, obj: Event) -> SafeString:
        """Return a link to them."""
        number = Notification.objects.filter(event_id=obj.pk).count()
        return link_to_list(Notification, number, event_id__exact=obj.pk)

    @admin.display(description=_("deliveries"))
    def deliveries(self, obj: Event) -> SafeString:
        """Return a link to them, with how they stand."""
        return link_to_list(Delivery, states(Delivery.objects.filter(event_id=obj.pk)), event_id__exact=obj.pk)


class AttemptInline(ReadOnlyInline):
    """Every try, below its delivery."""

    model = Attempt
    fields = ["number", "started_at", "duration", "backend", "outcome", "code", "detail"]


class FeedbackInline(ReadOnlyInline):
    """What the provider told afterwards, below its delivery."""

    model = ProviderEvent
    verbose_name_plural = _("what the provider said")
    fields = ["at", "kind", "code", "provider", "received_at"]


@admin.register(Delivery)
class DeliveryAdmin(LogAdmin):
    """One notification by one channel: what was decided and what came of it."""

    list_display = [
        "created_at", "state", "why", "template_code", "channel", "recipient", "masked_address", "priority", "attempts",
        "due_at", "sent_at",
    ]  # fmt: skip
    list_filter = ["state", "channel", "reason", "priority", "template"]
    list_select_related = ["recipient"]
    linked_by = ("id", "event_id", "notification", "recipient")
    search_help_text = _SEARCH_HELP
    inlines = [AttemptInline, FeedbackInline]
    fieldsets = [
        (None, {"fields": ["id", "state", "why", "last_error", "channel", "recipient", "address", "priority"]}),
        (_("What was told"), {"fields": ["event", "notification", "template", "version", "category", "own_content"]}),
        (_("When"), {"fields": ["created_at", "due_at", "expires_at", "started_at", "sent_at", "attempts", "claims"]}),
        (
            _("What the provider said"),
            {"fields": ["backend", "provider_message_id", *_PROVIDER_TIMES], "classes": ["collapse"]},
        ),
    ]

    def found_by(self, term: str) -> Q:
        """Return the deliveries with this id, of this event or notification, about this object, or to this user."""
        key = as_uuid(term)
        if key is not None:
            return Q(pk=key) | Q(event_id=key) | Q(notification=key)
        found = Q(recipient__in=recipients_named(term))
        return found | Q(notification__about=term) if ":" in term else found

    @admin.display(description=_("address"))
    def masked_address(self, obj: Delivery) -> str:
        """Return the address for a list, which others may see over the shoulder."""
        return masked(obj.address)

    @admin.display(description=_("reason"))
    def why(self, obj: Delivery) -> str:
        """Return the reason in words."""
        return obj.get_reason_display() or "-"

    @admin.display(description=_("event"))
    def event(self, obj: Delivery) -> SafeString | str:
        """Return a link to it; it may be gone before its deliveries are."""
        return link_to(Event, obj.event_id, obj.event_id) if obj.event_id else "-"

    @admin.display(description=_("content"))
    def own_content(self, obj: Delivery) -> Any:
        """Return what it was given instead of a version."""
        return _("rendered from the version when it is sent") if obj.content is None else pretty(obj.content)


class DeliveryInline(ReadOnlyInline):
    """What went out, below the notification."""

    model = Delivery
    show_change_link = True
    fields = ("channel", "masked_address", "state", "why", "attempts", "due_at", "sent_at")
    masked_address = DeliveryAdmin.masked_address
    why = DeliveryAdmin.why


@admin.register(Notification)
class NotificationAdmin(LogAdmin):
    """One recipient's copy of an event, in the words of their inbox."""

    list_display = ["created_at", "recipient", "title", "template_code", "about", "priority", "read_at"]
    list_filter = ["priority", "category", "template"]
    list_select_related = ["recipient"]
    linked_by = ("id", "event_id", "recipient")
    search_help_text = _SEARCH_HELP
    inlines = [DeliveryInline]
    fieldsets = [
        (None, {"fields": ["id", "recipient", "title", "body", "action_url", "action_text"]}),
        (_("Where from"), {"fields": ["event", "about", "template", "version", "category", "priority"]}),
        (
            _("In the inbox"),
            {"fields": ["created_at", "listed_at", "seen_at", "read_at", "archived_at", "snoozed_until", "hidden_at"]},
        ),
    ]

    def found_by(self, term: str) -> Q:
        """Return the notifications with this id, of this event, about this object, or of this recipient."""
        key = as_uuid(term)
        if key is not None:
            return Q(pk=key) | Q(event_id=key)
        found = Q(recipient__in=recipients_named(term))
        return found | Q(about=term) if ":" in term else found

    @admin.display(description=_("event"))
    def event(self, obj: Notification) -> SafeString:
        """Return a link to it; it may be gone before its notifications are."""
        return link_to(Event, obj.event_id, obj.event_id)


def states(rows: QuerySet[Any]) -> str:
    """Return how many are in which state: `5 sent, 1 failed`."""
    counted = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    labels = {**dict(DeliveryState.choices), **dict(EventState.choices)}
    return ", ".join(f"{counted[state]} {label}" for state, label in labels.items() if state in counted) or "0"
