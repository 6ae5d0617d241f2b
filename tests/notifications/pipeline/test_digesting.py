"""Collected and sent as one: each item in exactly one digest, and nobody told of what they have read."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from notifications.maintenance import digests
from notifications.models import (
    Category,
    Delivery,
    Digest,
    Event,
    Preference,
    RecipientSettings,
    Template,
    TemplateVersion,
)
from notifications.pipeline import digest_wording
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import cancel_event, publish_batch_notification, publish_notification
from notifications.services import audit, inbox, pauses, seeding, shipped
from notifications.services.failed import Selection
from notifications.services.redrive import redrive
from notifications.types import Cadence, DeliveryState, DigestState, PauseScope, Priority, Reason
from tests.factories import make_template
from tests.threads import at_once

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: Eight o'clock in Berlin.
MORNING = datetime(2026, 3, 2, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def digest_template(db):
    """Seed the wording of digests, and no other."""
    (digest,) = (template for template in shipped.read_all() if template.code == "DIGEST")
    Category.objects.create(code=digest.category, name="Summaries", required=True)
    with transaction.atomic():
        seeding._seed_one(digest, NOW)


@pytest.fixture
def daily(alice, template):
    """Alice lives in Berlin and wants her orders once a day by e-mail."""
    RecipientSettings.objects.filter(recipient=alice).update(time_zone="Europe/Berlin")
    Preference.objects.create(recipient=alice, category_id="orders", channel="email", cadence=Cadence.DAILY)
    return alice


@pytest.fixture
def window(template):
    """Return a function that has ORDER_CREATED collect."""

    def collect(**digest):
        Template.objects.filter(code="ORDER_CREATED").update(digest={"window": 600, **digest})

    return collect


def publish(recipient, number, template="ORDER_CREATED", **options):
    options = {"channels": ["in_app", "email"], **options}
    return publish_notification(
        template, recipient=recipient, variables={"order_number": f"ORD-{number}"}, **options
    ).id


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def tell(recipient, *numbers, **options):
    for number in numbers:
        publish(recipient, number, **options)
    dispatch()


def close():
    return digests.run_once(datetime.now(UTC), 500)


def deliver():
    while deliver_batch("email", more=lambda: None):
        pass


def states(**filters):
    return Counter(Delivery.objects.filter(channel="email", **filters).values_list("state", flat=True))


# --- By the recipient's cadence -------------------------------------------------------------------------------------


def test_a_day_is_told_in_one_mail_in_the_morning_where_the_recipient_is(daily, traveller, mailoutbox):
    tell(daily, 1, 2)
    traveller.shift(HOUR)
    tell(daily, 3)

    (digest,) = Digest.objects.all()
    assert (digest.key, digest.due_at, digest.state) == ("daily:orders", MORNING, DigestState.OPEN)
    held = Delivery.objects.filter(channel="email")
    assert {(row.state, row.reason, row.digest_id) for row in held} == {("pending", Reason.DIGEST, digest.pk)}
    assert inbox.of(daily).count() == 3

    traveller.move_to(MORNING - timedelta(seconds=1))
    assert close() == 0
    deliver()
    assert mailoutbox == []
    traveller.move_to(MORNING)
    assert close() == 1
    deliver()

    (mail,) = mailoutbox
    assert mail.subject == "3 messages for you"
    for number in (1, 2, 3):
        assert f"Order ORD-{number}\nWe have it." in mail.body
    digest.refresh_from_db()
    assert (digest.state, digest.closed_at) == (DigestState.CLOSED, MORNING)
    assert digest.delivery is not None
    assert (digest.delivery.category_id, digest.delivery.template_id) == ("orders", "DIGEST")
    assert states() == {"digested": 3, "sent": 1}
    assert audit.audit(now=MORNING + HOUR).findings == ()


def test_each_category_channel_and_cadence_has_a_digest_of_its_own(alice, template):
    make_template("PAYMENT_CREATED", category="payments2")
    for category, channel, cadence in (
        ("orders", "email", "hourly"),
        ("orders", "sms", "weekly"),
        ("payments2", "email", "hourly"),
    ):
        Preference.objects.create(recipient=alice, category_id=category, channel=channel, cadence=cadence)

    tell(alice, 1, 2, channels=["email", "sms"])
    tell(alice, 3, template="PAYMENT_CREATED", channels=["email"])

    found = {(row.key, row.channel): row.due_at for row in Digest.objects.all()}
    assert found == {
        ("hourly:orders", "email"): NOW + HOUR,
        ("weekly:orders", "sms"): datetime(2026, 3, 2, 8, tzinfo=UTC),
        ("hourly:payments2", "email"): NOW + HOUR,
    }


def test_after_it_is_closed_the_next_one_is_opened(daily, traveller):
    tell(daily, 1)
    traveller.move_to(MORNING)
    close()

    tell(daily, 2)

    assert list(Digest.objects.order_by("opened_at").values_list("state", "due_at")) == [
        (DigestState.CLOSED, MORNING),
        (DigestState.OPEN, MORNING + timedelta(days=1)),
    ]


@pytest.mark.parametrize("what", ["urgent", "required"])
def test_what_cannot_wait_is_not_collected(daily, mailoutbox, what):
    if what == "required":
        Category.objects.filter(code="orders").update(required=True)
    tell(daily, 1, priority="urgent" if what == "urgent" else "normal")

    deliver()

    assert (len(mailoutbox), Digest.objects.count()) == (1, 0)


def test_the_reader_is_told_in_their_language(daily, traveller, mailoutbox):
    RecipientSettings.objects.update(locale="de-AT")
    tell(daily, 1)
    traveller.move_to(MORNING)
    close()
    deliver()

    (mail,) = mailoutbox
    assert mail.subject == "1 Nachricht für Sie"
    assert "Bestellung ORD-1" in mail.body


# --- What is not told -----------------------------------------------------------------------------------------------


def test_what_was_read_or_called_back_is_left_out(daily, traveller, mailoutbox):
    tell(daily, 1, 2)
    cancelled = publish(daily, 3)
    dispatch()
    inbox.mark(inbox.of(daily).filter(title__contains="ORD-1"), "read", now=NOW)
    cancel_event(cancelled)
    traveller.move_to(MORNING)
    close()
    deliver()

    assert "ORD-2" in mailoutbox[0].body
    assert "ORD-1" not in mailoutbox[0].body
    assert "ORD-3" not in mailoutbox[0].body
    assert states() == {"cancelled": 2, "digested": 1, "sent": 1}
    assert Delivery.objects.filter(reason=Reason.READ).count() == 1


def test_a_digest_with_nothing_left_is_not_sent(daily, traveller, mailoutbox):
    tell(daily, 1)
    inbox.mark(inbox.of(daily), "read", now=NOW)
    traveller.move_to(MORNING)

    close()
    deliver()

    assert (Digest.objects.get().state, mailoutbox) == (DigestState.EMPTY, [])
    assert states() == {"cancelled": 1}


def test_who_does_not_want_it_any_more_gets_no_digest(daily, traveller, mailoutbox):
    tell(daily, 1)
    traveller.move_to(MORNING)
    close()
    Preference.objects.update(cadence=Cadence.OFF)

    deliver()

    assert mailoutbox == []
    assert states() == {"digested": 1, "suppressed": 1}


def test_a_digest_waits_for_the_end_of_quiet_hours(daily, traveller, mailoutbox):
    RecipientSettings.objects.update(quiet_hours={"daily": ["22:00-10:00"]})
    tell(daily, 1)
    traveller.move_to(MORNING)
    close()
    deliver()

    row = Delivery.objects.get(channel="email", digest_id__isnull=True)
    assert (row.state, row.due_at, row.reason) == ("pending", MORNING + 2 * HOUR, Reason.QUIET_HOURS)


def test_items_that_cannot_be_worded_fail_alone(daily, traveller, mailoutbox):
    tell(daily, 1, channels=["email"])
    Event.objects.update(emptied_at=NOW)
    tell(daily, 2, channels=["email"])
    traveller.move_to(MORNING)
    close()
    deliver()

    failed = Delivery.objects.get(channel="email", state=DeliveryState.FAILED)
    assert (failed.reason, failed.last_error) == (Reason.RENDER_ERROR, "Its content is no longer kept.")
    # Not in the inbox: told in the words of the mail.
    assert "Your order ORD-2\nHello Alice, we have it." in mailoutbox[0].body
    assert states() == {"failed": 1, "digested": 1, "sent": 1}


def test_a_digest_of_which_nothing_can_be_worded_is_not_sent(daily, traveller):
    tell(daily, 1, channels=["email"])
    Event.objects.update(emptied_at=NOW)
    traveller.move_to(MORNING)

    close()

    assert (Digest.objects.get().state, states()) == (DigestState.EMPTY, {"failed": 1})


def test_a_text_message_is_told_by_its_text(alice, template, fake_sms, traveller):
    Preference.objects.create(recipient=alice, category_id="orders", channel="sms", cadence=Cadence.HOURLY)
    tell(alice, 1, channels=["sms"])
    traveller.shift(HOUR)
    close()
    deliver_batch("sms", more=lambda: None)

    assert fake_sms[0].rendered.body == "1 message: Order ORD-1 is here.;"


def test_without_a_wording_the_digest_fails_and_can_be_looked_at(daily, traveller):
    tell(daily, 1)
    Template.objects.filter(code="DIGEST").update(live_version=None)
    traveller.move_to(MORNING)

    close()

    made = Delivery.objects.get(channel="email", digest_id__isnull=True)
    assert (made.state, made.reason) == (DeliveryState.FAILED, Reason.RENDER_ERROR)


def test_without_the_shipped_template_it_says_how_to_get_it(daily, traveller):
    tell(daily, 1)
    Template.objects.filter(code="DIGEST").update(live_version=None)
    TemplateVersion.objects.filter(template="DIGEST").delete()
    Template.objects.filter(code="DIGEST").delete()
    traveller.move_to(MORNING)

    close()

    made = Delivery.objects.get(channel="email", digest_id__isnull=True)
    assert "run manage.py seed_notification_templates" in made.last_error


def test_more_than_fifty_are_counted(daily, traveller, mailoutbox, monkeypatch):
    monkeypatch.setattr(digest_wording, "SHOWN", 2)
    tell(daily, 1, 2, 3, 4, 5)
    traveller.move_to(MORNING)
    close()
    deliver()

    assert mailoutbox[0].subject == "5 messages for you"
    assert "… and 3 more." in mailoutbox[0].body
    assert states()["digested"] == 5


# --- By the template's window ---------------------------------------------------------------------------------------


def test_a_window_begins_with_the_first_and_does_not_slide(alice, window, traveller):
    window()
    tell(alice, 1)
    traveller.shift(9 * MINUTE)
    tell(alice, 2)

    assert Digest.objects.get().due_at == NOW + 10 * MINUTE


def test_a_sliding_window_begins_anew_with_each_and_comes_to_an_end(alice, window, traveller, mailoutbox):
    window(sliding=True, longest=1500)
    tell(alice, 1)
    for minutes in (10, 20, 25):
        traveller.shift(9 * MINUTE if minutes != 25 else 5 * MINUTE)
        tell(alice, minutes)
    assert Digest.objects.get().due_at == NOW + 25 * MINUTE

    traveller.move_to(NOW + 25 * MINUTE)
    close()
    deliver()
    assert mailoutbox[0].subject == "4 messages for you"


def test_the_first_goes_out_at_once_and_the_rest_is_collected(alice, window, traveller, mailoutbox):
    window(first_now=True)
    publish(alice, 1)
    # Of one instant, either could be the first.
    traveller.shift(timedelta(milliseconds=1))
    tell(alice, 2)
    traveller.shift(MINUTE)
    tell(alice, 3)
    deliver()
    assert [mail.subject for mail in mailoutbox] == ["Your order ORD-1"]

    traveller.shift(9 * MINUTE)
    close()
    deliver()
    assert [mail.subject for mail in mailoutbox] == ["Your order ORD-1", "2 messages for you"]


def test_if_none_comes_after_the_first_there_is_no_digest(alice, window, traveller, mailoutbox):
    window(first_now=True)
    tell(alice, 1)
    traveller.shift(10 * MINUTE)

    close()
    deliver()

    assert (Digest.objects.get().state, len(mailoutbox)) == (DigestState.EMPTY, 1)


def test_what_business_code_names_alike_is_collected_together(alice, bob, window):
    window()
    for key in ("post-1", "post-1", "post-2"):
        publish_batch_notification(
            "ORDER_CREATED",
            recipients=[alice, bob],
            variables={"order_number": "1"},
            channels=["email"],
            digest_key=key,
        )
    dispatch()

    collected = Counter(Delivery.objects.values_list("digest_id", flat=True))
    found = {(row.recipient_id, row.key): collected[row.pk] for row in Digest.objects.all()}
    assert found == {
        (person.pk, f"ORDER_CREATED:{key}"): number
        for person in (alice, bob)
        for key, number in (("post-1", 2), ("post-2", 1))
    }


def test_the_recipients_own_cadence_comes_before_the_window(daily, window):
    window()
    tell(daily, 1)

    assert Digest.objects.get().key == "daily:orders"


def test_a_template_may_have_a_digest_wording_of_its_own(alice, window, traveller, mailoutbox):
    make_template(
        "ORDER_SUMMARY",
        category="digests",
        variables={name: {"sample": 1, "required": True} for name in ("items", "count", "more")},
        contents={
            ("email", ""): {
                "title": "{{ count }} orders",
                "body": "{% for item in items %}{{ item.variables.order_number }} {% endfor %}",
            }
        },
    )
    window(template="ORDER_SUMMARY")
    tell(alice, 1, 2)
    traveller.shift(10 * MINUTE)
    close()
    deliver()

    assert (mailoutbox[0].subject, set(mailoutbox[0].body.split()[:2])) == ("2 orders", {"ORD-1", "ORD-2"})


# --- Held, sent round again, raced ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [PauseScope.EVERYTHING, PauseScope.TEMPLATE])
def test_what_is_held_is_not_digested(daily, traveller, scope):
    tell(daily, 1)
    key = "ORDER_CREATED" if scope == PauseScope.TEMPLATE else ""
    pauses.pause(scope, key, now=NOW)
    traveller.move_to(MORNING)

    assert close() == 0
    assert audit.audit(now=MORNING + HOUR).findings == ()

    pauses.resume(scope, key, now=MORNING)
    assert close() == 1


def test_a_digest_that_nobody_closes_and_what_is_left_in_one_are_seen(daily):
    tell(daily, 1)
    kinds = {finding.kind for finding in audit.audit(now=MORNING + HOUR).findings}
    assert kinds == {audit.Kind.DIGEST_OVERDUE}

    Digest.objects.update(state=DigestState.CLOSED, closed_at=NOW)
    kinds = {finding.kind for finding in audit.audit(now=NOW).findings}
    assert kinds == {audit.Kind.DIGEST_LEFT}


def test_an_item_that_failed_is_sent_on_its_own_when_it_goes_round_again(daily, traveller, mailoutbox):
    tell(daily, 1)
    Delivery.objects.filter(channel="email").update(state="failed", reason=Reason.RENDER_ERROR, finished_at=NOW)
    traveller.shift(HOUR)

    redrive(Selection(), now=NOW + HOUR)
    deliver()

    assert [mail.subject for mail in mailoutbox] == ["Your order ORD-1"]


@pytest.mark.django_db(transaction=True)
def test_eight_add_while_two_close_and_each_of_ten_thousand_items_is_in_one_digest(template, django_user_model):
    Template.objects.filter(code="ORDER_CREATED").update(digest={"window": 1})
    people = django_user_model.objects.bulk_create(
        django_user_model(username=f"user{index}", email=f"user{index}@example.com") for index in range(50)
    )
    number = 10_000
    for index in range(number // len(people)):
        publish_batch_notification(
            "ORDER_CREATED", recipients=people, variables={"order_number": str(index)}, channels=["email"]
        )

    def close_many():
        while Event.objects.filter(state="pending").exists():
            digests.run_once(NOW + MINUTE, 500)

    at_once(*[dispatch] * 8, *[close_many] * 2)
    while digests.run_once(NOW + MINUTE, 500):
        pass

    items = Delivery.objects.filter(digest_id__isnull=False)
    assert (items.count(), items.filter(state=DeliveryState.DIGESTED).count()) == (number, number)
    assert set(Digest.objects.values_list("state", flat=True)) == {DigestState.CLOSED}
    told = Delivery.objects.filter(digest_id__isnull=True, channel="email")
    assert sum(int(row.content["title"].split()[0]) for row in told if row.content) == number
    assert audit.audit(now=NOW).findings == ()
