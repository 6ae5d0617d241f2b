"""The database keeps what is published: deliveries are pinned to it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications.models import TemplateContent, TemplateVersion
from notifications.services import templates

FIRST_OF_MARCH = datetime(2026, 3, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "change", [{"body": "x"}, {"title": "x"}, {"html": "x"}, {"channel": "chat"}, {"locale": "fr"}]
)
def test_published_words_cannot_be_changed(template, change):
    before = list(TemplateContent.objects.values())

    with pytest.raises(IntegrityError, match="published version is not changed"), transaction.atomic():
        TemplateContent.objects.filter(version=template.live_version, channel="email").update(**change)

    assert list(TemplateContent.objects.values()) == before


@pytest.mark.parametrize("change", [{"number": 9}, {"published_at": None}, {"published_at": FIRST_OF_MARCH}], ids=str)
def test_a_published_version_stays_what_it_is(template, change):
    with pytest.raises(IntegrityError, match="published version is not changed"), transaction.atomic():
        TemplateVersion.objects.filter(pk=template.live_version_id).update(**change)


def test_a_draft_is_changed_and_published(template, admin_user):
    draft = templates.draft_of(template, user=admin_user)

    assert TemplateContent.objects.filter(version=draft).update(body="Changed.") == 4
    templates.publish(draft, user=admin_user, now=timezone.now())


def test_words_are_not_moved_out_of_a_published_version(template, admin_user):
    draft = templates.draft_of(template, user=admin_user)
    rows = TemplateContent.objects.filter(version=template.live_version, channel="sms")

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(version=draft, variant="b")


def test_an_account_that_wrote_it_can_be_erased(template, charlie):
    TemplateVersion.objects.update(created_by=charlie, edited_by=charlie)

    charlie.delete()

    assert TemplateVersion.objects.get().edited_by is None
