"""From the TOML files the apps ship to templates in the database; what staff edited is never overwritten."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction

from notifications.models import Category, Template, TemplateContent, TemplateVersion
from notifications.services import shipped as shipping

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.services.template_files import TemplateFile


class Seeded(StrEnum):
    """What became of one shipped template."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept: edited by staff"


def seed(*, now: datetime) -> dict[str, Seeded]:
    """Bring every shipped category and template into the database; return what became of each, by code."""
    shipped = list(shipping.read_all())
    with transaction.atomic():
        for code, fields in shipping.categories().items():
            Category.objects.get_or_create(code=code, defaults=fields)
        return {template.code: _seed_one(template, now) for template in shipped}


def _seed_one(shipped: TemplateFile, now: datetime) -> Seeded:
    template = Template.objects.select_for_update().filter(code=shipped.code).first()
    if template is None:
        template = Template(code=shipped.code, category_id=shipped.category, priority=shipped.priority)
        template.name, template.description = shipped.name, shipped.description
        template.variables, template.shipped_hash = shipped.variables, shipped.hash
        template.still_valid, template.escalation = shipped.still_valid, shipped.escalation
        template.digest, template.actions = shipped.digest, shipped.actions
        template.save(force_insert=True)
        _publish(template, shipped, now)
        return Seeded.CREATED
    if template.shipped_hash == shipped.hash:
        return Seeded.UNCHANGED
    # Variables, guard and buttons are the contract with the code that ships them, whoever edited the words.
    template.variables, template.shipped_hash = shipped.variables, shipped.hash
    template.still_valid, template.actions = shipped.still_valid, shipped.actions
    template.save(update_fields=["variables", "shipped_hash", "still_valid", "actions"])
    if template.versions.filter(origin=TemplateVersion.Origin.STAFF).exists():
        return Seeded.KEPT
    _publish(template, shipped, now)
    return Seeded.UPDATED


def _publish(template: Template, shipped: TemplateFile, now: datetime) -> None:
    last = template.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = TemplateVersion.objects.create(
        template=template, number=last + 1, origin=TemplateVersion.Origin.SHIPPED, published_at=now
    )
    TemplateContent.objects.bulk_create(
        TemplateContent(
            version=version,
            channel=content.channel,
            locale=content.locale,
            title=content.title,
            body=content.body,
            html=content.html,
        )
        for content in shipped.contents
    )
    template.live_version = version
    template.save(update_fields=["live_version"])
