"""E-mail through a real SMTP server."""

from __future__ import annotations

import socket

import pytest

from notifications.channels.email import EmailChannel
from notifications.exceptions import MisconfiguredError, PermanentError, TransientError
from notifications.ids import uuid7
from notifications.types import Priority
from notifications.values import Action, Message, Receipt, Rendered
from tests.smtp import SmtpServer


@pytest.fixture
def server(settings):
    with SmtpServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def message(address="alice@example.com", title="Your order", body="We have it.", html="<p>We have it.</p>"):
    return Message(
        delivery_id=uuid7(),
        channel="email",
        address=address,
        priority=Priority.NORMAL,
        rendered=Rendered(title=title, body=body, html=html),
        action=Action(),
        category="orders",
    )


def send(*messages):
    return list(EmailChannel(from_email="Shop <shop@example.com>").send_batch(list(messages)))


def test_text_and_html_arrive_in_one_message(server):
    given = message(title="Grüße", body="Schön, dass Sie da sind.", html="<p>Schön</p>")

    (result,) = send(given)

    (mail,) = server.mailbox.messages
    assert result == Receipt(backend="EmailChannel", provider_message_id=mail["Message-ID"])
    assert mail["Subject"] == "Grüße"
    assert mail["From"] == "Shop <shop@example.com>"
    assert mail["To"] == "alice@example.com"
    assert mail["Message-ID"] == f"<{given.delivery_id.hex}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(["plain"]).get_content().strip() == "Schön, dass Sie da sind."
    assert mail.get_body(["html"]).get_content().strip() == "<p>Schön</p>"


def test_the_message_id_is_the_same_on_every_try(server):
    given = message()

    send(given)
    send(given)

    first, second = server.mailbox.messages
    assert first["Message-ID"] == second["Message-ID"]


def test_without_html_the_message_is_plain(server):
    send(message(html=""))

    assert server.mailbox.messages[0].get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ("451 try later", TransientError, "451"),
        ("421 closing", TransientError, "421"),
        ("550 no such user alice@example.com", PermanentError, "550"),
        ("552 full", PermanentError, "552"),
    ],
)
def test_the_servers_answer_decides_and_its_text_is_not_kept(server, answer, error, code):
    server.mailbox.answers["alice@example.com"].append(answer)

    (result,) = send(message())

    assert type(result) is error
    assert result.code == code
    assert "alice@" not in str(result)


def test_one_refused_address_does_not_keep_the_others(server):
    server.mailbox.answers["bob@example.com"].append("550 no")

    results = send(message("alice@example.com"), message("bob@example.com"), message("charlie@example.com"))

    assert [type(result) for result in results] == [Receipt, PermanentError, Receipt]
    assert server.mailbox.told() == ["alice@example.com", "charlie@example.com"]


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com, b@example.com",
        "a@example.com,b@example.com",
        "a@example.com\nBcc: b@example.com",
        "a@example.com\r\n",
        "Alice <a@example.com>",
        "alice",
        "@example.com",
        "a@",
        "",
        "a" * 250 + "@example.com",
        "a@example.com\u2028",
    ],
    ids=lambda address: repr(address)[:30],
)
def test_what_is_not_one_address_is_refused_before_the_server_hears_of_it(server, address):
    (result,) = send(message(address))

    assert isinstance(result, PermanentError)
    assert result.code == "bad_address"
    assert server.mailbox.tries == []


def test_a_line_break_in_the_subject_is_refused_for_good(server):
    (result,) = send(message(title="Hello\nBcc: eve@example.com"))

    assert isinstance(result, PermanentError)
    assert result.code == "bad_header"
    assert server.mailbox.messages == []


def test_a_server_that_is_not_there_may_be_tried_again(settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = free.getsockname()
        (result,) = send(message())

    assert isinstance(result, TransientError)
    assert result.code == "ConnectionRefusedError"


def test_a_login_that_is_refused_is_our_own_set_up(server, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "shop", "secret"

    (result,) = send(message())

    # This server offers no login at all.
    assert isinstance(result, MisconfiguredError)
    assert "secret" not in str(result)


def test_a_batch_uses_one_connection(server, monkeypatch):
    peers = []
    accept = type(server.mailbox).handle_RCPT

    async def remember(self, smtp, session, *args):
        peers.append(session.peer)
        return await accept(self, smtp, session, *args)

    monkeypatch.setattr(type(server.mailbox), "handle_RCPT", remember)
    send(*[message(f"user{index}@example.com") for index in range(5)])

    assert len(server.mailbox.messages) == 5
    assert len(set(peers)) == 1
