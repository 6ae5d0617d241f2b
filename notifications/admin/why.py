"""Why did they (not) get it? A question in a form, and the answer in words: on record, and asked again now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from notifications import clock
from notifications.admin.base import as_uuid
from notifications.admin.cells import page_of
from notifications.admin.person import VIEW, address, allow
from notifications.admin_theme import Dressed
from notifications.exceptions import NotPlainData
from notifications.models import Broadcast, Delivery, Event, Notification, Template
from notifications.pipeline.drafting import object_named
from notifications.registry import did_you_mean
from notifications.services import finding
from notifications.services.explain import explain
from notifications.services.explanation import Basis, Line
from notifications.services.finding import UnknownUser
from notifications.services.remedies import Remedy, remedy

if TYPE_CHECKING:
    from django.db.models import Model

_MODELS: dict[str, type[Model]] = {
    "event": Event, "broadcast": Broadcast, "notification": Notification, "delivery": Delivery
}  # fmt: skip


class WhyForm(Dressed, forms.Form):
    """Who, with what, about what. An event says the last two."""

    user = forms.CharField(
        label=gettext_lazy("User"), help_text=gettext_lazy("A user name, an e-mail address or a primary key.")
    )
    template = forms.CharField(
        label=gettext_lazy("Template"),
        required=False,
        widget=forms.TextInput(attrs={"list": "templates", "autocomplete": "off"}),
        help_text=gettext_lazy("What they should have been told with: its code."),
    )
    about = forms.CharField(
        label=gettext_lazy("Object"), required=False, help_text=gettext_lazy("Such as orders.order:42; empty: any.")
    )
    event = forms.CharField(
        label=gettext_lazy("Event"),
        required=False,
        help_text=gettext_lazy("An id, in the place of template and object."),
    )

    #: What there is to say about the object; it is no reason not to answer.
    remark = ""

    def clean_user(self) -> Any:
        """Return the user."""
        try:
            return finding.user_named(self.cleaned_data["user"])
        except UnknownUser as e:
            raise forms.ValidationError(str(e)) from e

    def clean_template(self) -> str:
        """Return the code of a template there is."""
        code: str = self.cleaned_data["template"].strip()
        codes = Template.objects.values_list("code", flat=True)
        if code and not codes.filter(code=code).exists():
            said = {"code": code[:100], "hint": did_you_mean(code.upper(), codes)}
            raise forms.ValidationError(_("No template %(code)r%(hint)s.") % said)
        return code

    def clean_about(self) -> str:
        """Return the name of an object."""
        about: str = self.cleaned_data["about"].strip()
        try:
            return object_named(about) if about else ""
        except NotPlainData as e:
            raise forms.ValidationError(str(e)) from e

    def clean_event(self) -> Event | None:
        """Return an event that is still there."""
        term: str = self.cleaned_data["event"].strip()
        key = as_uuid(term)
        event = None if key is None else Event.objects.filter(pk=key).first()
        if term and event is None:
            raise forms.ValidationError(_("No event has this id, or it is not kept any more."))
        return event

    def clean(self) -> dict[str, Any]:
        """Return what was given, with what the event says."""
        cleaned: dict[str, Any] = super().clean() or {}
        event = cleaned.get("event")
        if event is not None:
            self._compare(cleaned, event)
        if not cleaned.get("template") and not {"template", "event"} & set(self.errors):
            self.add_error("template", _("Name a template, or an event."))
        about = cleaned.get("about")
        if about and not self.errors and not finding.is_written_about(about):
            hint = finding.objects_like(about, cleaned["template"])
            self.remark = _("Nothing on record is about %(about)r%(hint)s.") % {"about": about, "hint": hint}
        return cleaned

    def _compare(self, cleaned: dict[str, Any], event: Event) -> None:
        said = {"template": event.template_id, "about": event.about}
        for name, value in said.items():
            if cleaned.get(name) and cleaned[name] != value:
                self.add_error(name, _("The event says %(value)r; leave one of them out.") % {"value": value})
            elif name not in self.errors:
                cleaned[name] = value


@require_safe
def why(request: HttpRequest) -> HttpResponse:
    """Show the form; and the answer, if something was asked."""
    allow(request, VIEW)
    is_asked = bool(request.GET.get("user"))
    form = WhyForm(request.GET if is_asked else None, initial=request.GET.dict())
    answer = form.is_valid()
    context = {
        **admin.site.each_context(request),
        "title": _("Why did they (not) get it?"),
        "form": form,
        "codes": Template.objects.values_list("code", "name"),
        "parts": _parts(request, form.cleaned_data) if answer else [],
        "asked": form.cleaned_data if answer else None,
        "person_page": address(form.cleaned_data["user"]) if answer else "",
    }
    status = 400 if is_asked and not answer else 200
    return TemplateResponse(request, "admin/notifications/people/why.html", context, status=status)


def _parts(request: HttpRequest, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of the answer, by what they rest on."""
    told = explain(asked["user"], asked["template"], asked["about"], now=clock.now())
    return [
        {"title": basis.label, "lines": [_line(request, line, asked) for line in told.resting_on(basis)]}
        for basis in Basis
    ]


def _line(request: HttpRequest, line: Line, asked: dict[str, Any]) -> dict[str, Any]:
    row = line.row
    todo = remedy(line)
    model = None if row is None else _MODELS[row.kind]
    may_look = model is not None and request.user.has_perm(f"notifications.view_{model._meta.model_name}")
    return {
        "line": line,
        "row": page_of(model, row.id) if model and row and may_look else "",
        "kind": "" if model is None else model._meta.verbose_name,
        "todo": "" if todo is None else todo.label,
        "there": "" if todo is None else _there(todo, line, asked),
    }


def _there(todo: Remedy, line: Line, asked: dict[str, Any]) -> str:
    """Return the address where something can be done; empty: there is no page for it."""
    here = address(asked["user"])
    row = line.row
    match todo:
        case Remedy.CHANGE_WISH:
            return f"{here}#wishes"
        case Remedy.GIVE_ADDRESS:
            return f"{here}#settings"
        case Remedy.LIFT_SUPPRESSION:
            return f"{here}#lift"
        case Remedy.ACTIVATE:
            return page_of(get_user_model(), asked["user"].pk)
        case Remedy.EDIT_TEMPLATE:
            return page_of(Template, asked["template"])
        case Remedy.SEND_AGAIN:
            return page_of(_MODELS[row.kind], row.id) if row else ""
        case _resume:
            return _list_of_pauses()


def _list_of_pauses() -> str:
    try:
        return reverse("admin:notifications_pause_changelist")
    except NoReverseMatch:
        return ""
