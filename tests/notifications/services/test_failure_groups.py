"""Failures by cause: what is alike is one line, and one line can be sent round again without the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection  # noqa: F401 - the conditions of skipif name it
from django.utils import timezone

from notifications.models import Attempt, Delivery, Event
from notifications.services import failure_groups, redrive
from notifications.services.failed import Stage
from notifications.services.failure_groups import Fingerprint
from notifications.types import DeliveryState, EventState, Outcome, Reason
from tests.factories import make_broadcast, make_template
from tests.notifications.pipeline.test_claiming import make_delivery, make_event
from tests.plans import plans_of, reads_all

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def make_failure(*codes, ago=HOUR, **changes):
    """A failed e-mail, with a try for each code."""
    fields = {"state": DeliveryState.FAILED, "reason": Reason.REJECTED, "backend": "Smtp", **changes}
    row = make_delivery(finished_at=timezone.now() - ago, **fields)
    for number, code in enumerate(codes, start=1):
        Attempt.objects.create(
            delivery=row,
            number=number,
            started_at=timezone.now(),
            duration=timedelta(0),
            outcome=Outcome.PERMANENT,
            code=code,
        )
    return row


def found():
    return failure_groups.groups(now=timezone.now())


def numbers():
    return {group.fingerprint: group.number for group in found()}


def mark(**changes):
    fields = {"channel": "email", "reason": "rejected", "backend": "Smtp", "code": "550", **changes}
    return Fingerprint(stage=Stage.DELIVERY, **fields)


def test_alike_is_what_has_channel_reason_backend_and_last_code_in_common():
    make_failure("550")
    make_failure("421", "550")
    make_failure("554")
    make_failure()
    make_failure("550", channel="sms")
    make_failure("550", backend="Other")
    make_failure("550", reason=Reason.RETRIES_EXHAUSTED)

    assert numbers() == {
        mark(): 2,
        mark(code="554"): 1,
        mark(code=""): 1,
        mark(channel="sms"): 1,
        mark(backend="Other"): 1,
        mark(reason="retries_exhausted"): 1,
    }


def test_a_group_knows_when_it_began_the_newest_row_and_the_templates(template):
    old = make_failure("550", ago=3 * HOUR, template=template)
    new = make_failure("550", ago=HOUR, template=make_template("OTHER"))

    (group,) = found()

    assert (group.first_at, group.last_at, group.sample) == (old.finished_at, new.finished_at, new.pk)
    assert group.templates == {"ORDER_CREATED", "OTHER"}


def test_events_broadcasts_and_unknown_ones_are_groups_too(template):
    make_failure(state=DeliveryState.UNKNOWN, reason="")
    make_event(template, state=EventState.FAILED, last_error="boom")
    make_event(template, state=EventState.FAILED, last_error=Reason.WORKER_CRASHED)
    make_broadcast(template, audience="everybody", state="failed", last_error="boom")

    assert numbers() == {
        mark(reason="", code=""): 1,
        Fingerprint(stage=Stage.EVENT, reason="dispatch_error"): 1,
        Fingerprint(stage=Stage.EVENT, reason="worker_crashed"): 1,
        Fingerprint(stage=Stage.BROADCAST, reason="expansion_error"): 1,
    }


def test_what_was_sent_and_what_failed_long_ago_is_left_out():
    make_failure("550", ago=8 * DAY)
    make_delivery(state=DeliveryState.SENT)

    assert found() == []


def test_it_says_when_there_is_more_than_it_looked_at(monkeypatch):
    monkeypatch.setattr(failure_groups, "NEWEST", 2)
    for ago in (3, 2, 1):
        make_failure("550", ago=ago * HOUR)

    (group,) = found()

    assert group.number == 2
    assert not failure_groups.is_complete([group])


@pytest.mark.parametrize(
    ("fingerprint", "goes"),
    [
        (mark(), {"550"}),
        (mark(code=""), {"none"}),
        (mark(backend="Other"), set()),
        (Fingerprint(stage=Stage.EVENT, reason="dispatch_error"), {"event"}),
    ],
    ids=["a code", "no code", "another backend", "events"],
)
def test_one_group_goes_round_again_without_the_others(template, fingerprint, goes):
    now = timezone.now()
    event = make_event(template, state=EventState.FAILED)
    rows = {
        "550": make_failure("421", "550", event_id=event.pk),
        "554": make_failure("554", event_id=event.pk),
        "none": make_failure(event_id=event.pk),
    }
    selection = fingerprint.selection(since=now - DAY)

    counted = redrive.count(selection, now=timezone.now())
    redrive.redrive(selection, now=timezone.now())

    pending = set(Delivery.objects.filter(state=DeliveryState.PENDING).values_list("pk", flat=True))
    gone = {name for name, row in rows.items() if row.pk in pending}
    gone |= {"event"} if Event.objects.get().state == EventState.PENDING else set()
    assert gone == goes
    assert sum(group.number for group in counted) == len(goes)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the planner goes by the size of the tables")
@pytest.mark.parametrize("kind", ["delivery", "event"])
def test_they_are_read_off_an_index_of_failures(kind):
    table = f"notifications_{kind}"
    asked = [(statement, plan) for statement, plan in plans_of(found, table=table) if f'FROM "{table}"' in statement]

    assert asked
    assert all(f"{kind}_failed" in plan and not reads_all(plan, table=table) for _, plan in asked)
