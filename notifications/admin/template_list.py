"""What the list of templates says about each: what is live, in which languages, who wrote it, and how it went of late."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import DateTimeField, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from notifications.admin.base import CarefulAdmin
from notifications.admin.cells import at
from notifications.models import Template, TemplateContent, TemplateVersion
from notifications.services import coverage, statistics
from notifications.types import Channel

DAYS = 7


class TemplateList(ChangeList):
    """A page of templates, with what became of their deliveries."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the rows, then their figures in one query."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        volumes = statistics.of_templates([template.pk for template in self.result_list], days=DAYS)
        for template in self.result_list:
            template.volume = volumes.get(template.pk)


class TemplateColumns(CarefulAdmin):
    """The columns, in as many queries for many templates as for one."""

    list_display = [
        "code",
        "name",
        "live",
        "channels",
        "languages",
        "of_late",
        "last_edit",
        "category",
        "priority",
        at("disabled_at"),
    ]
    list_select_related = ["category", "live_version"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return what reads a page."""
        return TemplateList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        """Read what a page of the list shows in three queries."""
        contents = TemplateContent.objects.only("version_id", "channel", "locale")
        versions = TemplateVersion.objects.filter(template=OuterRef("pk"))
        latest = versions.annotate(at=Coalesce("edited_at", "created_at", output_field=DateTimeField())).order_by("-at")
        name = get_user_model().USERNAME_FIELD
        by = latest.values_list(Coalesce(F(f"edited_by__{name}"), F(f"created_by__{name}")), flat=True)[:1]
        found: QuerySet[Template] = (
            super()
            .get_queryset(request)
            .annotate(last_edit_at=Subquery(latest.values("at")[:1]), last_edit_by=Subquery(by))
            .prefetch_related(
                Prefetch("live_version__contents", queryset=contents),
                Prefetch(
                    "versions", queryset=TemplateVersion.objects.filter(published_at__isnull=True), to_attr="drafts"
                ),
            )
        )
        return found

    @admin.display(description=_("channels"))
    def channels(self, obj: Template) -> str:
        """Return the channels that have words."""
        return ", ".join(dict.fromkeys(str(content.get_channel_display()) for content in _live(obj)))

    @admin.display(description=_("languages"))
    def languages(self, obj: Template) -> SafeString | str:
        """Return the languages of the words, how much of the site's is covered, and whose words the others get."""
        live = _live(obj)
        found = coverage.of(live)
        if not found.total:
            return "-"
        tags = ", ".join(dict.fromkeys(content.locale or str(_("any")) for content in live))
        number = _("%(covered)s of %(total)s") % {"covered": found.covered, "total": found.total}
        gaps = [
            (f"{Channel(channel).label}, {cell.locale} → {cell.used or _('any language')}",)
            for channel, cell in found.gaps
        ]
        if not gaps:
            return format_html("{}<br>{}", tags, number)
        unfolded = format_html_join("", "<div>{}</div>", gaps)
        return format_html("{}<details><summary>{}</summary>{}</details>", tags, number, unfolded)

    @admin.display(description=_("live version"))
    def live(self, obj: Template) -> str:
        """Return the number of the version that new events use, and of the draft."""
        number = f"v{obj.live_version.number}" if obj.live_version else "-"
        draft = self.draft(obj)
        return f"{number} ({_('draft')} {draft})" if draft else number

    @admin.display(description=_("last edit"), ordering="last_edit_at")
    def last_edit(self, obj: Any) -> SafeString | str:
        """Return when its words were changed last, and by whom; nobody: they came with the code."""
        if obj.last_edit_at is None:
            return "-"
        return format_html("{}<br>{}", f"{localtime(obj.last_edit_at):%Y-%m-%d %H:%M}", obj.last_edit_by or "")

    @admin.display(description=_("7 days"))
    def of_late(self, obj: Any) -> SafeString | str:
        """Return how many were sent of late, and which share failed of those that were tried."""
        found: statistics.Volume | None = obj.volume
        if found is None or not (tried := found.sent + found.failed):
            return "-"
        said = {
            "sent": formats.number_format(found.sent, force_grouping=True),
            "share": formats.number_format(100 * found.failed / tried, 1),
        }
        return format_html("{}<br>{}", _("%(sent)s sent") % said, _("%(share)s %% failed") % said)

    def draft(self, obj: Template) -> str | None:
        """Return the number of the version that is being written."""
        drafts: list[TemplateVersion] = getattr(obj, "drafts", [])
        return f"v{drafts[0].number}" if drafts else None


def _live(template: Template) -> list[TemplateContent]:
    return list(template.live_version.contents.all()) if template.live_version else []
