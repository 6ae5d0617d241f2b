"""One person, as support sees them: what they want, how they are reached, what is out of use, and every change of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from notifications import clock
from notifications.admin.base import staff_member
from notifications.admin.cells import masked, page_of
from notifications.admin.person_forms import OnBehalfForm, SettingsForm, WishesForm
from notifications.admin.person_rows import LiftForm, MuteForm, RemoveEndpointForm, UnmuteForm
from notifications.models import ConsentChange, Delivery, Suppression
from notifications.services import endpoints, erasing, finding, mutes, personal, suppressions
from notifications.services.finding import UnknownUser
from notifications.types import Channel

VIEW = "notifications.view_recipientsettings"
ACT = "notifications.act_for_recipient"
ERASE = "notifications.erase_recipient"
#: Lines of the history; the rest is in its own list.
SHOWN = 50
#: What a POST asks for: its `do` → the form.
_FORMS: dict[str, type[OnBehalfForm]] = {
    "wishes": WishesForm,
    "settings": SettingsForm,
    "mute": MuteForm,
    "unmute": UnmuteForm,
    "remove": RemoveEndpointForm,
    "lift": LiftForm,
}


@require_http_methods(["GET", "HEAD"])
def find(request: HttpRequest) -> HttpResponse:
    """Ask who is meant, and lead to their page."""
    allow(request, VIEW)
    asked, error = request.GET.get("q"), ""
    if asked is not None:
        try:
            return HttpResponseRedirect(address(finding.user_named(asked)))
        except UnknownUser as e:
            error = str(e)
    context = {**admin.site.each_context(request), "title": _("People"), "asked": asked or "", "error": error}
    return TemplateResponse(request, "admin/notifications/people/find.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: str) -> HttpResponse:
    """Show a person; POST does one thing on their behalf."""
    allow(request, VIEW)
    user = recipient(pk)
    if request.method != "POST":
        return _page(request, user)
    allow(request, ACT)
    do = request.POST.get("do", "")
    if do not in _FORMS:
        raise Http404
    form = _FORMS[do](user, request.POST)
    if form.perform(staff_member(request)):
        messages.success(request, form.done)
        return HttpResponseRedirect(f"{address(user)}#{do}")
    return _page(request, user, do=do, form=form)


def allow(request: HttpRequest, permission: str) -> None:
    """Refuse who may not."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def recipient(pk: str) -> Any:
    """Return the user with a key that stood in an address, or raise 404."""
    model = get_user_model()
    try:
        key = model._meta.pk.to_python(pk)
        return model._default_manager.get(pk=key)
    except (ValidationError, OverflowError, ValueError, model.DoesNotExist) as e:
        raise Http404 from e


def address(user: Any) -> str:
    """Return the address of a person's page."""
    return reverse("admin:notifications_person", args=[user.pk])


def _page(request: HttpRequest, user: Any, *, do: str = "", form: OnBehalfForm | None = None) -> HttpResponse:
    may_act = request.user.has_perm(ACT)
    given = {do: form} if form is not None else {}
    shown = {name: given.get(name) or _FORMS[name](user) for name in ("wishes", "settings", "mute")}
    own, now = personal.settings_of(user), clock.now()
    email = str(getattr(user, get_user_model().get_email_field_name(), "") or "")
    history = ConsentChange.objects.filter(recipient=user).select_related("changed_by")[:SHOWN]
    context = {
        **admin.site.each_context(request),
        "title": _("%(name)s: notifications") % {"name": user.get_username()},
        "person": user,
        "user_page": page_of(get_user_model(), user.pk) if request.user.has_perm("auth.view_user") else "",
        "email": masked(email),
        "own": own,
        "phone": masked(own.phone),
        "may_act": may_act,
        "may_erase": request.user.has_perm(ERASE),
        "failed": do,
        "failed_form": form,
        **{f"{name}_form": one for name, one in shown.items()},
        "endpoints": [_row(row, form) for row in endpoints.of(user)],
        "mutes": [{"row": row, "is_wrong": _is_about(form, row)} for row in mutes.of(user, now=now)],
        "suppressions": [
            {**_row(row, form), **_suppression(row), "is_in_force": row.is_in_force(now)}
            for row in suppressions.of(user)[:SHOWN]
        ],
        "history": history,
        "erasure": erasing.of(user),
    }
    return TemplateResponse(
        request, "admin/notifications/people/person.html", context, status=200 if form is None else 400
    )


def _row(row: Any, form: OnBehalfForm | None) -> dict[str, Any]:
    return {"row": row, "channel": Channel(row.channel).label, "is_wrong": _is_about(form, row)}


def _is_about(form: OnBehalfForm | None, row: Any) -> bool:
    """Tell whether what could not be done was about this row."""
    given = "" if form is None else form.data.get("row", "")
    return given in {str(row.pk), getattr(row.pk, "hex", "")} - {""}


def _suppression(row: Suppression) -> dict[str, Any]:
    culprit = suppressions.evidence(row)
    return {
        "address": masked(row.address) or _("erased"),
        "said": suppressions.said(row),
        "delivery": page_of(Delivery, culprit.pk) if culprit else "",
    }
