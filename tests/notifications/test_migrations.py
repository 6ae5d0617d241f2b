"""What is in the tables already is understood by the release after."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps

from notifications.types import BroadcastState
from tests.factories import make_broadcast
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
