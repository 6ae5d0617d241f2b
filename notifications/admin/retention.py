"""How large the tables are, how long what is kept, and what the next rounds of retention take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from notifications import clock, conf
from notifications.admin import figures, paging
from notifications.maintenance import pruner
from notifications.maintenance.job import MAX_BATCH
from notifications.maintenance.pruner import DRAFT_DAYS, Kept
from notifications.services import table_sizes

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from django.contrib.admin import AdminSite
    from django_stubs_ext import StrOrPromise

    from notifications.services.table_sizes import TableSize

SEE = "notifications.view_dashboard"
#: Class → words, and the setting that says for how many days; none: it follows from the row.
CLASSES: dict[Kept, tuple[StrOrPromise, str]] = {
    Kept.EVENTS: (_("events"), "RETENTION_EVENTS_DAYS"),
    Kept.EMPTIED: (_("events that lose all but their key"), "RETENTION_EVENTS_DAYS"),
    Kept.KEYS: (_("idempotency keys"), "RETENTION_KEYS_DAYS"),
    Kept.BROADCASTS: (_("broadcasts"), "RETENTION_DELIVERIES_DAYS"),
    Kept.UNSAID: (_("broadcasts that lose what they had to say"), "RETENTION_FAILED_EVENTS_DAYS"),
    Kept.DRAFTS: (_("drafts of broadcasts that nobody started"), ""),
    Kept.DIGESTS: (_("digests"), "RETENTION_DELIVERIES_DAYS"),
    Kept.COUNTS: (_("counts for daily caps"), ""),
    Kept.MUTES: (_("mutes that ended"), ""),
    Kept.NOTIFICATIONS: (_("inbox items"), "RETENTION_INBOX_DAYS"),
    Kept.DELIVERIES: (_("deliveries"), "RETENTION_DELIVERIES_DAYS"),
    Kept.ATTEMPTS: (_("attempts, with their deliveries"), "RETENTION_DELIVERIES_DAYS"),
    Kept.FEEDBACK: (_("what providers told, with their deliveries"), "RETENTION_DELIVERIES_DAYS"),
}
#: Days of those that no setting changes.
_FIXED = {Kept.DRAFTS: DRAFT_DAYS}
#: They go with other rows, which are counted.
_WITH_OTHERS = {Kept.ATTEMPTS, Kept.FEEDBACK}


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the address, below those of operations."""

    def show(request: HttpRequest) -> HttpResponse:
        return retention_view(request, site)

    return [path("retention/", site.admin_view(show), name="notifications_retention")]


def retention_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show it; a POST also counts all that is over. Nothing is taken away here."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    now = clock.now()
    next_round = _asked(request, lambda: pruner.next_round(now, MAX_BATCH))
    all_over = _asked(request, lambda: pruner.count(now)) if request.method == "POST" else None
    sizes = table_sizes.sizes()
    context = {
        **site.each_context(request),
        "title": _("Retention"),
        "tab": "retention",
        "classes": [_class(kept, next_round, all_over) for kept in Kept],
        "is_dry_run": all_over is not None,
        "dry_total": figures.number(all_over.total()) if all_over is not None else "",
        "batch": figures.number(MAX_BATCH),
        "tables": [_table(table, sizes) for table in sizes],
        "total": figures.size(sum(table.size or 0 for table in sizes) or table_sizes.file_size()),
        "is_estimate": any(table.is_estimate for table in sizes),
        "has_sizes": any(table.size is not None for table in sizes),
    }
    return TemplateResponse(request, "admin/notifications/pause/retention.html", context)


def _asked(request: HttpRequest, ask: Callable[[], Counter[Kept]]) -> Counter[Kept] | None:
    """Return the answer, or None and a message: retention that is far behind takes long to count."""
    try:
        with paging.limited_time():
            return ask()
    except paging.TookTooLong:
        words = _("There is too much to count now: use manage.py prune_notifications --dry-run.")
        messages.warning(request, words)
        return None


def _class(kept: Kept, next_round: Counter[Kept] | None, all_over: Counter[Kept] | None) -> dict[str, Any]:
    words, setting = CLASSES[kept]
    is_told = next_round is not None and kept not in _WITH_OTHERS
    number = next_round[kept] if next_round is not None else 0
    return {
        "words": words,
        "setting": setting,
        "kept": _how_long(kept, setting),
        "next": figures.number(number, at_least=number >= MAX_BATCH) if is_told else "-",
        "over": "" if all_over is None else figures.number(all_over[kept]),
    }


def _how_long(kept: Kept, setting: str) -> StrOrPromise:
    if not setting and kept not in _FIXED:
        return _("until it is over")
    days: float | None = getattr(conf.current(), setting.lower()) if setting else _FIXED[kept]
    if days is None:
        return _("for good")
    return ngettext("%(number)s day", "%(number)s days", round(days)) % {"number": f"{days:g}"}


def _table(table: TableSize, sizes: list[TableSize]) -> dict[str, Any]:
    largest = max((other.size or other.rows for other in sizes), default=0)
    return {
        # The catalogue has the names of all models.
        "name": gettext(table.name),
        "rows": figures.number(table.rows, at_least=table.at_least),
        "size": figures.size(table.size),
        "indexes": figures.size(table.indexes),
        "part": round(100 * (table.size or table.rows) / largest) if largest else 0,
    }
