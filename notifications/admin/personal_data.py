"""Giving people what is held about them, and erasing it: two steps, and the name typed once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django import forms
from django.contrib import admin, messages
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from notifications import clock
from notifications.admin.base import staff_member
from notifications.admin.cells import page_of
from notifications.admin.person import ERASE, address, allow, recipient
from notifications.admin_theme import Dressed
from notifications.services import erasing, journal, personal_export
from notifications.services.erasing import WrongErasure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

#: Seconds a page waits for an erasure; workers do the rest.
PATIENCE = 2.0


class EraseForm(Dressed, forms.Form):
    """The second step: who it is, typed by hand, and upon what it is done."""

    name = forms.CharField(
        label=gettext_lazy("User name, typed once more"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=erasing.MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text=gettext_lazy("Upon what it is done, such as a ticket. Name nobody here: it is kept."),
    )
    never_write = forms.BooleanField(
        label=gettext_lazy("Never write to their addresses again"),
        required=False,
        help_text=gettext_lazy("What is kept for it is a hash, by which an address is known again."),
    )

    def __init__(self, user: Any, data: Any = None) -> None:
        self.user = user
        super().__init__(data)

    def clean_name(self) -> str:
        """Return the name, if it is this person's."""
        name: str = self.cleaned_data["name"]
        if name != self.user.get_username():
            raise forms.ValidationError(_("This is not the user name of this person; nothing is erased."))
        return name


@require_POST
def export(request: HttpRequest, pk: str) -> StreamingHttpResponse:
    """Answer with everything that is held about a person, and note who had it."""
    allow(request, ERASE)
    user = recipient(pk)
    journal.record(staff_member(request), user, _("Exported what is held about this person."), changes=None)
    parts = personal_export.in_chunks(personal_export.export(user, now=clock.now()))
    # A plain iterator would be read to its end, and into memory, before an asynchronous server sends anything.
    body: Any = _one_by_one(parts) if isinstance(request, ASGIRequest) else parts
    headers = {
        "Content-Disposition": f'attachment; filename="user-{user.pk}.json"',
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(body, content_type="application/json", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, pk: str) -> HttpResponse:
    """Show what would go, and how far it is once it was asked for; POST asks for it."""
    allow(request, ERASE)
    user = recipient(pk)
    form = EraseForm(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            _erase(request, user, form.cleaned_data)
        except WrongErasure:
            messages.warning(request, _("This is under way already."))
        return HttpResponseRedirect(reverse("admin:notifications_erase", args=[user.pk]))
    erasure = erasing.of(user)
    context = {
        **admin.site.each_context(request),
        "title": _("Erase what is held about %(name)s") % {"name": user.get_username()},
        "person": user,
        "person_page": address(user),
        "user_page": page_of(type(user), user.pk) if request.user.has_perm("auth.view_user") else "",
        "held": erasing.foresee(user),
        "many": erasing.MANY,
        "erasure": erasure,
        "is_open": erasure is not None and erasure.finished_at is None,
        "counts": erasure.done if erasure else [],
        "form": form,
    }
    status = 400 if form.is_bound else 200
    return TemplateResponse(request, "admin/notifications/people/erase.html", context, status=status)


def _erase(request: HttpRequest, user: Any, given: dict[str, Any]) -> None:
    by, now = staff_member(request), clock.now()
    erasure = erasing.request(user, by=by, note=given["note"], never_write=given["never_write"], now=now)
    # On the erasure's own row: what the journal says of the person is erased, too.
    journal.record(by, erasure, given["note"], changes=None)
    erasing.hurry(erasure, now=now, seconds=PATIENCE)
    if erasure.finished_at is not None:
        messages.success(request, _("Everything is erased."))
    else:
        messages.success(request, _("It is under way. What was waiting to be sent is called back already."))


async def _one_by_one(parts: Iterator[str]) -> AsyncIterator[str]:
    while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
        yield part
