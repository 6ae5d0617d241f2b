"""What a suppression came of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifications.models import Delivery, ProviderEvent, Suppression
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.services import suppressions
from notifications.types import Reason, SuppressionSource

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMAIL = "alice@example.com"


def delivery(person, at, **changes):
    fields = {"recipient": person, "channel": "email", "address": EMAIL, "state": "sent", "finished_at": at}
    return Delivery.objects.create(created_at=at, due_at=at, **{**fields, **changes})


def suppressed(person, source):
    found = Unusable(channel="email", address=EMAIL, reason=Reason.HARD_BOUNCE, recipient=person and person.pk)
    suppress([found], source=source, now=NOW)
    return Suppression.objects.get()


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        (SuppressionSource.PROVIDER, {"bounced_at": NOW}),
        (SuppressionSource.PROVIDER, {"complained_at": NOW}),
        (SuppressionSource.ADAPTER, {"state": "failed"}),
    ],
    ids=["bounced", "complained", "refused"],
)
def test_the_delivery_that_an_address_was_found_out_by_is_shown(alice, bob, source, changes):
    minute = timedelta(minutes=1)
    culprit = delivery(alice, NOW - minute, **changes)
    delivery(alice, NOW - minute / 2)
    delivery(bob, NOW - minute / 2, **changes)
    delivery(alice, NOW - minute / 2, address="other@example.com", **changes)
    delivery(alice, NOW + minute, **changes)

    assert suppressions.evidence(suppressed(alice, source)) == culprit


def test_who_unsubscribed_at_the_provider_is_found_by_what_it_told(alice):
    culprit = delivery(alice, NOW)
    ProviderEvent.objects.create(
        delivery=culprit, provider="esp", event_id="1", kind="unsubscribed", at=NOW, received_at=NOW
    )

    assert suppressions.evidence(suppressed(alice, SuppressionSource.PROVIDER)) == culprit


def test_what_staff_did_themselves_or_nobody_knows_has_none(alice):
    delivery(alice, NOW, state="failed", bounced_at=NOW)
    row = suppressed(alice, SuppressionSource.STAFF)
    assert suppressions.evidence(row) is None

    row.source, row.recipient_id = SuppressionSource.ADAPTER, None
    assert suppressions.evidence(row) is None
