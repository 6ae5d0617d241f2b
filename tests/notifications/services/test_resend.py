"""Saying something once more: a new event, once, by one channel; and what cannot be said again."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from notifications.exceptions import WrongVariables
from notifications.models import Delivery, Event, Notification, Template
from notifications.pipeline import wording
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import contents, resend, story
from notifications.services.resend import NotPossible, Obstacle
from notifications.types import Priority, Source
from tests.notifications.pipeline.test_claiming import make_delivery

pytestmark = pytest.mark.django_db

TOKEN = UUID(int=7)


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


@pytest.fixture
def sent(alice, template):
    """An e-mail that went out to Alice."""
    publish_notification(
        "ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-1"}, about="orders.order:1",
        action_url="/orders/1/", priority="high", idempotency_key="first",
    )  # fmt: skip
    dispatch()
    deliver_batch("email", more=lambda: None)
    return Delivery.objects.get(channel="email")


def again(delivery, token=TOKEN):
    return resend.resend(delivery, token=token, now=timezone.now())


def test_it_is_said_once_more_by_its_channel_only_and_marked(sent, alice, mailoutbox):
    (event_id,) = again(sent).event_ids
    dispatch()
    deliver_batch("email", more=lambda: None)

    event = Event.objects.get(pk=event_id)
    assert (event.source, event.about, event.priority) == (Source.ADMIN, "orders.order:1", Priority.HIGH)
    assert resend.resent_from(event) == sent.pk
    assert list(Delivery.objects.filter(event_id=event_id, state="sent").values_list("channel", flat=True)) == ["email"]
    assert [message.to for message in mailoutbox] == [["alice@example.com"]] * 2
    assert mailoutbox[0].subject == mailoutbox[1].subject


def test_the_same_confirmation_twice_is_one_event_another_is_another(sent):
    first, second, third = again(sent), again(sent), again(sent, uuid4())

    assert (first.created, second.created, third.created) == (True, False, True)
    assert first.event_ids == second.event_ids != third.event_ids


def test_what_has_no_event_no_recipient_or_no_variables_any_more_cannot_be_said_again(sent, alice):
    direct = make_delivery(content={"body": "Hello"})
    Event.objects.filter(idempotency_key="first").update(emptied_at=timezone.now())
    gone = Delivery.objects.get(pk=sent.pk)
    gone.recipient = None

    assert resend.obstacle(direct) == Obstacle.DIRECT
    assert resend.obstacle(gone) == Obstacle.NOBODY
    assert resend.obstacle(sent) == Obstacle.CONTENT_GONE
    with pytest.raises(NotPossible, match="no longer kept"):
        again(sent)


def test_what_the_template_wants_today_and_the_old_event_lacks_is_named(sent):
    variables = {"order_number": {"sample": "1"}, "total": {"sample": 1, "required": True}}
    Template.objects.update(variables=variables)
    wording.forget()

    with pytest.raises(WrongVariables, match="'total' is missing"):
        again(sent)


@pytest.mark.parametrize("key", [None, "", "first", "resent:", "resent:x:y"])
def test_other_events_are_not_taken_for_one(key):
    assert resend.resent_from(Event(idempotency_key=key)) is None


def words(said):
    """Return the words, which are there."""
    assert said.words is not None
    return said.words


# --- What it says ---------------------------------------------------------------------------------------------------


def test_the_words_are_those_that_went_out_and_without_the_right_those_of_the_wording(sent, mailoutbox):
    revealed, masked = words(contents.revealed(sent)), words(contents.masked(sent))

    assert revealed.title == mailoutbox[0].subject == "Your order ORD-1"
    assert "Hello Alice, we have it." in revealed.body
    assert masked.title == "Your order {{ order_number }}"
    assert "ORD-1" not in f"{masked}"
    assert "Alice" not in f"{masked}"


def test_they_are_those_of_the_version_it_was_planned_with(sent):
    from tests.factories import publish_version

    publish_version(Template.objects.get(), {("email", ""): {"title": "Other", "body": "Other"}})

    assert words(contents.revealed(sent)).title == "Your order ORD-1"


def test_what_an_inbox_item_says_is_kept_with_it(sent):
    item = Delivery.objects.get(channel="in_app")
    assert words(contents.revealed(item)).title == "Order ORD-1"

    Notification.objects.all().delete()

    assert "no longer kept" in contents.revealed(Delivery.objects.get(pk=item.pk)).problem


def test_words_of_its_own_are_shown_only_to_who_may_see_them():
    direct = make_delivery(content={"title": "Secret", "body": "Secret", "html": "<p>Secret"})

    assert words(contents.revealed(direct)).body == "Secret"
    assert contents.masked(direct).words is None
    assert "Secret" not in contents.masked(direct).problem


def test_what_cannot_be_made_again_says_why(sent):
    Event.objects.all().delete()

    assert "cannot be made again" in contents.revealed(sent).problem
    assert "no version" in contents.masked(make_delivery()).problem


# --- How it went ----------------------------------------------------------------------------------------------------


def test_its_life_is_told_in_the_order_of_time(sent):
    now = timezone.now()
    for kind, event_id in (("delivered", "1"), ("bounced", "2")):
        sent.feedback.create(provider="ses", event_id=event_id, kind=kind, code="5.1.1", at=now, received_at=now)

    moments = story.of_delivery(sent)

    assert [moment.title for moment in moments] == [
        "Published", "Planned", "Try 1: sent", "Over: sent", "The provider: delivered", "The provider: bounced",
    ]  # fmt: skip
    assert [moment.tone for moment in moments] == ["", "", "good", "good", "good", "bad"]
    assert "alice@example.com" not in str(moments)


def test_what_waits_says_until_when_and_why(alice):
    waiting = make_delivery(reason="quiet_hours")

    last = story.of_delivery(waiting)[-1]

    assert (last.title, last.at) == ("Due", waiting.due_at)
    assert last.details == ("waiting for the end of the recipient's quiet hours",)
