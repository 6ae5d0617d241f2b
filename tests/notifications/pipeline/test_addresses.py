"""Each address of a person is sent to once, none that is out of use, and in a constant number of queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import registry
from notifications.exceptions import PermanentError
from notifications.models import Category, Delivery, Endpoint, Preference, Suppression
from notifications.pipeline import digesting, links
from notifications.pipeline.composing import compose
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.direct import accept
from notifications.pipeline.dispatch import dispatch_batch
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.publishing import publish_batch_notification, publish_notification
from notifications.services import suppressions, tracking
from notifications.services.explain import explain
from notifications.services.explanation import Basis
from notifications.types import Cadence, Channel, DeliveryState, Priority, Reason, SuppressionSource
from tests import adapters
from tests.adapters import Scripted
from tests.factories import CONTENTS, make_endpoint, make_template
from tests.notifications.services.test_tracking import told

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EMAIL = "alice@example.com"
PUSH = {"title": "Order {{ order_number }}", "body": "We have it."}
GONE = PermanentError(code="410", reason=Reason.ENDPOINT_GONE, suppress=True)
DEAD = PermanentError(code="550", reason=Reason.HARD_BOUNCE, suppress=True)


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def use(settings):
    """Return a function that puts an adapter in place of every other."""
    in_use = {"BACKEND": "tests.adapters.in_use"}
    settings.NOTIFICATION_CHANNELS = dict.fromkeys(("email", "sms", "web_push", "chat"), in_use)
    return adapters.use


@pytest.fixture
def pushed(db):
    """ORDER_CREATED for push, too."""
    return make_template("ORDER_CREATED", contents={**CONTENTS, ("web_push", ""): PUSH})


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def publish(*people, channel="email", **options):
    variables = {"order_number": "ORD-1"}
    publish_batch_notification("ORDER_CREATED", recipients=people, variables=variables, channels=[channel], **options)
    dispatch()


def deliver(channel="email"):
    return deliver_batch(channel, more=lambda: None)


def found(**given):
    rows = Delivery.objects.filter(**given).order_by("pk")
    return [(row.address, row.state, row.reason) for row in rows]


def suppress_alice(reason=Reason.HARD_BOUNCE, **given):
    one = Unusable(channel="email", address=EMAIL, reason=reason, **given)
    suppress([one], source=SuppressionSource.PROVIDER, now=NOW)


# --- Out of use -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("required", [False, True], ids=["", "required"])
def test_a_suppressed_address_is_never_sent_to(alice, bob, template, use, required):
    Category.objects.update(required=required)
    adapter = use(Scripted())
    suppress_alice()

    publish(alice, bob)
    deliver()

    assert [message.address for message in adapter.messages] == ["bob@example.com"]
    assert found(recipient=alice) == [(EMAIL, DeliveryState.SUPPRESSED, Reason.SUPPRESSED_ADDRESS)]


def test_what_was_planned_before_is_stopped_when_it_is_claimed(alice, template, use):
    adapter = use(Scripted())
    publish(alice)
    suppress_alice()

    deliver()

    assert adapter.messages == []
    assert found() == [(EMAIL, DeliveryState.SUPPRESSED, Reason.SUPPRESSED_ADDRESS)]


@pytest.mark.filterwarnings("ignore:SEND_:DeprecationWarning")
def test_a_legacy_event_is_stopped_too(db, use):
    adapter = use(Scripted())
    suppress_alice()
    accept(Channel.EMAIL, {"to": "Alice@example.com", "text": "An old way."}, message_id=uuid4())

    deliver()

    assert adapter.messages == []
    assert found() == [("Alice@example.com", DeliveryState.SUPPRESSED, Reason.SUPPRESSED_ADDRESS)]


def test_a_hard_bounce_stops_the_next_until_staff_lift_it(alice, template, use, admin_user):
    adapter = use(Scripted())
    publish(alice)
    deliver()

    tracking.note([told("bounced", "p-1", is_hard=True, reason="5.1.1")], provider="relay", now=NOW)
    publish(alice)
    lines = [line.text for line in explain(alice, "ORDER_CREATED", now=NOW).lines if line.channel == "email"]

    stopped = "e-mail: suppressed, nothing may be sent to this address, the address does not exist (the provider, "
    assert any(line.startswith(f"{stopped}afterwards: 5.1.1)") for line in lines)
    assert any(
        line.startswith("e-mail: not sent, because nothing may be sent to this address: the addr") for line in lines
    )
    assert any(", bounced at 2026-03-01 12:00:00 UTC" in line for line in lines)

    assert suppressions.lift(Suppression.objects.all(), by=admin_user, reason="She wrote.", now=NOW) == 1
    publish(alice)
    deliver()

    assert len(adapter.messages) == 2
    assert sorted(state for _, state, _ in found()) == ["sent", "sent", "suppressed"]
    assert all(EMAIL not in line for line in lines)


def test_an_address_that_is_refused_for_good_is_not_used_again(alice, template, use):
    adapter = use(Scripted(DEAD))
    publish(alice)
    deliver()
    publish(alice)
    deliver()

    assert len(adapter.messages) == 1
    assert {reason for _, _, reason in found()} == {Reason.HARD_BOUNCE, Reason.SUPPRESSED_ADDRESS}
    row = Suppression.objects.get()
    assert (row.source, row.code, row.recipient) == (SuppressionSource.ADAPTER, "550", alice)


def test_a_message_that_is_refused_says_nothing_of_its_address(alice, template, use):
    use(Scripted(PermanentError(code="552")))
    publish(alice)
    deliver()

    assert not Suppression.objects.exists()


def test_a_suppression_that_ended_is_forgotten(alice, template, use, settings, traveller):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "SUPPRESSION_DAYS": {"hard_bounce": 1}}
    use(Scripted())
    suppress_alice()
    traveller.shift(DAY)

    publish(alice)

    assert found() == [(EMAIL, DeliveryState.PENDING, "")]
    verdicts = explain(alice, "ORDER_CREATED", now=NOW + DAY).resting_on(Basis.RE_EVALUATED)
    assert any(line.text.startswith("e-mail: sent at once") for line in verdicts)


def test_a_dry_run_counts_them(alice, bob, template, use):
    use(Scripted())
    suppress_alice()

    foreseen = publish_batch_notification(
        "ORDER_CREATED", recipients=[alice, bob], variables={"order_number": "1"}, channels=["email"], dry_run=True
    )

    (forecast,) = foreseen.channels
    assert forecast.suppressed == {Reason.SUPPRESSED_ADDRESS: 1}
    assert sum(departure.number for departure in forecast.going) == 1


def test_who_has_no_email_address_is_told_elsewhere(alice, bob, template, use):
    adapter = use(Scripted())
    type(alice).objects.filter(pk=alice.pk).update(email="")

    publish(alice, bob)
    deliver()

    assert [message.address for message in adapter.messages] == ["bob@example.com"]
    assert found(recipient=alice) == [("", DeliveryState.SUPPRESSED, Reason.NO_ADDRESS)]


@pytest.mark.parametrize("channel", ["sms", "chat"])
def test_a_channel_that_needs_no_address_sends_to_who_has_none(bob, settings, channel):
    settings.NOTIFICATION_CHANNELS = {channel: {"BACKEND": "tests.adapters.Board"}}
    make_template("ORDER_CREATED", contents={(channel, ""): {"body": "We have it."}})

    publish(bob, channel=channel)
    planned = found()
    deliver(channel)

    assert planned == [("", DeliveryState.PENDING, "")]
    assert found() == [("", DeliveryState.SENT, "")]


def test_a_channel_needs_an_address_if_one_of_its_backends_does(bob, settings):
    stand_in = {"BACKEND": "notifications.channels.fake.FakeChannel"}
    settings.NOTIFICATION_CHANNELS = {"sms": {"BACKEND": "tests.adapters.Board", "FALLBACKS": [stand_in]}}
    make_template("ORDER_CREATED", contents={("sms", ""): {"body": "We have it."}})

    publish(bob, channel="sms")

    assert found() == [("", DeliveryState.SUPPRESSED, Reason.NO_ADDRESS)]


@pytest.mark.parametrize("path", ["no.such.Channel", "tests.adapters.in_use"])
def test_a_backend_that_says_nothing_of_addresses_needs_one(settings, path):
    settings.NOTIFICATION_CHANNELS = {"sms": {"BACKEND": path}}

    assert registry.channels_without_address() == frozenset()


# --- Endpoints ------------------------------------------------------------------------------------------------------


def test_each_browser_gets_it_with_what_it_registered(alice, pushed, use):
    adapter = use(Scripted())
    browsers = {endpoint.pk.hex: endpoint.address for endpoint in (make_endpoint(alice), make_endpoint(alice))}
    make_endpoint(alice, disabled_at=NOW)

    publish(alice, channel="web_push", expires_in=DAY)
    deliver("web_push")

    assert {message.address: message.endpoint for message in adapter.messages} == browsers
    message = adapter.messages[0]
    row = Delivery.objects.get(pk=message.delivery_id)
    assert (message.template, message.notification_id) == ("ORDER_CREATED", row.notification_id)
    assert message.expires_at == NOW + DAY
    assert message.unsubscribe_url == ""
    assert {endpoint.last_used_at for endpoint in Endpoint.objects.filter(disabled_at=None)} == {NOW}


def test_who_has_no_browser_has_no_address(alice, pushed, use):
    use(Scripted())
    make_endpoint(alice, disabled_at=NOW)

    publish(alice, channel="web_push")

    assert found() == [("", DeliveryState.SUPPRESSED, Reason.NO_ADDRESS)]


def test_a_browser_that_is_gone_is_not_asked_again_and_the_other_is(alice, pushed, use):
    adapter = use(Scripted(GONE))
    for _ in range(2):
        make_endpoint(alice)

    publish(alice, channel="web_push")
    deliver("web_push")
    publish(alice, channel="web_push")
    deliver("web_push")

    first, second, third = (message.address for message in adapter.messages)
    assert second == third != first
    gone, other = Endpoint.objects.get(pk=first), Endpoint.objects.get(pk=second)
    assert (gone.disabled_at, gone.last_used_at) == (NOW, None)
    assert (other.disabled_at, other.last_used_at) == (None, NOW)
    assert found(address=first) == [(first, DeliveryState.FAILED, Reason.ENDPOINT_GONE)]


@pytest.mark.parametrize("how", ["removed", "disabled", "taken over"])
def test_what_was_planned_for_a_browser_that_is_gone_by_then_is_stopped(alice, bob, pushed, use, how):
    adapter = use(Scripted())
    endpoint = make_endpoint(alice)
    publish(alice, channel="web_push")
    rows = Endpoint.objects.filter(pk=endpoint.pk)
    if how == "removed":
        rows.delete()
    else:
        rows.update(**({"disabled_at": NOW} if how == "disabled" else {"recipient": bob}))

    deliver("web_push")

    assert adapter.messages == []
    assert found() == [(endpoint.pk.hex, DeliveryState.SUPPRESSED, Reason.ENDPOINT_GONE)]


def test_each_browser_has_its_own_digest(alice, pushed, use, traveller, shipped_digest):
    adapter = use(Scripted())
    laptop, phone = make_endpoint(alice), make_endpoint(alice)
    Preference.objects.create(recipient=alice, category_id="orders", channel="web_push", cadence=Cadence.DAILY)
    publish(alice, channel="web_push")
    publish(alice, channel="web_push")

    traveller.shift(DAY)
    assert digesting.close(now=NOW + DAY, limit=10) == 2
    deliver("web_push")

    assert sorted(message.address for message in adapter.messages) == sorted([laptop.pk.hex, phone.pk.hex])
    assert all("2" in message.rendered.title + message.rendered.body for message in adapter.messages)


@pytest.fixture
def shipped_digest(db):
    variables = {"items": {"sample": []}, "count": {"sample": 2}, "more": {"sample": 0}}
    contents = {("web_push", ""): {"title": "{{ count }} new", "body": "{{ count }} new"}}
    return make_template("DIGEST", category="digests", contents=contents, variables=variables)


def test_use_is_noted_once_a_day(alice, pushed, use, traveller):
    use(Scripted())
    endpoint = make_endpoint(alice, last_used_at=NOW - timedelta(hours=23))

    publish(alice, channel="web_push")
    deliver("web_push")
    endpoint.refresh_from_db()
    assert endpoint.last_used_at == NOW - timedelta(hours=23)

    traveller.shift(timedelta(hours=1))
    publish(alice, channel="web_push")
    deliver("web_push")
    endpoint.refresh_from_db()
    assert endpoint.last_used_at == NOW + timedelta(hours=1)


# --- Links out ------------------------------------------------------------------------------------------------------


def test_an_email_carries_the_links_of_its_reader(alice, template, use):
    adapter = use(Scripted())
    publish(alice)
    deliver()

    (message,) = adapter.messages
    link = links.read(message.unsubscribe_url.rstrip("/").rpartition("/")[2])
    assert link == links.Link(recipient=str(alice.pk), category="orders", channel="email")
    assert message.preferences_url.startswith("http://127.0.0.1:8000/n/preferences/")
    assert message.unsubscribe_url in message.rendered.html
    assert message.unsubscribe_url in message.rendered.body


def test_two_readers_of_the_same_words_have_links_of_their_own(alice, bob, use):
    make_template("ORDER_CREATED", contents={("email", ""): {"title": "Order", "body": "We have it."}})
    adapter = use(Scripted())
    publish(alice, bob)
    deliver()

    hers, his = sorted(adapter.messages, key=lambda message: message.address)
    assert hers.unsubscribe_url != his.unsubscribe_url
    assert hers.unsubscribe_url not in his.rendered.html
    assert his.unsubscribe_url in his.rendered.html


def test_what_is_required_carries_none(alice, template, use):
    Category.objects.update(required=True)
    adapter = use(Scripted())
    publish(alice)
    deliver()

    (message,) = adapter.messages
    assert (message.unsubscribe_url, message.preferences_url) == ("", "")
    assert "/n/" not in message.rendered.html


@pytest.mark.filterwarnings("ignore:SEND_:DeprecationWarning")
def test_a_legacy_event_carries_none(db, use):
    adapter = use(Scripted())
    accept(Channel.EMAIL, {"to": EMAIL, "text": "An old way."}, message_id=uuid4())
    deliver()

    assert adapter.messages[0].unsubscribe_url == ""


# --- Constant queries -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 12])
def test_a_batch_costs_the_same_queries_whatever_its_size(django_user_model, pushed, use, number):
    use(Scripted())
    people = [django_user_model.objects.create_user(f"p{n}", email=f"p{n}@example.com") for n in range(number)]
    for person in people:
        make_endpoint(person)
        one = Unusable(channel="email", address=f"x{person.email}", reason=Reason.COMPLAINT)
        suppress([one], source=SuppressionSource.STAFF, now=NOW)
    variables = {"order_number": "ORD-1"}
    for person in people:
        publish_notification("ORDER_CREATED", recipient=person, variables=variables, channels=["email", "web_push"])

    with CaptureQueriesContext(
        connection,
    ) as planning:
        dispatch_batch(Priority.LOW, more=lambda: None)
    rows = list(Delivery.objects.all())
    with CaptureQueriesContext(connection) as composing:
        composed = compose(rows, now=NOW)

    assert len(composed) == 2 * number
    assert len([query for query in planning if "_suppression" in query["sql"]]) == 2
    assert len([query for query in planning if "_endpoint" in query["sql"]]) == 1
    assert len([query for query in composing if "_suppression" in query["sql"]]) == 2
    assert len([query for query in composing if "_endpoint" in query["sql"]]) == 1
