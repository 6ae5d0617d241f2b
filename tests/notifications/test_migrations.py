"""What is in the tables already is understood by the release after."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command

from notifications.types import BroadcastState
from tests.factories import make_broadcast, make_item
from tests.notifications.pipeline.test_claiming import make_event

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_broadcast_of_before_was_expanded_when_it_was_made(template):
    row = make_broadcast(template, audience="-", created_at=NOW, recipient_count=60)
    for _ in range(2):
        make_event(template, broadcast=row)

    import_module("notifications.migrations.0007_broadcasts_of_before").note_their_end(apps, None)

    row.refresh_from_db()
    assert (row.state, row.finished_at, row.due_at) == (BroadcastState.EXPANDED, NOW, NOW)
    assert (row.expanded_count, row.event_count) == (60, 2)


@pytest.mark.django_db(transaction=True)
def test_what_was_archived_but_unread_is_read_from_then_on(alice, template):
    """A release before, what business code had archived could be marked as unread."""
    call_command("migrate", "notifications", "0013", verbosity=0)
    try:
        item = make_item(alice, template, archived_at=NOW)
    finally:
        call_command("migrate", "notifications", verbosity=0)

    item.refresh_from_db()
    assert item.seen_at == item.read_at == item.archived_at == NOW
