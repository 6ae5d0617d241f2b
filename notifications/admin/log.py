"""What happened, and who was told: to be read, never edited. Deliveries have a page of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from notifications.admin import filters
from notifications.admin.base import LogAdmin, ReadOnlyInline, staff_member
from notifications.admin.cells import link, link_to, link_to_list, masked, pretty, state
from notifications.admin.find import timeline_of
from notifications.admin.paging import LogList
from notifications.models import Delivery, Event, Notification
from notifications.services import journal, resend
from notifications.types import DeliveryState, EventState

#: Who may see addresses, variables and words as they are; each look is recorded.
REVEAL = "notifications.reveal_delivery"
HIDDEN = "•••"


class BigLogAdmin(LogAdmin):
    """A log of millions: pages from a cursor on, one form that asks for what has an index, and one box for the rest."""

    change_list_template = "admin/notifications/log_list.html"
    search_fields = []
    filter_form: type[filters.LogForm]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LogList]:
        """Return the list that neither counts nor skips."""
        return LogList

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow what the form asks for."""
        return lookup in self.filter_form.base_fields

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; what is searched for is looked for everywhere."""
        if SEARCH_VAR in request.GET:
            query = urlencode({SEARCH_VAR: request.GET[SEARCH_VAR]})
            return HttpResponseRedirect(f"{reverse('admin:notifications_find')}?{query}")
        return super().changelist_view(request, extra_context)


class RevealingAdmin(BigLogAdmin):
    """A page that hides what is personal until somebody with the right to it asks, which is recorded."""

    def get_urls(self) -> list[Any]:
        """Return the pages, and the one that reveals."""
        name = f"notifications_{self.opts.model_name}_reveal"
        reveal = method_decorator(require_POST)(self.__class__.reveal_view).__get__(self)
        return [path("<path:object_id>/reveal/", self.admin_site.admin_view(reveal), name=name), *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """Return the row, marked if its words may be shown."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.__dict__["is_revealed"] = getattr(request, "is_revealed", False)
        return row

    def reveal_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the page with everything on it, and record who looked."""
        if not request.user.has_perm(REVEAL) or not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is not None:
            journal.record(staff_member(request), row, "Revealed what it says.")
        # What follows reads only.
        request.method, request.is_revealed = "GET", True  # type: ignore[attr-defined]
        response = self.change_view(request, object_id)
        response.headers["Cache-Control"] = "no-store"
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page, with the button that reveals."""
        may_reveal = request.user.has_perm(REVEAL) and not getattr(request, "is_revealed", False)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "may_reveal": may_reveal})


@admin.register(Event)
class EventAdmin(RevealingAdmin):
    """What business code said."""

    list_display = ["created_at", "template_code", state, "priority", "people", "about", "due_at"]
    filter_form = filters.EventForm
    fieldsets = [
        (
            None,
            {"fields": ["id", "template", "state", "last_error", "priority", "about", "notifications", "deliveries"]},
        ),
        (_("What was said"), {"fields": ["told", "said", "action_url", "action_text", "asked_channels"]}),
        (_("When"), {"fields": ["created_at", "due_at", "expires_at", "cancelled_at"]}),
        (_("Where from"), {"fields": ["source", "api_key", "idempotency_key", "resent", "broadcast"]}),
        (
            _("What dispatch decided"),
            {"fields": ["recipient_count", "duplicate_count", "unknown_count", "planned_count", "claims"]},
        ),
    ]

    @admin.display(description=_("recipients"))
    def people(self, obj: Event) -> int:
        """Return how many it is for."""
        return len(obj.recipients)

    @admin.display(description=_("recipients"))
    def told(self, obj: Event) -> SafeString:
        """Return a link to the timeline of each recipient; at most 50."""
        user_model = get_user_model()
        try:
            users = {str(pk): user for pk, user in user_model._default_manager.in_bulk(obj.recipients).items()}
        except (ValueError, OverflowError):
            # An id that no user can have: dispatch failed on it, too, and this page is where staff see why.
            users = {}
        unknown = _("unknown")
        shown = ((link(timeline_of(pk), users[pk]) if pk in users else f"{pk} ({unknown})",) for pk in obj.recipients)
        return format_html_join(", ", "{}", shown)

    @admin.display(description=_("variables"))
    def said(self, obj: Event) -> SafeString:
        """Return the variables; without the right to see them, their names."""
        return pretty(obj.variables if getattr(obj, "is_revealed", False) else dict.fromkeys(obj.variables, HIDDEN))

    @admin.display(description=_("channels"))
    def asked_channels(self, obj: Event) -> str:
        """Return the channels business code asked for."""
        return str(_("all the template has wording for")) if obj.channels is None else ", ".join(obj.channels)

    @admin.display(description=_("says once more"))
    def resent(self, obj: Event) -> SafeString | str:
        """Return a link to the delivery that staff had said once more."""
        pk = resend.resent_from(obj)
        return "-" if pk is None else link_to(Delivery, pk, pk)

    @admin.display(description=_("notifications"))
    def notifications(self, obj: Event) -> SafeString:
        """Return a link to them."""
        number = Notification.objects.filter(event_id=obj.pk).count()
        return link_to_list(Notification, number, event_id__exact=obj.pk)

    @admin.display(description=_("deliveries"))
    def deliveries(self, obj: Event) -> SafeString:
        """Return a link to them, with how they stand."""
        return link_to_list(Delivery, states(Delivery.objects.filter(event_id=obj.pk)), event_id__exact=obj.pk)


class DeliveryInline(ReadOnlyInline):
    """What went out, below the notification."""

    model = Delivery
    show_change_link = True
    fields = ("channel", "masked_address", "state", "why", "attempts", "due_at", "sent_at")

    @admin.display(description=_("address"))
    def masked_address(self, obj: Delivery) -> str:
        """Return the address for a list, which others may see over the shoulder."""
        return masked(obj.address)

    @admin.display(description=_("reason"))
    def why(self, obj: Delivery) -> str:
        """Return the reason in words."""
        return obj.get_reason_display() or "-"


@admin.register(Notification)
class NotificationAdmin(RevealingAdmin):
    """One recipient's copy of an event, in the words of their inbox."""

    list_display = ["created_at", "recipient", "template_code", "about", "priority", "read_at"]
    list_select_related = ["recipient"]
    filter_form = filters.NotificationForm
    inlines = [DeliveryInline]
    fieldsets = [
        (None, {"fields": ["id", "recipient", "words", "action_text"]}),
        (_("Where from"), {"fields": ["event", "about", "template", "version", "category", "priority"]}),
        (
            _("In the inbox"),
            {"fields": ["created_at", "listed_at", "seen_at", "read_at", "archived_at", "snoozed_until", "hidden_at"]},
        ),
    ]

    @admin.display(description=_("words"))
    def words(self, obj: Notification) -> SafeString | str:
        """Return what its recipient reads; without the right to see it, that there is something."""
        if not getattr(obj, "is_revealed", False):
            return HIDDEN
        parts = ((part,) for part in (obj.title, obj.body, obj.action_url) if part)
        return format_html_join("", "<p>{}</p>", parts) or "-"

    @admin.display(description=_("event"))
    def event(self, obj: Notification) -> SafeString:
        """Return a link to it; it may be gone before its notifications are."""
        return link_to(Event, obj.event_id, obj.event_id)


def states(rows: QuerySet[Any]) -> str:
    """Return how many are in which state: `5 sent, 1 failed`."""
    counted = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    labels = {**dict(DeliveryState.choices), **dict(EventState.choices)}
    return ", ".join(f"{counted[state]} {label}" for state, label in labels.items() if state in counted) or "0"
