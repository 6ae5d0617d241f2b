"""What somebody wants to hear, by which channel and how often, and their settings, as a page of forms."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from notifications import clock
from notifications.api.preferences import REASONS
from notifications.exceptions import NotPlainData, WrongPreference
from notifications.inputs import check_text
from notifications.labels import LABELS, for_scripts, translated
from notifications.models import Category
from notifications.pages import hours
from notifications.pages.page import Visit, WrongInput, page, show
from notifications.services import endpoints, personal, preferences
from notifications.services.consent import Origin, changing
from notifications.services.preferences import Cell, Wish
from notifications.types import Cadence, Channel, ConsentSource, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Fields of one form; a matrix is far smaller.
MAX_WISHES = 500
KINDS = ("category", "template")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def shown(request: Visit) -> HttpResponse:
    """Show the forms; POST writes the wishes, all of them or none."""
    if request.method != "POST":
        return _page(request)
    wishes = list(wishes_of(request))
    if refused := preferences.refusals(wishes):
        return _page(request, errors=[str(error) for error in refused.values()], status=400)
    preferences.set_cadences(request.user, wishes, now=clock.now(), origin=_origin(request))
    return _saved(request)


@page
@require_POST
def settings_saved(request: Visit) -> HttpResponse:
    """Write time zone, language and quiet hours, all of them or none."""
    given = {name: _text(request, name) for name in ("time_zone", "locale", "from", "to")}
    given["no_quiet_hours"] = request.POST.get("no_quiet_hours", "")
    own, origin, now = request.personal, _origin(request), clock.now()
    try:
        with changing(request.user):
            quiet = hours.written(own.quiet_hours, given["from"], given["to"], none=bool(given["no_quiet_hours"]))
            personal.set_time_zone(request.user, given["time_zone"], now=now, origin=origin)
            personal.set_locale(request.user, given["locale"], now=now, origin=origin)
            personal.set_quiet_hours(request.user, quiet, now=now, origin=origin)
    except WrongPreference as e:
        return _page(request, errors=[str(e)], given=given, status=400)
    return _saved(request)


def _saved(request: Visit) -> HttpResponse:
    messages.success(request, LABELS["saved"])
    return HttpResponseRedirect(reverse("notifications:preferences"))


def _page(
    request: Visit, *, errors: Iterable[str] = (), given: Mapping[str, str] | None = None, status: int = 200
) -> HttpResponse:
    own = request.personal
    daily, by_weekday = hours.read(own.quiet_hours)
    chosen = {"time_zone": own.time_zone, "locale": own.locale, "from": daily[0], "to": daily[1], **(given or {})}
    context = {
        "rows": rows_of(preferences.matrix(request.user)),
        "errors": list(errors),
        "chosen": chosen,
        "by_weekday": by_weekday,
        "zones": [(name, name.replace("_", " ")) for name in _zones()],
        "locales": settings.LANGUAGES,
        "labels": LABELS,
        "push": _push(),
    }
    return show(request, "preferences.html", context, status=status)


def _push() -> dict[str, str] | None:
    """Return what the script needs to turn on push; None: nobody can here."""
    if not endpoints.vapid_public_key():
        return None
    return {"api": f"{reverse('notification-list').rstrip('/')}/", "labels": for_scripts() or "{}"}


def rows_of(cells: list[Cell]) -> list[dict[str, Any]]:
    """Return the categories, each followed by its templates with wishes of their own, with their fields."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    categories = Category.objects.in_bulk()
    for cell in sorted(cells, key=lambda cell: (cell.category, cell.template)):
        category = categories[cell.category]
        head = {
            "name": translated(cell.template_name if cell.template else category.name),
            "description": "" if cell.template else translated(category.description),
            "is_template": bool(cell.template),
            "fields": [],
        }
        rows.setdefault((cell.category, cell.template), head)["fields"].append(_field(cell))
    return list(rows.values())


def _field(cell: Cell) -> dict[str, Any]:
    kind = "template" if cell.template else "category"
    is_own = cell.level == (Level.TEMPLATE if cell.template else Level.CATEGORY)
    name = f"{kind}:{cell.template or cell.category}:{cell.channel}"
    default = LABELS["default"] if is_own else str(LABELS["default_is"]).replace("{name}", str(cell.cadence.label))
    choices = [("", default), *((cadence.value, cadence.label) for cadence in cell.cadences)]
    return {
        "name": name,
        "channel": Channel(cell.channel).label,
        "value": cell.cadence.value if is_own else "",
        "choices": choices,
        "is_locked": cell.is_locked,
        "cadence": Cadence(cell.cadence).label,
        "reason": REASONS[cell.level],
    }


def wishes_of(request: HttpRequest) -> Iterable[Wish]:
    """Yield the wishes of the form: fields `category:orders:email`, empty for none."""
    names = [name for name in request.POST if name.partition(":")[0] in KINDS]
    if not 0 < len(names) <= MAX_WISHES:
        raise WrongInput
    for name in names:
        kind, _, rest = name.partition(":")
        target, _, channel = rest.rpartition(":")
        if not _is_plain(name) or not target:
            raise WrongInput
        yield Wish(channel=channel, cadence=_text(request, name) or None, **{kind: target})


def _text(request: HttpRequest, name: str) -> str:
    """Return a field's text; raise `WrongInput` if there is none, or it is no text."""
    value = request.POST.get(name)
    if value is None or not _is_plain(value):
        raise WrongInput
    return value


def _is_plain(text: str) -> bool:
    try:
        check_text(text, "The field")
    except NotPlainData:
        return False
    return True


def _origin(request: Visit) -> Origin:
    return Origin(source=ConsentSource.API, by=request.user)


@cache
def _zones() -> tuple[str, ...]:
    """Return the zones that are named after places, and UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))
