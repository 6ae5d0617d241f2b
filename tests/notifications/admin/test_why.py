"""Why they did (not) get it, on a page."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from notifications.models import Delivery, Event, Preference
from notifications.pipeline.dispatch import dispatch_batch
from notifications.pipeline.suppressing import Unusable, suppress
from notifications.publishing import publish_notification
from notifications.services import pauses
from notifications.types import PauseScope, Priority, Reason, SuppressionSource
from tests.factories import make_template

ORDER = "orders.order:42"


@pytest.fixture(autouse=True)
def told(alice, template):
    Preference.objects.create(recipient=alice, category_id="orders", channel="sms", cadence="off")
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"}, about=ORDER)
    dispatch_batch(Priority.LOW, more=lambda: None)


@pytest.fixture
def ask(admin_client):
    def ask(**asked):
        return admin_client.get(reverse("admin:notifications_why"), asked)

    return ask


def test_what_is_on_record_and_what_would_be_now_are_told_apart(ask):
    page = ask(user="alice", template="ORDER_CREATED", about=ORDER).text

    recorded, now = page.split("Re-evaluated now")
    assert "text message: suppressed, the recipient switched this category off" in recorded
    assert "not sent, because the recipient switched this category off" in now
    assert "decided by: the recipient&#x27;s wish for the category" in now


def test_who_has_no_row_is_told_why(ask, charlie):
    page = ask(user="charlie", template="ORDER_CREATED", about=ORDER).text

    assert "of which this user is not a recipient: 1" in page
    assert "No event about orders.order:42 that names this user is on record." in page
    assert "not sent, because the recipient has no address on this channel" in page


def test_lines_lead_to_their_rows_and_to_what_can_be_done(ask, alice):
    page = ask(user="alice", template="ORDER_CREATED", about=ORDER).text.replace("_2D", "-")

    for row in Delivery.objects.all():
        assert reverse("admin:notifications_delivery_change", args=[row.pk]) in page
    assert f"{reverse('admin:notifications_person', args=[alice.pk])}#wishes" in page
    assert "change what they want to hear, if they ask for it" in page


def test_a_pause_and_a_suppression_are_to_be_lifted(ask, alice):
    found = Unusable(channel="email", address=alice.email, reason=Reason.HARD_BOUNCE)
    suppress([found], source=SuppressionSource.STAFF, now=timezone.now())
    pauses.pause(PauseScope.TEMPLATE, "ORDER_CREATED", now=timezone.now())

    page = ask(user="alice", template="ORDER_CREATED").text

    assert "lift the pause" in page
    assert f"{reverse('admin:notifications_person', args=[alice.pk])}#lift" in page


def test_an_event_says_what_it_is_about(ask):
    page = ask(user="alice", event=str(Event.objects.get().pk))

    assert page.status_code == 200
    assert "ORDER_CREATED to alice, about orders.order:42" in " ".join(page.text.split())


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"user": "alcie"}, "user", "did you mean &#x27;alice&#x27;"),
        ({"user": "\x00"}, "user", "Null characters"),
        ({"user": "9" * 40}, "user", "No user"),
        ({"template": "ORDER_CRATED"}, "template", "did you mean &#x27;ORDER_CREATED&#x27;"),
        ({"template": "order_crated"}, "template", "did you mean &#x27;ORDER_CREATED&#x27;"),
        ({"template": ""}, "template", "Name a template, or an event."),
        ({"about": "x" * 201}, "about", "201 characters"),
        ({"event": "42"}, "event", "No event has this id"),
        ({"event": "01a225c7-b87f-74fb-975d-03cc5855807e"}, "event", "No event has this id"),
        ({"event": "its own", "template": "OTHER"}, "template", "The event says &#x27;ORDER_CREATED&#x27;"),
        ({"event": "its own", "about": "orders.order:1"}, "about", "The event says &#x27;orders.order:42&#x27;"),
    ],
    ids=repr,
)
def test_what_is_wrong_is_said_at_the_field(ask, wrong, field, message):
    make_template("OTHER")
    if wrong.get("event") == "its own":
        wrong = {**wrong, "event": str(Event.objects.get().pk)}
    page = ask(**{"user": "alice", "template": "" if "event" in wrong else "ORDER_CREATED", **wrong})

    assert page.status_code == 400
    assert list(page.context["form"].errors) == [field]
    assert message in page.text
    assert "On record" not in page.text


def test_an_object_nobody_wrote_about_is_said_beside_the_answer(ask):
    page = ask(user="alice", template="ORDER_CREATED", about="orders.order:43").text

    assert "Nothing on record is about &#x27;orders.order:43&#x27; (did you mean &#x27;orders.order:42&#x27;?)." in page
    assert "It was never published" in page


def test_asking_changes_nothing(ask, admin_client):
    before = Delivery.objects.count(), Event.objects.count()
    assert ask().status_code == 200
    ask(user="alice", template="ORDER_CREATED")

    assert (Delivery.objects.count(), Event.objects.count()) == before
    assert not LogEntry.objects.exists()
    assert admin_client.post(reverse("admin:notifications_why")).status_code == 405


def test_the_pages_of_an_event_and_of_a_template_lead_to_the_question(admin_client, log_in, address):
    event = Event.objects.get()
    here = reverse("admin:notifications_why")

    assert f"{here}?event={event.pk}" in admin_client.get(address("event", "change", event.pk)).text
    assert f"{here}?template=ORDER_CREATED" in admin_client.get(address("template", "change", "ORDER_CREATED")).text
    page = admin_client.get(here, {"event": str(event.pk)})
    assert page.context["form"]["event"].value() == str(event.pk)
    assert here not in log_in("view_event").get(address("event", "change", event.pk)).text
