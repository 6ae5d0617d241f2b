"""The switch: what a pause holds, and that a breaker on its way back does not stand in staff's way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Pause
from notifications.pipeline import pausing
from notifications.services import breakers, pauses
from notifications.services.breakers import Circuit
from notifications.types import Channel, PauseOrigin, PauseScope, Priority
from tests.factories import make_template
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

EMAIL = "notifications.channels.email.EmailChannel"
MINUTE = timedelta(minutes=1)


def hold(scope, key="", *, now):
    pauses.pause(scope, key, now=now, note="why")
    return pauses.hold_of(Pause.objects.get(scope=scope, key=key, lifted_at=None), now=now)


@pytest.mark.parametrize(
    ("scope", "key", "events", "deliveries"),
    [
        (PauseScope.EVERYTHING, "", 2, {Channel.EMAIL: 3, Channel.SMS: 1}),
        (PauseScope.CHANNEL, "email", 0, {Channel.EMAIL: 3}),
        (PauseScope.BACKEND, EMAIL, 0, {Channel.EMAIL: 3}),
        (PauseScope.TEMPLATE, "ORDER_CREATED", 1, {Channel.EMAIL: 1}),
        (PauseScope.CATEGORY, "stock", 1, {Channel.EMAIL: 1, Channel.SMS: 1}),
    ],
    ids=["everything", "channel", "backend", "template", "category"],
)
def test_a_pause_holds_what_is_due_of_its_kind(template, scope, key, events, deliveries):
    other = make_template("LOW_STOCK", category="stock")
    for of in (template, other):
        make_event(of)
        make_delivery(template=of, priority=Priority.HIGH)
    make_delivery(template=other, channel="sms")
    make_delivery()
    now = timezone.now()
    make_delivery(template=other, due_at=now + MINUTE)

    found = hold(scope, key, now=now)

    assert (found.events, found.deliveries) == (events, deliveries)


def test_what_it_takes_afterwards_goes_by_the_rate_of_the_channel(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RATES": {"default": 100, "sms": 2}}
    for _ in range(6):
        make_delivery(channel="sms")
        make_delivery()

    assert hold(PauseScope.EVERYTHING, now=timezone.now()).seconds == 3


def test_a_backend_that_stands_in_leaves_nothing_held(settings):
    settings.NOTIFICATION_CHANNELS = {
        "email": {"BACKEND": EMAIL, "NAME": "first", "FALLBACKS": [{"BACKEND": EMAIL, "NAME": "second"}]}
    }
    make_delivery()

    assert hold(PauseScope.BACKEND, "first", now=timezone.now()).deliveries == {}
    assert [breaker.state for breaker in breakers.breakers(now=timezone.now())] == [Circuit.HELD, Circuit.CLOSED]


def breaker(now, *, until):
    row = Pause(scope=PauseScope.BACKEND, key=EMAIL, origin=PauseOrigin.BREAKER, created_at=now - MINUTE, until=until)
    row.save()
    return row


def test_a_breaker_is_open_then_recovers_then_is_closed():
    now = timezone.now()
    row = breaker(now, until=now + MINUTE)

    states = [breakers.breakers(now=now + later)[0] for later in (0 * MINUTE, 1.5 * MINUTE, 3 * MINUTE)]

    assert [state.state for state in states] == [Circuit.OPEN, Circuit.RECOVERING, Circuit.CLOSED]
    assert [state.pause for state in states] == [row.pk, row.pk, None]
    assert [state.share for state in states] == [0.0, 0.55, 1.0]


def test_staff_hold_a_backend_while_it_recovers():
    now = timezone.now()
    row = breaker(now, until=now)

    assert pauses.pause(PauseScope.BACKEND, EMAIL, now=now + MINUTE / 2)

    row.refresh_from_db()
    assert row.lifted_at == now
    assert pausing.current(now + MINUTE / 2).open_backend("email") is None


def test_in_force_is_what_holds_now():
    now = timezone.now()
    breaker(now, until=now - MINUTE)
    pauses.pause(PauseScope.CHANNEL, "sms", now=now)
    pauses.pause(PauseScope.CHANNEL, "email", now=now)
    pauses.resume(PauseScope.CHANNEL, "email", now=now)

    assert [(pause.scope, pause.key) for pause in pauses.in_force(now)] == [("channel", "sms")]
