"""The front door: what it stores, what it refuses, and in whose transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from notifications import exceptions, registry, wakeups
from notifications.models import Broadcast, Category, Delivery, Event
from notifications.pipeline import outbox
from notifications.publishing import (
    Priority,
    audience,
    cancel_event,
    publish_batch_notification,
    publish_notification,
    reschedule_event,
)
from notifications.types import DeliveryState, EventState
from tests.factories import make_template

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VARIABLES = {"order_number": "ORD-1"}


@pytest.fixture
def rung(monkeypatch):
    """Return the wake-ups that were asked for: (actor, due_at)."""
    calls: list = []
    monkeypatch.setattr(wakeups._sender, "put", lambda actor, delay: calls.append((actor, round(delay))))
    return calls


def users(number):
    model = get_user_model()
    model.objects.bulk_create(model(username=f"user{i}", email=f"user{i}@example.com") for i in range(number))
    return model.objects.filter(username__startswith="user").order_by("pk")


@time_machine.travel(NOW, tick=False)
def test_one_row_holds_all_that_was_said(alice, template):
    published = publish_notification(
        "ORDER_CREATED",
        recipient=alice,
        variables=VARIABLES,
        priority="high",
        delay=timedelta(minutes=5),
        expires_in=timedelta(hours=1),
        action_url="/orders/1/",
        action_text="View order",
        channels=["email", "in_app", "email"],
        about=template.category,
    )

    event = Event.objects.get()
    assert published.id == event.pk
    assert published.created
    assert event.state == EventState.PENDING
    assert event.recipients == [str(alice.pk)]
    assert event.variables == VARIABLES
    assert event.priority == Priority.HIGH
    assert event.due_at == NOW + timedelta(minutes=5)
    assert event.expires_at == NOW + timedelta(minutes=65)
    assert event.channels == ["email", "in_app"]
    assert event.about == "notifications.category:orders"
    assert (event.action_url, event.action_text) == ("/orders/1/", "View order")


def test_publishing_costs_one_insert(alice, template, django_assert_num_queries):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)

    with django_assert_num_queries(1) as queries:
        publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)

    assert sum("INSERT" in query["sql"] for query in queries.captured_queries) == 1


@pytest.mark.parametrize("given", [Priority.LOW, 3, "low", "LOW"], ids=repr)
def test_a_priority_may_be_a_member_a_number_or_a_name(alice, template, given):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, priority=given)

    assert Event.objects.get().priority == Priority.LOW


def test_without_a_priority_the_templates_own_counts(alice):
    make_template("URGENT_THING", priority=Priority.URGENT)

    publish_notification("URGENT_THING", recipient=alice, variables=VARIABLES)

    assert Event.objects.get().priority == Priority.URGENT


def test_a_user_may_be_given_by_primary_key_as_number_or_text(alice, template):
    publish_batch_notification("ORDER_CREATED", recipients=[alice, alice.pk, str(alice.pk)], variables=VARIABLES)

    event = Event.objects.get()
    assert event.recipients == [str(alice.pk)]
    assert event.duplicate_count == 2


WRONG = {
    "template": (
        {"template": "ORDER_CREATD"},
        exceptions.UnknownTemplate,
        "No template 'ORDER_CREATD' (did you mean 'ORDER_CREATED'?).",
    ),
    "missing": ({"variables": {}}, exceptions.WrongVariables, "'order_number' is missing"),
    "none": ({"variables": None}, exceptions.WrongVariables, "'order_number' is missing"),
    "unknown": (
        {"variables": {**VARIABLES, "order_numbr": 1}},
        exceptions.WrongVariables,
        "'order_numbr' is unknown (did you mean 'order_number'?)",
    ),
    "not a dict": ({"variables": ["x"]}, exceptions.NotPlainData, "`variables` is a list"),
    "decimal": ({"variables": {"order_number": Decimal(1)}}, exceptions.NotPlainData, "order_number is a Decimal"),
    "too large": ({"variables": {"order_number": "x" * 20_000}}, exceptions.NotPlainData, "at most 16384"),
    "javascript": ({"action_url": "javascript:x"}, exceptions.UnsafeLink, "'javascript:x' is refused"),
    "action text": ({"action_text": "x" * 101}, exceptions.NotPlainData, "`action_text` has 101 characters"),
    "priority": ({"priority": "hihg"}, exceptions.UnknownPriority, "'hihg' (did you mean 'high'?)"),
    "number": ({"priority": 9}, exceptions.UnknownPriority, "No priority 9"),
    "channel": (
        {"channels": ["smss"]},
        exceptions.UnknownChannel,
        "'smss' in NOTIFICATION_CHANNELS (did you mean 'sms'?)",
    ),
    "channels": ({"channels": "smss"}, exceptions.UnknownChannel, "did you mean 'sms'?"),
    "both times": ({"delay": timedelta(1), "send_at": NOW}, exceptions.WrongTime, "not both"),
    "naive": ({"send_at": datetime(2026, 1, 1)}, exceptions.WrongTime, "aware"),  # noqa: DTZ001
    "negative": ({"delay": timedelta(-1)}, exceptions.WrongTime, "zero or more"),
    "number as delay": ({"delay": 60}, exceptions.WrongTime, "pass a timedelta"),
    "endless": ({"delay": timedelta.max}, exceptions.WrongTime, "beyond the last year"),
    "expiry": ({"expires_in": timedelta(0)}, exceptions.WrongTime, "above zero"),
    "nobody": ({"recipient": None}, exceptions.WrongRecipients, "pass a User"),
    "no key": ({"recipient": "alice"}, exceptions.WrongRecipients, "'alice' is not a primary key of User"),
    "about": ({"about": Category()}, exceptions.NotPlainData, "not saved yet"),
    "about a number": ({"about": 42}, exceptions.NotPlainData, "`about` is a int"),
    "empty key": ({"idempotency_key": ""}, exceptions.NotPlainData, "`idempotency_key` is empty"),
    "long key": ({"idempotency_key": "x" * 201}, exceptions.NotPlainData, "at most 200"),
    "surrogate key": ({"idempotency_key": "\ud800"}, exceptions.NotPlainData, "surrogate"),
}


@pytest.mark.parametrize(("change", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_at_the_call_and_nothing_is_stored(alice, template, rung, change, error, words):
    call = {"template": "ORDER_CREATED", "recipient": alice, "variables": VARIABLES, **change}

    with transaction.atomic(), pytest.raises(error) as raised:
        publish_notification(call.pop("template"), **call)

    assert words in str(raised.value)
    assert not Event.objects.exists()
    assert rung == []


def test_an_unsaved_user_is_refused(template):
    with pytest.raises(exceptions.WrongRecipients, match="not saved yet"):
        publish_notification("ORDER_CREATED", recipient=get_user_model()(), variables=VARIABLES)


@pytest.mark.parametrize("recipients", ["alice", b"bob"])
def test_a_batch_wants_a_list(template, recipients):
    with pytest.raises(exceptions.WrongRecipients, match="pass a list"):
        publish_batch_notification("ORDER_CREATED", recipients=recipients, variables=VARIABLES)


def test_a_queryset_of_something_else_is_refused(template):
    with pytest.raises(exceptions.WrongRecipients, match="a queryset of Group, not a queryset of users"):
        publish_batch_notification("ORDER_CREATED", recipients=Group.objects.all(), variables=VARIABLES)


def test_with_no_template_seeded_the_error_says_how_to_seed(alice):
    with pytest.raises(exceptions.UnknownTemplate, match=r"run manage\.py seed_notification_templates"):
        publish_notification("ORDER_CREATED", recipient=alice)


def test_the_actor_of_the_priority_is_woken_after_commit_only(
    alice, template, rung, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, priority="urgent")
        assert rung == []

    assert rung == [("dispatch_urgent", 0)]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_leaves_no_event_and_no_wake_up(alice, template, rung):
    with transaction.atomic():
        publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)
        transaction.set_rollback(True)

    assert not Event.objects.exists()
    assert rung == []


@pytest.mark.parametrize(("delay", "expected"), [(30, [("dispatch_normal", 30)]), (3600, [])])
def test_a_short_delay_rings_in_time_and_a_long_one_is_left_to_the_clock(
    alice, template, rung, django_capture_on_commit_callbacks, delay, expected
):
    with django_capture_on_commit_callbacks(execute=True):
        publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, delay=timedelta(seconds=delay))

    assert rung == expected


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("send_at", "due_at"), [(NOW + timedelta(days=9), NOW + timedelta(days=9)), (NOW - timedelta(days=9), NOW)]
)
def test_send_at_is_kept_and_what_is_past_is_due_now(alice, template, send_at, due_at):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, send_at=send_at)

    assert Event.objects.get().due_at == due_at


def test_the_same_key_and_request_is_the_same_event(alice, template):
    first = publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, idempotency_key="k")
    again = publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, idempotency_key="k")

    assert (first.created, again.created) == (True, False)
    assert first.id == again.id
    assert Event.objects.count() == 1


def test_the_same_key_with_another_request_is_a_conflict(alice, bob, template):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, idempotency_key="k")

    with pytest.raises(exceptions.IdempotencyConflict, match="'k' was used for another request"):
        publish_notification("ORDER_CREATED", recipient=bob, variables=VARIABLES, idempotency_key="k")

    # The caller's transaction goes on.
    assert Event.objects.count() == 1


def test_fifty_are_one_event_and_fifty_one_a_broadcast(template, rung, django_capture_on_commit_callbacks):
    everybody = list(users(51))

    one = publish_batch_notification("ORDER_CREATED", recipients=everybody[:50], variables=VARIABLES)
    assert (len(one.event_ids), one.broadcast_id) == (1, None)

    with django_capture_on_commit_callbacks(execute=True):
        many = publish_batch_notification("ORDER_CREATED", recipients=everybody, variables=VARIABLES)

    assert many.recipient_count == 51
    assert [len(event.recipients) for event in Event.objects.filter(broadcast=many.broadcast_id).order_by("pk")] == [
        50,
        1,
    ]
    assert Broadcast.objects.get().recipient_count == 51
    assert rung == [("dispatch_normal", 0)]


def test_a_queryset_becomes_a_broadcast_that_tells_everybody_once(template, django_assert_max_num_queries):
    queryset = users(240)
    publish_notification("ORDER_CREATED", recipient=queryset[0], variables=VARIABLES)

    with django_assert_max_num_queries(8):
        batch = publish_batch_notification("ORDER_CREATED", recipients=queryset, variables=VARIABLES)

    told = [pk for event in Event.objects.filter(broadcast=batch.broadcast_id) for pk in event.recipients]
    assert sorted(told) == sorted(str(user.pk) for user in queryset)


def test_a_broadcast_published_again_with_its_key_is_the_same_broadcast(template):
    queryset = users(120)

    first = publish_batch_notification("ORDER_CREATED", recipients=queryset, variables=VARIABLES, idempotency_key="b")
    again = publish_batch_notification("ORDER_CREATED", recipients=queryset, variables=VARIABLES, idempotency_key="b")

    assert again.broadcast_id == first.broadcast_id
    assert again.event_ids == first.event_ids
    assert not again.created
    assert (Event.objects.count(), Broadcast.objects.count()) == (3, 1)


def test_a_batch_for_nobody_is_checked_and_stores_nothing(template):
    batch = publish_batch_notification("ORDER_CREATED", recipients=[], variables=VARIABLES)

    assert (batch.event_ids, batch.recipient_count, Event.objects.count()) == ((), 0, 0)
    with pytest.raises(exceptions.WrongVariables):
        publish_batch_notification("ORDER_CREATED", recipients=[])


def test_a_waiting_event_can_be_cancelled_once(alice, template):
    published = publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, delay=timedelta(hours=1))

    assert cancel_event(published.id)
    assert not cancel_event(published.id)

    event = Event.objects.get()
    assert event.state == EventState.CANCELLED
    assert event.cancelled_at is not None
    assert not Delivery.objects.filter(state=DeliveryState.PENDING).exists()


def test_cancelling_what_does_not_exist_changes_nothing(template):
    assert not cancel_event(template_id_of_nothing())


def template_id_of_nothing():
    from uuid import uuid4

    return uuid4()


def test_a_key_whose_holder_is_pruned_at_this_moment_is_ours(alice, template, monkeypatch):
    publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, idempotency_key="k")
    insert = type(Event.objects).bulk_create

    def insert_then_prune(manager, events, **options):
        inserted = insert(manager, events, **options)
        Event.objects.exclude(pk=events[0].pk).delete()
        return inserted

    monkeypatch.setattr(type(Event.objects), "bulk_create", insert_then_prune)
    again = publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, idempotency_key="k")

    assert again.created
    assert Event.objects.get().pk == again.id


# --- Audiences ------------------------------------------------------------------------------------------------------


@pytest.fixture
def everybody(monkeypatch):
    monkeypatch.setattr(registry, "_audiences", {})
    audience("everybody")(get_user_model().objects.all)


def test_an_audience_becomes_a_broadcast_that_waits_for_the_workers(
    template, everybody, rung, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        batch = publish_batch_notification("ORDER_CREATED", audience="everybody", variables=VARIABLES)

    row = Broadcast.objects.get()
    assert (row.pk, row.audience, row.state) == (batch.broadcast_id, "everybody", "pending")
    assert (batch.recipient_count, batch.created) == (None, True)
    assert rung == [("expand_broadcast", 0)]
    assert not Event.objects.exists()


def test_an_audience_is_named_right_or_refused(template, everybody):
    with pytest.raises(exceptions.UnknownAudience, match=r"No audience 'everbody' \(did you mean 'everybody'\?\)"):
        publish_batch_notification("ORDER_CREATED", audience="everbody", variables=VARIABLES)
    with pytest.raises(exceptions.WrongVariables):
        publish_batch_notification("ORDER_CREATED", audience="everybody")

    assert not Broadcast.objects.exists()


@pytest.mark.parametrize("options", [{}, {"recipients": [1], "audience": "everybody"}], ids=["neither", "both"])
def test_a_batch_is_for_recipients_or_for_an_audience(template, everybody, options):
    with pytest.raises(exceptions.WrongRecipients, match="Pass `recipients` or `audience`"):
        publish_batch_notification("ORDER_CREATED", variables=VARIABLES, **options)


def test_the_key_of_an_audience_covers_the_whole_request(template, everybody):
    options: Any = {"variables": VARIABLES, "idempotency_key": "k"}
    first = publish_batch_notification("ORDER_CREATED", audience="everybody", **options)

    assert publish_batch_notification("ORDER_CREATED", audience="everybody", **options).broadcast_id == (
        first.broadcast_id
    )
    with pytest.raises(exceptions.IdempotencyConflict):
        publish_batch_notification("ORDER_CREATED", audience="everybody", priority="low", **options)
    with pytest.raises(exceptions.IdempotencyConflict):
        publish_batch_notification("ORDER_CREATED", recipients=[1], **options)
    assert Broadcast.objects.count() == 1


# --- Broadcasts of lists --------------------------------------------------------------------------------------------


def test_the_key_of_a_broadcast_covers_every_recipient(template):
    everybody = list(users(120))
    publish_batch_notification("ORDER_CREATED", recipients=everybody, variables=VARIABLES, idempotency_key="k")

    with pytest.raises(exceptions.IdempotencyConflict):
        publish_batch_notification("ORDER_CREATED", recipients=everybody[:-1], variables=VARIABLES, idempotency_key="k")
    assert (Event.objects.count(), Broadcast.objects.count()) == (3, 1)


def test_a_wrong_recipient_far_down_the_list_stores_nothing(template):
    everybody = [*users(120), None]

    with pytest.raises(exceptions.WrongRecipients, match="The recipient is None"):
        publish_batch_notification("ORDER_CREATED", recipients=everybody, variables=VARIABLES)

    assert (Event.objects.count(), Broadcast.objects.count()) == (0, 0)


def test_a_broadcast_of_many_events_is_inserted_bit_by_bit(template, monkeypatch):
    monkeypatch.setattr(outbox, "INSERT_ROWS", 2)

    batch = publish_batch_notification("ORDER_CREATED", recipients=users(330), variables=VARIABLES)

    row = Broadcast.objects.get()
    assert (row.event_count, row.expanded_count, len(batch.event_ids)) == (7, 330, 7)
    assert Event.objects.filter(broadcast=row, variables=VARIABLES).count() == 7


def test_more_duplicates_than_a_small_number_holds_are_counted(alice, template):
    batch = publish_batch_notification("ORDER_CREATED", recipients=[alice.pk] * 40_000, variables=VARIABLES)

    assert batch.duplicate_count == 39_999
    assert Event.objects.get().duplicate_count == 39_999


# --- Another time ---------------------------------------------------------------------------------------------------


def test_an_event_can_be_moved_and_what_it_has_left_moves_along(
    alice, template, rung, django_capture_on_commit_callbacks
):
    published = publish_notification(
        "ORDER_CREATED", recipient=alice, variables=VARIABLES, delay=timedelta(days=3), expires_in=timedelta(hours=1)
    )

    with django_capture_on_commit_callbacks(execute=True):
        assert reschedule_event(published.id, delay=timedelta(0))

    event = Event.objects.get()
    assert event.due_at <= timezone.now()
    assert event.expires_at == event.due_at + timedelta(hours=1)
    assert rung == [("dispatch_normal", 0)]


def test_an_event_that_is_over_or_was_never_there_cannot_be_moved(alice, template):
    published = publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES)
    cancel_event(published.id)

    assert not reschedule_event(published.id, delay=timedelta(days=1))
    assert not reschedule_event(template_id_of_nothing(), delay=timedelta(days=1))


def test_an_event_is_moved_to_a_time_there_is(alice, template):
    published = publish_notification("ORDER_CREATED", recipient=alice, variables=VARIABLES, delay=timedelta(days=1))

    with pytest.raises(exceptions.WrongTime, match="aware datetime"):
        reschedule_event(published.id, send_at=datetime(2030, 1, 1))  # noqa: DTZ001 - that is what is wrong
    with pytest.raises(exceptions.WrongTime, match="Pass `delay` or `send_at`"):
        reschedule_event(published.id)
