"""What people want: written once, with its history, and read back with who decided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from notifications import wakeups
from notifications.exceptions import WrongPreference
from notifications.models import Category, ConsentChange, Delivery, Mute, Preference, RecipientSettings
from notifications.pipeline import settling
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import mutes, personal, preferences
from notifications.services.consent import Origin
from notifications.services.preferences import Cell
from notifications.types import Cadence, ConsentSource, DeliveryState, Level, Priority, Reason

pytestmark = pytest.mark.django_db

#: Half past one in Berlin.
NIGHT = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
MORNING = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
CODE = Origin(source=ConsentSource.CODE)


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(NIGHT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def rung(monkeypatch):
    calls: list = []
    monkeypatch.setattr(wakeups._sender, "put", lambda actor, delay: calls.append(actor))
    return calls


def wish(person, cadence, **changes):
    given = {"category": "orders", "channel": "email", "now": NIGHT, "origin": CODE, **changes}
    return preferences.set_cadence(person, cadence=cadence, **given)


def history(person):
    changes = ConsentChange.objects.filter(recipient=person).order_by("id")
    return list(changes.values_list("subject", "channel", "before", "after"))


def cells(person):
    return {(cell.category, cell.template, cell.channel): cell for cell in preferences.matrix(person)}


# --- Wishes ---------------------------------------------------------------------------------------------------------


def test_a_wish_is_written_changed_and_taken_back_and_each_leaves_a_line(alice, bob, template):
    staff = Origin(source=ConsentSource.ADMIN, by=bob)

    assert wish(alice, "off")
    assert wish(alice, "immediately", origin=staff)
    assert wish(alice, None)

    assert not Preference.objects.exists()
    assert history(alice) == [
        ("category:orders", "email", "", "off"),
        ("category:orders", "email", "off", "immediately"),
        ("category:orders", "email", "immediately", ""),
    ]
    second = ConsentChange.objects.filter(recipient=alice).order_by("id")[1]
    assert (second.source, second.changed_by, second.changed_at) == (ConsentSource.ADMIN, bob, NIGHT)


def test_what_changes_nothing_leaves_no_line(alice, template):
    assert not wish(alice, None)
    assert wish(alice, "off")
    assert not wish(alice, "off")

    assert len(history(alice)) == 1


def test_a_wish_may_be_for_a_template(alice, template):
    wish(alice, "off", category="", template="ORDER_CREATED")

    assert Preference.objects.get().template == template
    assert history(alice) == [("template:ORDER_CREATED", "email", "", "off")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"template": "ORDER_CREATED"}, "pass one of them"),
        ({"category": ""}, "pass one of them"),
        ({"category": "order"}, r"No category 'order' \(did you mean 'orders'\?\)"),
        ({"category": "", "template": "ORDER_CRATED"}, "did you mean 'ORDER_CREATED'"),
        ({"channel": "emial"}, "did you mean 'email'"),
        ({"cadence": "never"}, "No cadence 'never'; there are"),
    ],
    ids=["both", "neither", "category", "template", "channel", "cadence"],
)
def test_a_wish_that_cannot_be_granted_is_refused_by_name(alice, template, changes, message):
    with pytest.raises(WrongPreference, match=message):
        wish(alice, **{"cadence": "off", **changes})
    assert history(alice) == []


@pytest.mark.parametrize("target", [{}, {"category": "", "template": "ORDER_CREATED"}], ids=["category", "template"])
def test_what_is_required_cannot_be_switched_off(alice, template, target):
    Category.objects.update(required=True)

    with pytest.raises(WrongPreference, match="'orders' is required"):
        wish(alice, "off", **target)
    assert wish(alice, "immediately", **target)


def test_the_matrix_says_what_holds_and_who_decided(alice, template):
    Category.objects.create(code="account", name="Account", required=True)
    Category.objects.filter(code="orders").update(defaults={"sms": "off"})
    wish(alice, "off")
    wish(alice, "immediately", category="", template="ORDER_CREATED")

    found = cells(alice)

    on, off = Cadence.IMMEDIATELY, Cadence.OFF

    def cell(category, template, channel, cadence, level, is_locked=False):
        cadences = (on,) if is_locked else (on, off) if channel == "in_app" else tuple(Cadence)
        return Cell(
            category=category, template=template, template_name=template, channel=channel,
            cadence=cadence, cadences=cadences, level=level, is_locked=is_locked,
        )  # fmt: skip

    assert found["account", "", "email"] == cell("account", "", "email", on, Level.REQUIRED, is_locked=True)
    assert found["orders", "", "in_app"] == cell("orders", "", "in_app", on, Level.DEFAULT)
    assert found["orders", "", "email"] == cell("orders", "", "email", off, Level.CATEGORY)
    assert found["orders", "", "sms"] == cell("orders", "", "sms", off, Level.DEFAULT)
    assert found["orders", "ORDER_CREATED", "email"] == cell("orders", "ORDER_CREATED", "email", on, Level.TEMPLATE)
    assert found["orders", "ORDER_CREATED", "sms"] == cell("orders", "ORDER_CREATED", "sms", off, Level.DEFAULT)
    assert len(found) == 9


# --- Mutes ----------------------------------------------------------------------------------------------------------


def test_an_object_is_muted_until_an_instant_and_told_of_again(alice, template):
    options: Any = {"now": NIGHT, "origin": CODE}
    _, is_changed = mutes.mute(alice, "orders.order:42", until=NIGHT + HOUR, **options)
    _, is_changed_again = mutes.mute(alice, "orders.order:42", until=NIGHT + HOUR, **options)
    assert (is_changed, is_changed_again) == (True, False)
    mutes.mute(alice, "orders.order:42", **options)
    assert Mute.objects.get().until is None

    assert mutes.unmute(alice, "orders.order:42", **options)
    assert not mutes.unmute(alice, "orders.order:42", **options)

    until = f"muted until {(NIGHT + HOUR).isoformat()}"
    assert history(alice) == [
        ("about:orders.order:42", "", "", until),
        ("about:orders.order:42", "", until, "muted"),
        ("about:orders.order:42", "", "muted", ""),
    ]


@pytest.mark.parametrize(
    ("about", "until", "message"),
    [("", None, "no object to mute"), ("x" * 201, None, "no object to mute"), ("a:1", NIGHT, "which is over")],
    ids=["nothing", "too long", "over"],
)
def test_a_mute_that_means_nothing_is_refused(alice, about, until, message):
    with pytest.raises(WrongPreference, match=message):
        mutes.mute(alice, about, until=until, now=NIGHT, origin=CODE)


def test_who_muted_an_order_hears_no_more_of_it(alice, bob, template):
    mutes.mute(alice, "orders.order:42", now=NIGHT, origin=CODE)
    for person in (alice, bob):
        publish_notification(
            "ORDER_CREATED", recipient=person, variables={"order_number": "1"}, about="orders.order:42"
        )
    dispatch_batch(Priority.LOW, more=lambda: None)

    assert set(Delivery.objects.filter(recipient=alice).values_list("reason", flat=True)) == {Reason.MUTED}
    assert Delivery.objects.get(recipient=bob, channel="in_app").state == DeliveryState.SENT


# --- Quiet hours ----------------------------------------------------------------------------------------------------


@pytest.fixture
def asleep(alice, template):
    """In Berlin, at half past one, Alice is told something by e-mail."""
    personal.set_time_zone(alice, "Europe/Berlin", now=NIGHT, origin=CODE)
    personal.set_quiet_hours(alice, {"daily": ["22:00-07:00"]}, now=NIGHT, origin=CODE)
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"}, channels=["email"])
    dispatch_batch(Priority.LOW, more=lambda: None)
    return Delivery.objects.get()


def deliver():
    deliver_batch("email", more=lambda: None)
    return Delivery.objects.get()


def test_in_quiet_hours_a_mail_waits_and_is_sent_in_the_morning(asleep, traveller, mailoutbox):
    assert (asleep.state, asleep.due_at, asleep.reason) == (DeliveryState.PENDING, MORNING, Reason.QUIET_HOURS)

    traveller.move_to(MORNING)
    sent = deliver()

    assert (sent.state, sent.reason, sent.attempts, len(mailoutbox)) == (DeliveryState.SENT, "", 1, 1)


def test_who_has_moved_meanwhile_is_asked_by_the_hours_there(asleep, alice, traveller, mailoutbox):
    RecipientSettings.objects.update(time_zone="America/New_York")
    traveller.move_to(MORNING)

    put_off = deliver()

    assert (put_off.state, put_off.due_at) == (DeliveryState.PENDING, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert (put_off.attempts, put_off.claims, mailoutbox) == (0, 0, [])


def test_a_holder_that_lost_its_lease_puts_nothing_off(asleep, rung):
    asleep.due_at, asleep.reason = MORNING + HOUR, Reason.QUIET_HOURS
    assert settling.finish([asleep], uuid4()) == []

    asleep.refresh_from_db()
    assert (asleep.due_at, rung) == (MORNING, [])


def test_by_a_channel_that_makes_no_sound_each_is_sent_on_its_own(alice, template):
    with pytest.raises(WrongPreference, match="By 'in_app' each is sent on its own; digests are for chat, email"):
        wish(alice, "daily", channel="in_app")


def test_who_changes_the_hours_is_looked_at_again_at_once(asleep, alice, mailoutbox):
    personal.set_quiet_hours(alice, {}, now=NIGHT, origin=CODE)

    assert deliver().state == DeliveryState.SENT
    assert history(alice)[-1] == ("quiet_hours", "", '{"daily": ["22:00-07:00"]}', "")


def test_who_does_not_want_it_any_more_by_the_morning_does_not_get_it(asleep, alice, traveller, mailoutbox):
    wish(alice, "off")
    traveller.move_to(MORNING)

    row = deliver()

    assert (row.state, row.reason, mailoutbox) == (DeliveryState.SUPPRESSED, Reason.CATEGORY_OFF, [])


def test_what_is_too_late_in_the_morning_expires(asleep, traveller, mailoutbox):
    Delivery.objects.update(expires_at=MORNING - HOUR)
    traveller.move_to(MORNING)

    assert deliver().state == DeliveryState.EXPIRED


@pytest.mark.parametrize(
    ("write", "wrong", "message"),
    [
        (personal.set_quiet_hours, {"monday": []}, "No weekday 'monday'"),
        (personal.set_quiet_hours, ["22:00-07:00"], "not a list"),
        (personal.set_time_zone, "Europe/Berln", "did you mean 'Europe/Berlin'"),
    ],
    ids=["weekday", "list", "zone"],
)
def test_hours_and_zones_there_are_not_are_refused(alice, write, wrong, message):
    with pytest.raises(WrongPreference, match=message):
        write(alice, wrong, now=NIGHT, origin=CODE)
    assert history(alice) == []


def test_hours_that_cannot_be_read_hold_nothing_back(alice, template):
    RecipientSettings.objects.update(quiet_hours={"daily": ["nonsense"]}, time_zone="Nowhere/Land")
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"}, channels=["email"])
    dispatch_batch(Priority.LOW, more=lambda: None)

    assert Delivery.objects.get().due_at == NIGHT
