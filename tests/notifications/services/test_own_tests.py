"""A test goes to the tester alone, by the real backend, says that it is one, and is in the log."""

from __future__ import annotations

import pytest
from django.core import mail
from django.utils import timezone

from notifications.channels import fake
from notifications.exceptions import PermanentError, TransientError
from notifications.maintenance import rollup
from notifications.models import DailyStat, Delivery, Notification, Pause, TemplateContent
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import own_tests, recent
from notifications.types import Channel, Priority
from notifications.values import Rendered
from tests.factories import make_endpoint

pytestmark = pytest.mark.django_db


def send(template, user, channel=Channel.EMAIL, **texts):
    row = TemplateContent(channel=channel, **{"title": "Order {{ order_number }}", "body": "Hello.", **texts})
    return own_tests.send(row, template, user=user)


def test_an_e_mail_reaches_the_tester_and_says_that_it_is_a_test(template, admin_user):
    (result,) = send(template, admin_user)

    (message,) = mail.outbox
    assert result.is_sent
    assert (message.to, message.subject) == ([admin_user.email], "[Test] Order ORD-1")
    assert "This is a test of the wording." in str(message.message())
    assert message.extra_headers["List-Unsubscribe"]
    row = Delivery.objects.get(pk=result.delivery)
    assert (row.state, row.is_test, row.recipient, row.attempts) == ("sent", True, admin_user, 1)
    assert row.tries.get().outcome == "sent"


def test_figures_leave_tests_out(template, admin_user):
    send(template, admin_user)
    rollup.run_once(timezone.now(), 1)

    assert not DailyStat.objects.exists()
    assert recent.deliveries(timezone.now()).numbers == {}

    Delivery.objects.update(is_test=False)
    assert recent.deliveries(timezone.now()).numbers == {("email", "sent"): 1}


def test_an_inbox_item_is_the_testers_alone(template, admin_user, alice):
    (result,) = send(template, admin_user, Channel.IN_APP)

    item = Notification.objects.listed().get()
    assert (item.recipient, item.title) == (admin_user, "[Test] Order ORD-1")
    assert Delivery.objects.get(pk=result.delivery).is_test


def test_a_text_message_has_the_mark_in_its_text():
    assert own_tests.marked(Rendered(title="", body="Hello.")).body == "[Test] Hello."


def test_what_staff_chose_for_themselves_does_not_hold_a_test(template, admin_user):
    category = template.category
    category.defaults = {"email": "off"}
    category.save()

    assert send(template, admin_user)[0].is_sent


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param(PermanentError("No such mailbox.", code="550"), "failed", id="refused"),
        pytest.param(TransientError("Come back later.", code="421"), "pending", id="busy"),
        pytest.param(ZeroDivisionError("x"), "unknown", id="bug of an adapter"),
    ],
)
def test_what_the_provider_says_is_told(template, admin_user, settings, monkeypatch, answer, state):
    settings.NOTIFICATION_CHANNELS = {"email": {"BACKEND": "notifications.channels.fake.FakeChannel"}}

    def send_batch(self, messages):
        if isinstance(answer, ZeroDivisionError):
            raise answer
        yield answer

    monkeypatch.setattr(fake.FakeChannel, "send_batch", send_batch)

    (result,) = send(template, admin_user)

    assert not result.is_sent
    assert (str(answer) if state == "failed" else "") in result.answer
    assert Delivery.objects.get(pk=result.delivery).state == state


def test_a_pause_holds_tests_too(template, admin_user):
    Pause.objects.create(scope="channel", key="email", created_at=timezone.now())

    (result,) = send(template, admin_user)

    assert (result.is_sent, result.delivery) == (False, None)
    assert "paused" in result.text
    assert not mail.outbox


def test_whoever_has_no_address_is_told(template, admin_user, settings):
    settings.NOTIFICATION_CHANNELS = {"web_push": {"BACKEND": "notifications.channels.fake.FakeChannel"}}

    assert "no address" in send(template, admin_user, Channel.WEB_PUSH)[0].text


def test_what_is_sent_to_others_is_no_test(template, alice):
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-1"}, channels=["email"])
    dispatch_batch(Priority.LOW, more=lambda: None)

    assert not Delivery.objects.get().is_test


def test_each_address_gets_one(template, admin_user, settings):
    settings.NOTIFICATION_CHANNELS = {"web_push": {"BACKEND": "notifications.channels.fake.FakeChannel"}}
    make_endpoint(admin_user)
    make_endpoint(admin_user)

    assert [one.is_sent for one in send(template, admin_user, Channel.WEB_PUSH)] == [True, True]
