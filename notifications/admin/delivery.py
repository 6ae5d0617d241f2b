"""One notification by one channel: the log, and a page that tells its life and lets staff do something about it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import clock
from notifications.admin import bulk, filters, find, people_told
from notifications.admin.base import staff_member
from notifications.admin.cells import masked, page_of, state
from notifications.admin.log import REVEAL, BigLogAdmin
from notifications.exceptions import PublishError
from notifications.models import Delivery, Event
from notifications.services import cancelling, contents, explain, journal, redrive, resend, story
from notifications.services.failed import REDRIVABLE, Obstacle, Selection
from notifications.types import DeliveryState, Reason

RETRY, CANCEL = "notifications.redrive_delivery", "notifications.cancel_delivery"

_REASONS: dict[str, Any] = dict(Reason.choices)

View = Callable[["DeliveryAdmin", HttpRequest, Delivery], HttpResponse]


def _doing(permission: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Let a view have the delivery it is about, if it is a POST of somebody with this permission."""

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def checked(self: DeliveryAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
            if not request.user.has_perm(permission) or not self.has_view_permission(request):
                raise PermissionDenied
            row = self.get_object(request, object_id)
            if not isinstance(row, Delivery):
                return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
            if request.method != "POST":
                return HttpResponseRedirect(page_of(Delivery, row.pk))
            return view(self, request, row)

        return checked

    return decorate


@admin.register(Delivery)
class DeliveryAdmin(BigLogAdmin):
    """What was decided and what came of it."""

    list_display = [
        "created_at", state, "why", "template_code", "channel", "recipient", "masked_address", "attempts",
        "due_at", "sent_at", "priority",
    ]  # fmt: skip
    list_select_related = ["recipient"]
    filter_form = filters.DeliveryForm

    def get_urls(self) -> list[Any]:
        """Return the pages of the log, of one delivery, and those that search all logs."""
        site = self.admin_site
        verbs = {"reveal": self.reveal, "retry": self.retry, "cancel": self.cancel, "resend": self.resend}
        own = [
            path(f"<path:object_id>/{verb}/", site.admin_view(view), name=f"notifications_delivery_{verb}")
            for verb, view in verbs.items()
        ]
        return [*find.urls(site), *people_told.urls(site), *bulk.urls(site), *own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page of a delivery, its words and addresses hidden."""
        row = self.get_object(request, object_id)
        if request.method != "GET" or not self.has_view_permission(request, row):
            raise PermissionDenied
        if not isinstance(row, Delivery):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._page(request, row)

    @_doing(REVEAL)
    def reveal(self, request: HttpRequest, row: Delivery) -> HttpResponse:
        """Show the page with its words and its address, and record who looked."""
        journal.record(staff_member(request), row, "Revealed its words and its address.")
        response = self._page(request, row, is_revealed=True)
        response.headers["Cache-Control"] = "no-store"
        return response

    @_doing(RETRY)
    def retry(self, request: HttpRequest, row: Delivery) -> HttpResponse:
        """Send it round again, now."""
        selection = Selection(delivery_ids=(row.pk,), include_unknown="although_unknown" in request.POST)
        if redrive.redrive(selection, now=clock.now()).deliveries:
            changes = {"state": (row.state, DeliveryState.PENDING.value)}
            journal.record(staff_member(request), row, "Sent round again.", changes=changes)
            messages.success(request, _("It is sent round again."))
        else:
            obstacle = _obstacle(row)
            why = obstacle.label if obstacle else _("it is not failed any more")
            messages.warning(request, _("It was left alone: %(obstacle)s.") % {"obstacle": why})
        return HttpResponseRedirect(page_of(Delivery, row.pk))

    @_doing(CANCEL)
    def cancel(self, request: HttpRequest, row: Delivery) -> HttpResponse:
        """Call it back."""
        if cancelling.cancel_one(row.pk, now=clock.now()):
            changes = {"state": (row.state, DeliveryState.CANCELLED.value)}
            journal.record(staff_member(request), row, "Called back.", changes=changes)
            messages.success(request, _("It was called back."))
        else:
            messages.warning(request, _("It was too late: somebody has begun to send it, or it is over."))
        return HttpResponseRedirect(page_of(Delivery, row.pk))

    @_doing(RETRY)
    def resend(self, request: HttpRequest, row: Delivery) -> HttpResponse:
        """Say it once more, as a new event."""
        here = HttpResponseRedirect(page_of(Delivery, row.pk))
        token = _token(request)
        if token is None or "confirmed" not in request.POST:
            messages.warning(request, _("Nothing was sent: confirm that it is to be said once more."))
            return here
        try:
            said = resend.resend(row, token=token, now=clock.now())
        except (resend.NotPossible, PublishError) as e:
            messages.error(request, _("It cannot be said once more: %(error)s") % {"error": e})
            return here
        (event_id,) = said.event_ids
        if said.created:
            journal.record(staff_member(request), row, f"Said once more, by the event {event_id}.")
            messages.success(request, _("It is said once more, by this event."))
        return HttpResponseRedirect(page_of(Event, event_id))

    @admin.display(description=gettext_lazy("address"))
    def masked_address(self, obj: Delivery) -> str:
        """Return the address for a list, which others may see over the shoulder."""
        return masked(obj.address)

    @admin.display(description=gettext_lazy("reason"))
    def why(self, obj: Delivery) -> str:
        """Return the reason in words."""
        # Not `get_reason_display`, which translates every reason there is, for each row of a page.
        return _REASONS.get(obj.reason, obj.reason) or "-"

    def _page(self, request: HttpRequest, row: Delivery, *, is_revealed: bool = False) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": _("Delivery"),
            "subtitle": str(row),
            "delivery": row,
            "address": row.address if is_revealed else masked(row.address),
            "said": contents.revealed(row) if is_revealed else contents.masked(row),
            "is_revealed": is_revealed,
            "moments": story.of_delivery(row),
            "plan": explain.of_notification(row.notification, now=clock.now()).lines if row.notification else (),
            "link": request.build_absolute_uri(page_of(Delivery, row.pk)),
            **_possible(request, row),
        }
        return TemplateResponse(request, "admin/notifications/delivery/page.html", context)


def _possible(request: HttpRequest, row: Delivery) -> dict[str, Any]:
    """Return what this member of staff can do about it, and what keeps them from it."""
    may_redrive, is_failed = request.user.has_perm(RETRY), row.state in REDRIVABLE
    obstacle = _obstacle(row) if may_redrive and is_failed else None
    return {
        "may_reveal": request.user.has_perm(REVEAL),
        "may_retry": may_redrive and is_failed,
        "obstacle": obstacle,
        "is_in_doubt": obstacle == Obstacle.UNKNOWN,
        "may_cancel": request.user.has_perm(CANCEL) and row.state == DeliveryState.PENDING,
        "may_resend": may_redrive,
        "resend_obstacle": resend.obstacle(row) if may_redrive else None,
        "token": uuid.uuid4(),
    }


def _obstacle(row: Delivery) -> Obstacle | None:
    groups = redrive.count(Selection(delivery_ids=(row.pk,)), now=clock.now())
    return groups[0].obstacle if groups else None


def _token(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.POST.get("token", ""))
    except ValueError:
        return None
