"""Named audiences become events, once each, whatever happens in between."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.db.models import Q
from django.utils import timezone

from notifications import registry
from notifications.models import Broadcast, Delivery, Event, Notification
from notifications.pipeline import broadcasting, claiming, pausing
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import cancel_broadcast, publish_batch_notification
from notifications.services import pauses
from notifications.types import BroadcastState, DeliveryState, EventState, PauseScope, Priority, Reason
from tests.factories import make_broadcast
from tests.threads import at_once

pytestmark = pytest.mark.django_db

VARIABLES = {"order_number": "ORD-1"}
LEASE = timedelta(seconds=60)


@pytest.fixture
def people():
    model = get_user_model()
    rows = [model(username=f"user{number}", email=f"user{number}@example.com") for number in range(23)]
    return model.objects.bulk_create(rows)


@pytest.fixture
def everybody(people, monkeypatch):
    """Register an audience of everybody, and let a step make two events of five."""
    monkeypatch.setattr(registry, "_audiences", {})
    monkeypatch.setattr(broadcasting, "EVENTS_PER_STEP", 2)
    registry.audience("everybody")(get_user_model().objects.all)
    return people


@pytest.fixture(autouse=True)
def small_chunks(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "CHUNK_SIZE": 5}


def publish(**options):
    given = {"audience": "everybody", "variables": VARIABLES, "channels": ["in_app"], **options}
    return publish_batch_notification("ORDER_CREATED", **given)


def step():
    return broadcasting.expand_batch(more=lambda: None)


def steps():
    """Expand until nothing is left to do; return how many steps it took."""
    return next(number for number in range(100) if step() == 0)


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def told():
    return [pk for event in Event.objects.order_by("pk") for pk in event.recipients]


def test_an_audience_becomes_events_of_a_chunk_each_and_everybody_is_told_once(template, everybody):
    batch = publish()
    assert (batch.event_ids, batch.recipient_count, batch.created) == ((), None, True)

    assert steps() == 3
    dispatch()

    row = Broadcast.objects.get()
    assert (row.state, row.recipient_count, row.expanded_count, row.event_count) == (BroadcastState.EXPANDED, 23, 23, 5)
    assert row.finished_at is not None
    assert told() == [str(person.pk) for person in everybody]
    assert Notification.objects.count() == 23


def test_the_events_say_what_the_broadcast_said_and_the_broadcast_forgets_it(template, everybody):
    publish(
        priority="high", action_url="/sale/", action_text="Look", about="shop.sale:1", expires_in=timedelta(hours=1)
    )
    steps()

    event, row = Event.objects.first(), Broadcast.objects.get()
    assert event is not None
    assert event.variables == VARIABLES
    assert (event.priority, event.action_url, event.action_text) == (Priority.HIGH, "/sale/", "Look")
    assert (event.about, event.channels, event.expires_at) == ("shop.sale:1", ["in_app"], row.expires_at)
    assert row.variables == {}


def test_nothing_is_expanded_before_it_is_due(template, everybody):
    publish(delay=timedelta(days=400))

    assert steps() == 0
    assert not Event.objects.exists()


def test_a_broadcast_that_is_due_too_late_expires_and_makes_nothing(template, everybody):
    publish(expires_in=timedelta(hours=1))
    Broadcast.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    step()

    assert Broadcast.objects.get().state == BroadcastState.EXPIRED
    assert not Event.objects.exists()


def test_a_crash_within_a_step_leaves_nothing_of_it_and_the_next_one_makes_it_again(template, everybody, monkeypatch):
    publish()
    step()

    def die(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(claiming, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            step()
    assert len(told()) == 10
    assert step() == 0
    assert claiming.reclaim(Broadcast, now=timezone.now() + 2 * LEASE, limit=10) == 1
    steps()

    assert told() == [str(person.pk) for person in everybody]
    assert Broadcast.objects.get().event_count == 5


def test_who_joins_behind_the_end_while_it_is_expanded_is_not_told(template, everybody):
    publish()
    step()
    get_user_model().objects.create_user("late")

    steps()

    assert len(told()) == 23


def test_an_audience_of_nobody_is_over_at_once(template, everybody):
    get_user_model().objects.all().delete()
    publish()

    assert steps() == 1
    row = Broadcast.objects.get()
    assert (row.state, row.recipient_count, row.event_count) == (BroadcastState.EXPANDED, 0, 0)


def test_an_audience_that_names_somebody_twice_tells_them_once(template, everybody):
    groups = [Group.objects.create(name=name) for name in ("a", "b")]
    for person in everybody:
        person.groups.add(*groups)
    registry.audience("members")(lambda: get_user_model().objects.filter(groups__in=groups))

    publish(audience="members")
    steps()

    assert told() == [str(person.pk) for person in everybody]
    assert Broadcast.objects.get().recipient_count == 23


def test_the_key_of_an_audience_stands_for_one_broadcast(template, everybody):
    first, again = publish(idempotency_key="k"), publish(idempotency_key="k")
    steps()
    dispatch()

    assert (again.broadcast_id, again.created, again.event_ids) == (first.broadcast_id, False, ())
    assert Broadcast.objects.get().event_count == Event.objects.count() == 6
    assert Notification.objects.count() == 23


# --- What raises ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "said"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: [1, 2], "The audience 'broken' is a list, not a queryset of users"),
        (Group.objects.all, "is a queryset of Group"),
    ],
    ids=["raises", "a list", "of groups"],
)
def test_an_audience_that_cannot_be_asked_fails_the_broadcast_at_once(template, everybody, hear, audience, said):
    from notifications import signals

    heard = hear(signals.broadcast_failed, "broadcast_id")
    registry.audience("broken")(audience)
    batch = publish(audience="broken")

    assert steps() == 1
    row = Broadcast.objects.get()
    assert row.state == BroadcastState.FAILED
    assert said in row.last_error
    assert heard == [batch.broadcast_id]


def test_a_failure_of_a_broadcast_that_somebody_else_holds_changes_nothing(template, everybody, hear):
    from notifications import signals

    heard = hear(signals.broadcast_failed, "broadcast_id")
    row = make_broadcast(template, audience="gone")

    broadcasting._fail(row, uuid4(), ZeroDivisionError())

    row.refresh_from_db()
    assert (row.state, heard) == (BroadcastState.PENDING, [])


def test_an_audience_that_is_gone_by_then_fails_the_broadcast(template, everybody, monkeypatch):
    publish()
    monkeypatch.setattr(registry, "_audiences", {})

    step()

    assert "No audience 'everybody'" in Broadcast.objects.get().last_error


def test_a_database_in_trouble_is_not_the_broadcasts_fault(template, everybody):
    def away():
        raise OperationalError

    registry.audience("away")(away)
    publish(audience="away")

    with pytest.raises(OperationalError):
        step()
    assert Broadcast.objects.get().state == BroadcastState.EXPANDING


def test_a_name_is_registered_for_one_function(everybody):
    with pytest.raises(ImproperlyConfigured, match="'everybody' is"):

        @registry.audience("everybody")
        def somebody_else():
            return get_user_model().objects.none()


def test_a_name_that_cannot_be_one_is_refused():
    with pytest.raises(ImproperlyConfigured, match="'All of them' needs a name"):
        registry.audience("All of them")


# --- At most so many at once ----------------------------------------------------------------------------------------


def test_at_most_five_are_expanded_at_once_and_the_others_get_their_turn(template, everybody):
    for _ in range(7):
        publish()

    for _ in range(5):
        step()
    assert Broadcast.objects.filter(expanded_count__gt=0).count() == 5
    slots = Broadcast.objects.filter(slot__isnull=False).order_by("slot").values_list("slot", flat=True)
    assert list(slots) == [1, 2, 3, 4, 5]
    steps()

    assert Broadcast.objects.filter(state=BroadcastState.EXPANDED, expanded_count=23).count() == 7


def test_the_most_urgent_gets_the_free_slot(template, everybody, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "BROADCASTS_AT_ONCE": 1}
    publish(priority="low")
    urgent = publish(priority="urgent")

    step()

    assert Broadcast.objects.get(slot=1).pk == urgent.broadcast_id


def test_a_slot_somebody_else_gave_away_is_left_to_them(template, everybody, monkeypatch):
    make_broadcast(template, audience="everybody", slot=1)
    late = publish()
    # As if it had been given away after we looked.
    monkeypatch.setattr(broadcasting, "_OPEN", Q(pk__in=[]))

    broadcasting._admit(pausing.current(timezone.now()), timezone.now())

    assert Broadcast.objects.get(pk=late.broadcast_id).slot is None


@pytest.mark.django_db(transaction=True)
def test_expanders_at_once_make_every_event_once(template, everybody):
    for _ in range(6):
        publish()

    def work():
        for _ in range(40):
            step()

    at_once(*[work] * 4)
    steps()

    assert [row.event_count for row in Broadcast.objects.all()] == [5] * 6
    assert sorted(told()) == sorted([str(person.pk) for person in everybody] * 6)


# --- Held and called back -------------------------------------------------------------------------------------------


def test_a_paused_broadcast_stands_still_lets_others_have_its_slot_and_goes_on_when_resumed(
    template, everybody, settings
):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "BROADCASTS_AT_ONCE": 1}
    first, second = publish(channels=["email"]), publish(channels=["email"])
    step()
    dispatch()
    pauses.pause(PauseScope.BROADCAST, str(first.broadcast_id), now=timezone.now())

    steps()
    dispatch()
    while deliver_batch("email", more=lambda: None):
        pass

    states = dict(Broadcast.objects.values_list("pk", "state"))
    assert states == {first.broadcast_id: BroadcastState.PENDING, second.broadcast_id: BroadcastState.EXPANDED}
    assert set(Delivery.objects.filter(broadcast_id=first.broadcast_id).values_list("state", flat=True)) == {"pending"}
    assert Delivery.objects.filter(broadcast_id=second.broadcast_id, state="sent").count() == 23

    pauses.resume(PauseScope.BROADCAST, str(first.broadcast_id), now=timezone.now())
    steps()
    dispatch()
    assert Delivery.objects.filter(broadcast_id=first.broadcast_id).count() == 23


def test_a_broadcast_that_is_over_cannot_be_held(template, everybody):
    with pytest.raises(pauses.UnknownHold, match="There is no broadcast 'x' to hold"):
        pauses.pause(PauseScope.BROADCAST, "x", now=timezone.now())


@pytest.mark.parametrize("held", ["everything", "template"])
def test_what_else_is_held_is_not_expanded(template, everybody, held):
    publish()
    pauses.pause(PauseScope(held), "ORDER_CREATED" if held == "template" else "", now=timezone.now())

    assert steps() == 0
    assert not Event.objects.exists()


def test_cancelling_calls_back_events_and_deliveries_that_wait_and_leaves_what_was_sent(
    template, everybody, monkeypatch
):
    monkeypatch.setattr(broadcasting, "CANCEL_ROWS", 3)
    batch = publish(channels=["email"])
    step()
    dispatch()
    sent = Delivery.objects.order_by("pk").first()
    assert sent is not None
    Delivery.objects.filter(pk=sent.pk).update(state=DeliveryState.SENT, finished_at=timezone.now())
    step()

    assert cancel_broadcast(batch.broadcast_id)
    assert steps() == 0
    dispatch()

    row = Broadcast.objects.get()
    assert (row.state, row.cancelled_at is not None) == (BroadcastState.CANCELLED, True)
    assert Event.objects.filter(state=EventState.CANCELLED).count() == 2
    assert Event.objects.filter(state=EventState.DISPATCHED, cancelled_at__isnull=False).count() == 2
    assert Delivery.objects.filter(state=DeliveryState.SENT).count() == 1
    assert Delivery.objects.filter(state=DeliveryState.CANCELLED, reason=Reason.EVENT_CANCELLED).count() == 9
    assert not cancel_broadcast(batch.broadcast_id)


def test_a_cancel_that_is_cut_off_behind_the_events_has_nothing_sent(template, everybody, monkeypatch):
    batch = publish(channels=["email"])
    steps()
    dispatch()

    def die(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(broadcasting, "list", die, raising=False)
        with pytest.raises(KeyboardInterrupt):
            cancel_broadcast(batch.broadcast_id)
    assert Delivery.objects.filter(state=DeliveryState.PENDING).count() == 23
    while deliver_batch("email", more=lambda: None):
        pass

    assert set(Delivery.objects.values_list("state", "reason")) == {(DeliveryState.CANCELLED, Reason.EVENT_CANCELLED)}


def test_cancelling_takes_the_broadcast_from_whoever_expands_it(template, everybody):
    batch = publish()
    broadcasting._admit(pausing.current(timezone.now()), timezone.now())
    claim = claiming.claim(Broadcast, priorities=list(Priority), now=timezone.now(), lease=LEASE, limit=1)

    cancel_broadcast(batch.broadcast_id)
    broadcasting._expand(claim.rows[0], claim.token)

    assert Broadcast.objects.get().state == BroadcastState.CANCELLED
    assert not Event.objects.exists()


def test_a_list_that_was_published_as_a_broadcast_can_be_called_back(template, everybody):
    batch = publish(audience=None, recipients=everybody)

    assert cancel_broadcast(batch.broadcast_id)

    assert set(Event.objects.values_list("state", flat=True)) == {EventState.CANCELLED}
    row = Broadcast.objects.get()
    assert (row.state, row.cancelled_at is not None) == (BroadcastState.EXPANDED, True)


def test_what_is_complete_is_not_called_back(template, everybody):
    row = make_broadcast(template, completed_at=timezone.now())

    assert not cancel_broadcast(row.pk)

    row.refresh_from_db()
    assert row.cancelled_at is None


def test_inactive_and_unknown_people_are_counted_and_never_fatal(template, everybody):
    get_user_model().objects.filter(pk=everybody[0].pk).update(is_active=False)
    publish()
    steps()
    get_user_model().objects.filter(pk=everybody[1].pk).delete()

    dispatch()

    first = Event.objects.order_by("pk").first()
    assert first is not None
    assert (first.inactive_count, first.unknown_count, first.planned_count) == (1, 1, 4)
    inactive = Delivery.objects.get(recipient=everybody[0])
    assert (inactive.state, inactive.reason) == (DeliveryState.SUPPRESSED, Reason.RECIPIENT_INACTIVE)
