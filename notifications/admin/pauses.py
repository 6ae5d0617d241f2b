"""The switch: what is held and what waits because of it, pausing, resuming, and the circuit breakers of the backends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications import clock
from notifications.admin import failures, figures, retention
from notifications.admin.base import LogAdmin, staff_member
from notifications.admin_theme import Dressed
from notifications.models import Pause
from notifications.services import breakers, journal, monitor, pauses
from notifications.types import Channel, PauseOrigin, PauseScope

if TYPE_CHECKING:
    from datetime import datetime

    from django_stubs_ext import StrOrPromise

    from notifications.services.pauses import Hold

SWITCH = "notifications.pause_sending"
#: Pauses that are over, shown below.
PAST = 20
#: What waits is counted for so many pauses; there are never that many.
COUNTED = 30


def _choices() -> list[tuple[Any, Any]]:
    """Return what can be held, as `scope:key`; broadcasts have a switch of their own."""
    # Nothing is chosen before somebody does, least of all everything.
    groups: list[tuple[Any, Any]] = [("", _("choose …")), (f"{PauseScope.EVERYTHING}:", _("everything"))]
    for scope, words in (
        (PauseScope.CHANNEL, _("Channels")),
        (PauseScope.BACKEND, _("Backends")),
        (PauseScope.CATEGORY, _("Categories")),
        (PauseScope.TEMPLATE, _("Templates")),
    ):
        named = [(f"{scope}:{name}", name_of(scope, name)) for name in sorted(set(pauses.names(scope)))]
        if named:
            groups.append((words, named))
    return groups


class PauseForm(Dressed, forms.Form):
    """What to hold, why, and until when."""

    what = forms.ChoiceField(label=_("What"), choices=_choices)
    note = forms.CharField(label=_("Why"), max_length=200, help_text=_("For the others: shown wherever it is held."))
    length = forms.ChoiceField(
        label=_("For how long"),
        required=False,
        choices=[
            ("", _("until it is resumed")),
            ("15", _("15 minutes")),
            ("60", _("1 hour")),
            ("240", _("4 hours")),
            ("1440", _("1 day")),
        ],
    )
    until = forms.DateTimeField(
        label=_("Or until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _("A time looks like 2026-03-01T12:00.")},
    )

    def clean(self) -> dict[str, Any]:
        """Return what was given, with one end."""
        cleaned: dict[str, Any] = super().clean() or {}
        now, until = clock.now(), cleaned.get("until")
        if until is not None and cleaned.get("length"):
            raise ValidationError({"until": _("Say either how long or until when.")})
        if until is not None and until <= now:
            raise ValidationError({"until": _("This is over already.")})
        if cleaned.get("length"):
            cleaned["until"] = now + timedelta(minutes=int(cleaned["length"]))
        return cleaned


def name_of(scope: str, key: str) -> StrOrPromise:
    """Return what is held in a word: channels have one, the others are known by their code."""
    if scope == PauseScope.EVERYTHING:
        return _("everything")
    return Channel(key).label if scope == PauseScope.CHANNEL and key in Channel.values else key


def held_in_words(pause: Pause) -> tuple[StrOrPromise, StrOrPromise]:
    """Return what is held, with the kind of thing where the name does not tell, and why."""
    name = name_of(pause.scope, pause.key)
    if pause.scope not in {PauseScope.EVERYTHING, PauseScope.CHANNEL}:
        name = f"{pause.get_scope_display()}: {name}"
    return name, pause.note or ("" if pause.origin == PauseOrigin.STAFF else pause.get_origin_display())


@admin.register(Pause)
class PauseAdmin(LogAdmin):
    """The pages of operations: their list is the switch."""

    fields = ["scope", "key", "note", "origin", "created_at", "created_by", "until", "lifted_at"]

    def get_urls(self) -> list[URLPattern]:
        """Return the pages."""
        view = self.admin_site.admin_view
        own = [
            path("begin/", view(self.begin_view), name="notifications_pause_begin"),
            path("<int:pk>/resume/", view(self.resume_view), name="notifications_pause_resume"),
        ]
        return [*own, *failures.urls(self.admin_site), *retention.urls(self.admin_site), *super().get_urls()]

    def found_by(self, term: str) -> Q:
        """Return the pauses of this name."""
        return Q(key=term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the switch."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(request, PauseForm(initial={"what": request.GET.get("what", "")}))

    def begin_view(self, request: HttpRequest) -> HttpResponse:
        """Hold something."""
        _must(request)
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:notifications_pause_changelist"))
        form = PauseForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        scope, _colon, key = form.cleaned_data["what"].partition(":")
        staff, given = staff_member(request), form.cleaned_data
        new = pauses.pause(PauseScope(scope), key, now=clock.now(), until=given["until"], note=given["note"], by=staff)
        words = {"what": name_of(scope, key)}
        if new:
            held = Pause.objects.get(scope=scope, key=key, lifted_at__isnull=True)
            journal.record(
                staff, held, f"Paused {held}.", changes={"until": (None, held.until), "note": ("", held.note)}
            )
            messages.success(request, _("Held: %(what)s. What is due waits; nothing is dropped.") % words)
        else:
            messages.warning(request, _("It is held already: %(what)s.") % words)
        monitor.forget()
        return HttpResponseRedirect(reverse("admin:notifications_pause_changelist"))

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what resuming sets free, and do it."""
        _must(request)
        now, pause = clock.now(), Pause.objects.filter(pk=pk, lifted_at__isnull=True).first()
        if pause is None:
            messages.info(request, _("This pause is over already."))
            return HttpResponseRedirect(reverse("admin:notifications_pause_changelist"))
        if request.method == "POST":
            pauses.resume(PauseScope(pause.scope), pause.key, now=now)
            journal.record(staff_member(request), pause, f"Resumed {pause}.", changes={"lifted_at": (None, now)})
            monitor.forget()
            messages.success(request, _("Resumed: %(what)s.") % {"what": name_of(pause.scope, pause.key)})
            return HttpResponseRedirect(reverse("admin:notifications_pause_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Resume %(what)s") % {"what": name_of(pause.scope, pause.key)},
            "pause": pause,
            "held": _in_words(pauses.hold_of(pause, now=now)),
            "still": _still_held_by(pause, now),
        }
        return TemplateResponse(request, "admin/notifications/pause/resume.html", context)

    def _page(self, request: HttpRequest, form: PauseForm) -> HttpResponse:
        now = clock.now()
        holds = [pauses.hold_of(pause, now=now) for pause in pauses.in_force(now)[:COUNTED]]
        past = Pause.objects.filter(lifted_at__isnull=False).select_related("created_by").order_by("-lifted_at")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Pauses and breakers"),
            "tab": "pauses",
            "form": form,
            "may_switch": request.user.has_perm(SWITCH),
            "holds": [(hold.pause, name_of(hold.pause.scope, hold.pause.key), _in_words(hold)) for hold in holds],
            "breakers": [_row(breaker) for breaker in breakers.breakers(now=now)],
            "past": [(pause, name_of(pause.scope, pause.key)) for pause in past[:PAST]],
        }
        return TemplateResponse(request, "admin/notifications/pause/pauses.html", context)


def _must(request: HttpRequest) -> None:
    if not request.user.has_perm(SWITCH):
        raise PermissionDenied


def _in_words(hold: Hold) -> dict[str, Any]:
    """Return what waits, and how long sending it takes."""
    numbers = [
        (Channel(channel).label, figures.number(number, at_least=hold.at_least))
        for channel, number in hold.deliveries.items()
    ]
    events = ngettext("%(number)s event", "%(number)s events", hold.events) % {
        "number": figures.number(hold.events, at_least=hold.at_least)
    }
    return {
        "events": events if hold.events else "",
        "deliveries": numbers,
        "nothing": not (hold.events or numbers),
        "takes": figures.duration(hold.seconds) if hold.seconds >= 1 else "",
        "at_least": hold.at_least,
    }


def _still_held_by(pause: Pause, now: datetime) -> list[StrOrPromise]:
    """Return what else is held, because some of the same may wait for that, too."""
    others = [other for other in pauses.in_force(now) if other.pk != pause.pk]
    return [name_of(other.scope, other.key) for other in others]


def _row(breaker: breakers.Breaker) -> dict[str, Any]:
    tones = {
        breakers.Circuit.CLOSED: "good",
        breakers.Circuit.RECOVERING: "warning",
        breakers.Circuit.OPEN: "bad",
        breakers.Circuit.HELD: "warning",
    }
    return {
        "breaker": breaker,
        "channel": Channel(breaker.channel).label,
        "tone": tones[breaker.state],
        "share": figures.share(round(breaker.share * 100), 100) if 0 < breaker.share < 1 else "",
        "what": f"{PauseScope.BACKEND}:{breaker.key}",
    }
