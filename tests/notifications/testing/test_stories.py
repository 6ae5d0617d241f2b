"""Whole stories, told by the front door and the kit alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from notifications import clock, registry
from notifications.exceptions import PermanentError
from notifications.models import Notification, RecipientSettings
from notifications.publishing import (
    Priority,
    cancel_broadcast,
    cancel_event,
    publish_batch_notification,
    publish_notification,
    reschedule_event,
)
from notifications.services.consent import Origin
from notifications.services.personal import set_quiet_hours, set_time_zone
from notifications.services.preferences import set_cadence
from notifications.testing import assert_published
from notifications.types import Cadence, ConsentSource
from orders import services
from orders.types import LineItem
from tests.factories import make_template

NIGHTS = {"daily": ["22:00-07:00"]}
LINES = [LineItem(sku="ESP-100", name="Espresso machine", unit_price=Decimal(1399))]
BY_CODE = Origin(source=ConsentSource.CODE)


@pytest.fixture
def t(timeline, template):
    """Berlin, an hour before midnight; clocks are put forward in the night."""
    return timeline("2026-03-28 23:00", "Europe/Berlin")


@pytest.fixture
def sleeper(alice, t):
    """Alice, who is left alone at night."""
    set_time_zone(alice, "Europe/Berlin", now=clock.now(), origin=BY_CODE)
    set_quiet_hours(alice, NIGHTS, now=clock.now(), origin=BY_CODE)
    return alice


def publish(recipient, **options):
    return publish_notification("ORDER_CREATED", recipient=recipient, variables={"order_number": "ORD-1"}, **options)


def test_an_order_placed_at_night_is_confirmed_by_e_mail_at_seven(alice, shipped_templates, timeline):
    t = timeline("2026-03-28 23:00", "Europe/Berlin")
    set_time_zone(alice, "Europe/Berlin", now=clock.now(), origin=BY_CODE)
    set_quiet_hours(alice, NIGHTS, now=clock.now(), origin=BY_CODE)

    order = services.place_order(alice, lines=LINES, currency="EUR")
    t.run()
    (item,) = t.assert_sent(alice, "in_app", template="ORDER_CREATED")
    with pytest.raises(AssertionError, match="email ORDER_CREATED: pending until Sun 2026-03-29 07:00:00, quiet_hours"):
        t.assert_sent(alice, "email")
    t.advance(hours=9)

    (mail,) = t.assert_sent(alice, "email", template="ORDER_CREATED", contains=order.number)
    assert f"{item.at:%H:%M}" == "23:00"
    assert f"{mail.at:%Y-%m-%d %H:%M %Z}" == "2026-03-29 07:00 CEST"


def test_what_is_urgent_is_sent_at_night(sleeper, t):
    publish(sleeper, priority=Priority.URGENT, channels=["sms"])
    t.run()

    t.assert_sent(sleeper, "sms")


def test_who_ends_their_quiet_hours_gets_what_waits(sleeper, t):
    publish(sleeper, channels=["email"])
    t.advance(hours=1)
    t.assert_not_sent(sleeper)

    set_quiet_hours(sleeper, {}, now=clock.now(), origin=BY_CODE)
    t.run()

    (mail,) = t.assert_sent(sleeper, "email")
    assert f"{mail.at:%H:%M}" == "00:00"


def test_who_does_not_want_it_does_not_get_it(alice, t):
    set_cadence(alice, channel="email", cadence=Cadence.OFF, category="orders", now=clock.now(), origin=BY_CODE)

    publish(alice)
    t.run()

    t.assert_sent(alice, "sms")
    with pytest.raises(AssertionError, match="email ORDER_CREATED: suppressed, category_off"):
        t.assert_sent(alice, "email")


def test_a_provider_that_comes_back_after_an_hour_gets_it_then(alice, t):
    t.fail("email", times=6)
    publish(alice, channels=["email"])
    t.advance(seconds=14)
    t.assert_not_sent(alice, "email")
    t.advance(hours=3)

    (mail,) = t.assert_sent(alice, "email")
    # 14 s exactly, then a minute, ten, and an hour, give or take a fifth.
    waited = mail.at.astimezone(UTC) - datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert timedelta(minutes=56) < waited < timedelta(minutes=86)


def test_a_number_that_is_refused_is_not_tried_again(alice, t):
    t.fail("sms", with_=PermanentError("No such number."))
    publish(alice, channels=["sms"])
    t.advance(days=1)

    with pytest.raises(AssertionError, match=r"sms ORDER_CREATED: failed, rejected \(.*\): No such number\."):
        t.assert_sent(alice, "sms")


def test_what_comes_too_late_expires(alice, t):
    t.fail("email", times=5)
    publish(alice, channels=["email"], expires_in=timedelta(seconds=10))
    t.advance(hours=1)

    with pytest.raises(AssertionError, match="email ORDER_CREATED: expired, expired_before_send"):
        t.assert_sent(alice, "email")


def test_what_is_called_back_is_not_sent(alice, t):
    event = publish(alice, delay=timedelta(hours=1))
    t.advance(minutes=30)
    assert cancel_event(event.id)
    t.advance(hours=1)

    t.assert_not_sent(alice)


def test_what_is_put_off_is_sent_later(alice, t):
    event = publish(alice, delay=timedelta(hours=1), channels=["email"])
    t.advance(minutes=30)
    assert reschedule_event(event.id, delay=timedelta(hours=2))
    t.advance(hours=2)

    (mail,) = t.assert_sent(alice, "email")
    assert mail.at == t.now


def test_a_broadcast_reaches_its_audience_each_once_when_it_is_due(alice, bob, charlie, t, monkeypatch):
    monkeypatch.setattr(registry, "_audiences", {})

    @registry.audience("customers")
    def customers():
        return type(alice).objects.exclude(pk=charlie.pk)

    publish_batch_notification(
        "ORDER_CREATED", audience="customers", variables={"order_number": "1"}, delay=timedelta(hours=8)
    )
    t.advance(hours=7)
    assert t.sent == []
    t.advance(hours=2)

    t.assert_sent(alice, "email")
    t.assert_sent(bob, "email")
    t.assert_not_sent(charlie)
    assert_published("ORDER_CREATED", audience="customers", recipient=bob)


def test_a_broadcast_that_is_called_back_reaches_nobody(django_user_model, t):
    users = django_user_model.objects.bulk_create(
        django_user_model(username=f"user{n}", email=f"{n}@example.com") for n in range(120)
    )
    batch = publish_batch_notification(
        "ORDER_CREATED", recipients=users, variables={"order_number": "1"}, delay=timedelta(hours=1)
    )
    assert batch.broadcast_id is not None
    assert cancel_broadcast(batch.broadcast_id)
    t.advance(hours=2)

    assert t.sent == []


def test_a_long_list_is_told_in_one_run(django_user_model, t):
    users = django_user_model.objects.bulk_create(
        django_user_model(username=f"user{n}", email=f"{n}@example.com") for n in range(120)
    )
    publish_batch_notification("ORDER_CREATED", recipients=users, variables={"order_number": "1"})
    t.run()

    t.assert_sent(users[119], "email")
    assert len(t.sent) == 240


@pytest.mark.parametrize(("read", "texts"), [(True, 0), (False, 1)], ids=["read", "unread"])
def test_what_is_not_read_in_the_app_is_escalated(alice, t, read, texts):
    template = make_template("PAYMENT_FAILED")
    template.escalation = {"sms": 1800}
    template.save()
    publish_notification("PAYMENT_FAILED", recipient=alice, variables={"order_number": "1"}, channels=["in_app", "sms"])
    t.advance(minutes=29)
    t.assert_not_sent(alice, "sms")
    if read:
        Notification.objects.update(seen_at=clock.now(), read_at=clock.now())
    t.advance(minutes=1)

    t.assert_sent(alice, "sms", times=texts)


def test_what_is_collected_comes_as_one_in_the_morning(alice, shipped_templates, timeline):
    t = timeline("2026-03-02 12:00")
    set_cadence(alice, channel="email", cadence=Cadence.DAILY, category="orders", now=clock.now(), origin=BY_CODE)
    for _ in range(3):
        services.place_order(alice, lines=LINES, currency="EUR")
    t.run()
    with pytest.raises(AssertionError, match=r"email ORDER_CREATED: pending until Tue 2026-03-03 08:00:00, digest"):
        t.assert_sent(alice, "email")
    t.advance(days=1)

    (mail,) = t.assert_sent(alice, "email", template="DIGEST")
    assert f"{mail.at:%d %H:%M}" == "03 08:00"
    t.assert_not_sent(alice, "email", template="ORDER_CREATED")


def test_a_guest_without_settings_is_told_as_well(charlie, t):
    assert not RecipientSettings.objects.filter(recipient=charlie).exists()

    publish(charlie)
    t.run()

    assert [sent.channel for sent in t.sent] == ["in_app", "email"]
