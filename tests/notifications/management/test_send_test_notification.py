"""`manage.py send_test_notification` asks the provider, really, and says what came of it."""

from __future__ import annotations

import base64
import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notifications import clock
from notifications.channels import fake
from notifications.models import Attempt, Delivery, Endpoint
from tests.providers.server import Server, said
from tests.smtp import SmtpServer

pytestmark = pytest.mark.django_db

FAKE = {"BACKEND": "notifications.channels.fake.FakeChannel"}
EMAIL = "notifications.channels.email.EmailChannel"
SUBSCRIPTION = {
    "endpoint": "https://fcm.googleapis.com/fcm/send/zzcanary",
    "keys": {
        "p256dh": base64.urlsafe_b64encode(b"\x04" + b"k" * 64).decode(),
        "auth": base64.urlsafe_b64encode(b"a" * 16).decode(),
    },
}
ADDRESSES = {
    "email": "alice@example.com",
    "sms": "+12025550123",
    "web_push": json.dumps(SUBSCRIPTION),
    "chat": "https://hooks.slack.com/services/zzcanary",
    "webhook": json.dumps({"url": "https://alice.example.com/hook"}),
}


@pytest.fixture(autouse=True)
def channels(settings):
    settings.NOTIFICATION_CHANNELS = dict.fromkeys(ADDRESSES, FAKE)


@pytest.fixture
def smtp(settings):
    with SmtpServer() as server:
        options = {
            "from_email": "shop@example.com",
            "backend": "django.core.mail.backends.smtp.EmailBackend",
            "backend_options": {"host": "127.0.0.1", "port": server.port},
        }
        settings.NOTIFICATION_CHANNELS = {"email": {"BACKEND": EMAIL, "OPTIONS": options}}
        yield server.mailbox


def run(*args):
    """Return what is printed, and with what it ends: nothing, or an error."""
    out, err, error = StringIO(), StringIO(), ""
    try:
        call_command("send_test_notification", *args, stdout=out, stderr=err, no_color=True)
    except CommandError as e:
        error = f"{e.returncode}: {e}"
    return out.getvalue().strip(), err.getvalue().strip(), error


@pytest.mark.parametrize("channel", ADDRESSES)
def test_every_channel_is_asked(channel):
    out, err, error = run("--channel", channel, "--to", ADDRESSES[channel])

    (message,) = fake.sent
    assert (out, err, error) == (f"FakeChannel took it: {message.delivery_id.hex}", "", "")
    assert message.channel == channel
    assert message.rendered.title.startswith("[Test] ")
    assert "This is a test of" in message.rendered.body
    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()


def test_what_somebody_registered_is_given_to_the_adapter():
    run("--channel", "web_push", "--to", ADDRESSES["web_push"])
    run("--channel", "chat", "--to", ADDRESSES["chat"])

    push, chat = fake.sent
    assert push.endpoint == SUBSCRIPTION
    assert chat.endpoint == {"url": ADDRESSES["chat"]}
    assert "zzcanary" not in push.address + chat.address


def test_a_user_is_reached_where_they_are(alice, charlie):
    Endpoint.objects.create(
        recipient=alice, channel="web_push", address=SUBSCRIPTION, address_hash="0" * 64, created_at=clock.now()
    )

    for channel in ("email", "sms", "web_push"):
        run("--channel", channel, "--user", "alice")

    assert [message.address for message in fake.sent] == [
        "alice@example.com", "+4915550001001", Endpoint.objects.get().pk.hex,
    ]  # fmt: skip
    assert run("--channel", "sms", "--user", "charlie")[2] == "1: charlie has no address on sms."


def test_the_words_of_a_template_are_filled_in_with_its_samples(shipped_templates):
    run("--channel", "email", "--to", "bob@example.com", "--template", "ORDER_SHIPPED", "--locale", "de")
    run("--channel", "sms", "--to", "+12025550123", "--template", "ORDER_SHIPPED")

    email, sms = fake.sent
    assert email.rendered.title.startswith("[Test] ")
    assert "Bestellung" in email.rendered.title + email.rendered.body
    assert "<html" in email.rendered.html
    assert email.template == "ORDER_SHIPPED"
    assert sms.rendered.title or sms.rendered.body.startswith("[Test] ")


def test_a_real_server_is_asked(smtp):
    out, _, error = run("--channel", "email", "--to", "alice@example.com")

    assert (out, error) == (f"EmailChannel took it: {smtp.messages[0]['Message-ID']}", "")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            "550 5.1.1 no alice@example.com",
            "permanent 550 5.1.1: The mail server does not know the address (550 5.1.1).",
        ),
        ("451 later", "transient 451: The mail server asked to try later (451)."),
    ],
)
def test_a_refusal_is_told_by_its_type_and_ends_with_1(smtp, answer, told):
    smtp.answers["alice@example.com"].append(answer)

    _, err, error = run("--channel", "email", "--to", "alice@example.com")

    assert (err, error) == (f"EmailChannel did not: {told}", "1: 1 of 1 not taken.")


def test_a_provider_says_when_to_come_back(settings):
    with Server(said(429, {"code": "slow"}, retry_after="17")) as server:
        options = {"url": server.url, "body": {"to": "{to}", "text": "{text}"}}
        backend = {"BACKEND": "notifications.channels.sms_http.HttpSms", "OPTIONS": options}
        settings.NOTIFICATION_CHANNELS = {"sms": backend}

        _, err, error = run("--channel", "sms", "--to", "+12025550123")

    assert re.match(r"HttpSms did not: throttled slow: .* Come back in 17 s\.$", err)
    assert error


def test_a_backend_that_stands_in_can_be_tested(settings, smtp):
    first = settings.NOTIFICATION_CHANNELS["email"]
    settings.NOTIFICATION_CHANNELS = {"email": {**first, "FALLBACKS": [{**FAKE, "NAME": "standby"}]}}

    out, _, _ = run("--channel", "email", "--to", "alice@example.com", "--backend", "standby")

    assert out.startswith("standby took it")
    assert smtp.messages == []


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--channel", "smss", "--to", "x"], "No channel 'smss' in NOTIFICATION_CHANNELS (did you mean 'sms'?)."),
        (["--channel", "in_app", "--to", "x"], "in_app has no provider: the inbox row is the message."),
        (["--channel", "sms", "--to", "x", "--backend", "b"], "sms has no backend 'b'; there are"),
        (["--channel", "sms", "--to", "x", "--template", "NO"], "No published template 'NO'."),
        (["--channel", "web_push", "--to", "{"], "--to is no JSON"),
        (["--channel", "web_push", "--to", "{}"], "This is no address of the channel web_push."),
        (["--channel", "web_push", "--to", "https://x.example/"], "This is no address of the channel web_push."),
        (["--channel", "webhook", "--to", "http://127.0.0.1/"], "Use https:// and a host name"),
        (["--channel", "sms", "--user", "nobody"], "No user 'nobody'"),
        (["--channel", "sms"], "one of the arguments --to --user is required"),
        (["--to", "x"], "the following arguments are required: --channel"),
    ],
)
def test_wrong_input_is_told_and_nothing_is_sent(args, error):
    assert error in run(*args)[2]
    assert not fake.sent


def test_a_channel_that_cannot_be_made_says_why(settings):
    settings.NOTIFICATION_CHANNELS = {"email": {"BACKEND": EMAIL, "OPTIONS": {"form_email": "x"}}}

    assert "form_email" in run("--channel", "email", "--to", "alice@example.com")[2]


def test_an_adapter_without_an_answer_is_no_success(settings):
    settings.NOTIFICATION_CHANNELS = {"sms": {"BACKEND": "tests.adapters.Mute"}}

    _, err, error = run("--channel", "sms", "--to", "+12025550123")

    assert err == "Mute did not: ambiguous no_result: The adapter gave no result."
    assert error
