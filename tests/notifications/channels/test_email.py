"""E-mail through a real SMTP server."""

from __future__ import annotations

import socket

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from notifications.channels import mail_connections, smtp_connection
from notifications.channels.email import EmailChannel
from notifications.exceptions import (
    AmbiguousError,
    MisconfiguredError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from notifications.ids import uuid7
from notifications.types import Priority, Reason
from notifications.values import Action, Message, Receipt, Rendered
from tests.certificates import self_signed
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.notifications.channels.conformance import CANARY, Answer, Peer
from tests.smtp import DROP, SmtpServer

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class SmtpPeer(Peer):
    """A mail server, and e-mail by Django's SMTP backend."""

    channel = "email"
    secrets = ("zzpassword9c1",)
    #: The next message's RCPT, or what comes after its DATA.
    rcpt = {
        Answer.REFUSED: "550 5.7.1 no, {address}",
        Answer.GONE: "550 5.1.1 no such user {address}",
        Answer.LATER: "451 4.3.0 later, {address}",
        Answer.THROTTLED: "450 4.7.1 greylisted {address}",
    }

    def __init__(self):
        self.server = SmtpServer(login=("shop", self.secrets[0]))
        self.made: list = []
        self.password = self.secrets[0]
        self.scripted: list = []

    def adapter(self):
        options = {"host": "127.0.0.1", "port": self.server.port, "username": "shop", "password": self.password}
        adapter = EmailChannel(from_email="Shop <shop@example.com>", backend=SMTP, backend_options=options)
        self.made.append(adapter)
        return adapter

    def script(self, *answers):
        mailbox = self.server.mailbox
        for number, answer in enumerate(answers):
            address = self.address(number)
            if answer in self.rcpt:
                mailbox.answers[address].append(self.rcpt[answer].format(address=address))
            elif answer == Answer.UNAUTHORIZED:
                # Where the sender is not taken, as where the login is not, it is our set-up.
                mailbox.replies["MAIL"].append(f"530 5.7.0 not {self.password}")
            elif answer == Answer.DROPPED:
                mailbox.replies["DATA"].append(DROP)
            elif answer == Answer.GARBAGE:
                mailbox.replies["DATA"].append("what?")
            elif answer == Answer.DOWN:
                self.server.leave()

    @property
    def calls(self):
        return len(self.server.mailbox.peers)

    @property
    def accepted(self):
        return self.server.mailbox.told()

    def address(self, number):
        return f"{CANARY}-{number}@example.com"

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *details):
        for adapter in self.made:
            adapter.close()
        self.server.__exit__(*details)


@pytest.fixture
def peer():
    with SmtpPeer() as peer:
        yield peer


@pytest.fixture
def server(settings):
    with SmtpServer() as server:
        settings.EMAIL_BACKEND = SMTP
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def message(address="alice@example.com", title="Your order", body="We have it.", html="<p>We have it.</p>", **more):
    return Message(
        delivery_id=uuid7(),
        channel="email",
        address=address,
        priority=Priority.NORMAL,
        rendered=Rendered(title=title, body=body, html=html),
        action=Action(),
        category="orders",
        **more,
    )


def send(*messages, **options):
    """Send by an adapter of their own."""
    adapter = EmailChannel(**{"from_email": "Shop <shop@example.com>", **options})
    results = list(adapter.send_batch(list(messages)))
    adapter.close()
    return results


@pytest.fixture
def adapter(server):
    """One adapter for several batches."""
    adapter = EmailChannel(from_email="Shop <shop@example.com>")
    yield adapter
    adapter.close()


def sends(adapter, *messages):
    return list(adapter.send_batch(list(messages)))


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
    ("answer", "error", "code", "reason", "suppress"),
    [
        ("451 try later", TransientError, "451", None, False),
        ("421 closing", TransientError, "421", None, False),
        ("450 4.2.1 mailbox busy", TransientError, "450 4.2.1", None, False),
        ("450 4.7.1 greylisted", ThrottledError, "450 4.7.1", None, False),
        ("421 4.7.0 too much of alice@example.com", ThrottledError, "421 4.7.0", None, False),
        ("550 no such user alice@example.com", PermanentError, "550", Reason.REJECTED, False),
        ("550 5.7.1 spam", PermanentError, "550 5.7.1", Reason.REJECTED, False),
        ("552 5.2.2 full", PermanentError, "552 5.2.2", Reason.REJECTED, False),
        ("552 5.3.4 too big", PermanentError, "552 5.3.4", Reason.TOO_LONG, False),
        ("550 5.1.1 no such user", PermanentError, "550 5.1.1", Reason.HARD_BOUNCE, True),
        ("556 5.1.10 takes no mail", PermanentError, "556 5.1.10", Reason.HARD_BOUNCE, True),
        ("530 5.7.0 log in first", MisconfiguredError, "530 5.7.0", None, False),
    ],
)
@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_the_servers_answer_decides_and_its_text_is_not_kept(server, command, answer, error, code, reason, suppress):
    answers = server.mailbox.answers["alice@example.com"] if command == "RCPT" else server.mailbox.replies["DATA"]
    answers.append(answer)

    (result,) = send(message())

    assert type(result) is error
    assert result.code == code
    assert getattr(result, "reason", None) == reason
    assert getattr(result, "suppress", False) == suppress
    assert "alice@" not in str(result)


@pytest.mark.parametrize("answer", ["550 5.7.1 not from shop@example.com", "553 who?", "535 5.7.8 no"])
def test_a_sender_that_is_refused_is_our_own_set_up(server, answer):
    server.mailbox.replies["MAIL"].append(answer)

    (result,) = send(message())

    assert type(result) is MisconfiguredError
    assert "shop@" not in str(result)


def test_a_connection_that_ends_after_the_message_leaves_it_in_doubt(server):
    server.mailbox.replies["DATA"].append(DROP)

    (result,) = send(message())

    assert type(result) is AmbiguousError
    assert server.mailbox.messages == []


def test_an_answer_that_nobody_understands_leaves_the_message_in_doubt(server):
    server.mailbox.replies["DATA"].append("what?")

    assert type(send(message())[0]) is AmbiguousError


@pytest.mark.parametrize("command", ["EHLO", "MAIL"])
def test_a_connection_that_ends_before_the_message_leaves_no_doubt(server, command):
    server.mailbox.replies[command].extend([DROP] * 3)

    assert type(send(message())[0]) is TransientError


def test_three_retries_have_one_message_id(server):
    server.mailbox.answers["alice@example.com"].extend(["451 later"] * 3)
    given = message()

    results = [send(given)[0] for _ in range(4)]

    assert [type(result) for result in results] == [TransientError] * 3 + [Receipt]
    assert results[-1].provider_message_id == server.mailbox.messages[0]["Message-ID"]
    assert given.delivery_id.hex in results[-1].provider_message_id


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
        "a\u2028b@example.com",
        '"a@example.com, b"@example.com',
        "<@other.example:a@example.com>",
        "a@example.com;b@example.com",
        "a b@example.com",
        "\u017fhop@example.com",
        "a@exam\u200bple.com",
        "a@" + "ä" * 64 + ".example",
    ],
    ids=lambda address: repr(address)[:30],
)
def test_what_is_not_one_address_is_refused_before_the_server_hears_of_it(server, address):
    (result,) = send(message(address))

    assert isinstance(result, PermanentError)
    assert result.reason in {Reason.INVALID_ADDRESS, Reason.NO_ADDRESS}
    assert not result.suppress
    assert server.mailbox.peers == []


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


def test_a_login_that_is_not_offered_is_our_own_set_up(server, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "shop", "secret"

    (result,) = send(message())

    assert isinstance(result, MisconfiguredError)
    assert "secret" not in str(result)


def test_a_login_that_is_refused_is_our_own_set_up(peer):
    peer.password = "zzwrong"

    (result,) = sends(peer.adapter(), peer.message())

    assert isinstance(result, MisconfiguredError)
    assert result.code.startswith("535")


# --- Connections --------------------------------------------------------------------------------------------------


def test_batches_share_a_connection(server, adapter):
    for _ in range(3):
        sends(adapter, *[message(f"user{index}@example.com") for index in range(5)])

    assert len(server.mailbox.messages) == 15
    assert len(set(server.mailbox.peers)) == 1
    assert "NOOP" not in server.mailbox.commands


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["550 5.7.1 no", "451 later"])
def test_a_refused_message_does_not_cost_the_connection(server, adapter, command, answer):
    replies = server.mailbox.answers["bob@example.com"] if command == "RCPT" else server.mailbox.replies["DATA"]
    replies.append(answer)

    results = sends(adapter, message("bob@example.com"), message("alice@example.com"))

    assert isinstance(results[1], Receipt)
    assert server.mailbox.told() == ["alice@example.com"]
    assert len(set(server.mailbox.peers)) == 1


@pytest.mark.parametrize("reply", [DROP, "421 4.4.2 idle for too long"])
def test_a_kept_connection_that_the_server_ended_costs_no_try(server, adapter, reply):
    sends(adapter, message())
    server.mailbox.replies["MAIL"].append(reply)

    (result,) = sends(adapter, message())

    assert isinstance(result, Receipt)
    assert len(set(server.mailbox.peers)) == 2


def test_a_server_that_ends_every_connection_is_not_asked_for_ever(server, adapter):
    sends(adapter, message())
    server.mailbox.replies["MAIL"].extend([DROP] * 10)

    (result,) = sends(adapter, message())

    assert isinstance(result, TransientError)
    assert len(server.mailbox.peers) == 3


def test_a_doubtful_message_is_not_repeated_on_a_new_connection(server, adapter):
    sends(adapter, message())
    server.mailbox.replies["DATA"].append(DROP)

    (result,) = sends(adapter, message("bob@example.com"))

    assert isinstance(result, AmbiguousError)
    assert server.mailbox.told() == ["alice@example.com"]


@pytest.mark.parametrize(("reply", "connections"), [("250 OK", 1), ("500 no", 2), (DROP, 2)])
def test_after_a_rest_the_server_is_asked_whether_it_is_there(server, adapter, monkeypatch, reply, connections):
    monkeypatch.setattr(smtp_connection, "REST", -1.0)
    sends(adapter, message())
    server.mailbox.replies["NOOP"].append(reply)

    (result,) = sends(adapter, message())

    assert isinstance(result, Receipt)
    assert "NOOP" in server.mailbox.commands
    assert len(set(server.mailbox.peers)) == connections


def test_a_connection_that_was_unused_for_long_is_closed(server, adapter, monkeypatch):
    sends(adapter, message())
    monkeypatch.setattr(mail_connections, "KEPT", -1.0)

    sends(adapter, message())

    assert len(set(server.mailbox.peers)) == 2


def test_a_child_of_a_fork_does_not_speak_on_its_parents_connection(server, adapter, monkeypatch):
    sends(adapter, message())
    before = list(adapter._connections._unused)
    monkeypatch.setattr("os.getpid", lambda: -1)

    sends(adapter, message())

    assert len(set(server.mailbox.peers)) == 2
    for connection in before:
        connection.close()


@pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "implicit"])
def test_mail_goes_by_tls(tmp_path, implicit):
    certificate = self_signed(tmp_path, "127.0.0.1")
    with SmtpServer(tls=certificate.server(), implicit=implicit) as server:
        options = {"host": "127.0.0.1", "port": server.port, "use_ssl": implicit, "use_tls": not implicit}
        adapter = EmailChannel(from_email="shop@example.com", backend=SMTP, backend_options=options)

        (unknown,) = sends(adapter, message())
        adapter.close()
        adapter._connections._make = trusting(adapter._connections._make, certificate)
        results = sends(adapter, message(), message())
        adapter.close()

    # Nobody vouches for this server.
    assert type(unknown) is MisconfiguredError
    assert unknown.code == "SSLCertVerificationError"
    assert [type(result) for result in results] == [Receipt, Receipt]
    assert len(server.mailbox.messages) == 2


def trusting(make, certificate):
    """Return `make`, whose connections trust a certificate."""

    def made():
        connection = make()
        connection.backend.ssl_context = certificate.client()
        return connection

    return made


def test_a_server_without_tls_is_not_given_what_was_to_go_by_it(server):
    options = {"host": "127.0.0.1", "port": server.port, "use_tls": True}

    (result,) = send(message(), backend=SMTP, backend_options=options)

    assert type(result) is MisconfiguredError
    assert server.mailbox.peers == []


# --- Headers ------------------------------------------------------------------------------------------------------


def test_mail_that_may_be_unsubscribed_from_says_how(server):
    url = "https://shop.example/n/unsubscribe/" + "t" * 200 + "/"

    send(message(unsubscribe_url=url), message())

    first, second = server.mailbox.messages
    # The header is longer than a line, and folded.
    assert first["List-Unsubscribe"].strip() == f"<{url}>"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert second["List-Unsubscribe"] is None


@pytest.mark.parametrize("character", ["\n", "\r", "\x00", "\x0b", "\x85", "\u2028", "\u2029"], ids=ascii)
@pytest.mark.parametrize("field", ["title", "unsubscribe_url"])
def test_what_would_end_a_header_is_refused_for_good(server, field, character):
    (result,) = send(message(**{field: f"https://x.example/{character}Bcc: eve@example.com"}))

    assert isinstance(result, PermanentError)
    assert result.code == "bad_header"
    assert server.mailbox.peers == []


# --- Other backends -----------------------------------------------------------------------------------------------


class OwnSmtp(EmailBackend):
    """A project's, on Django's."""


class Dropping(BaseEmailBackend):
    """Fails as it is told."""

    error: Exception | None = None

    def send_messages(self, email_messages):
        if self.error:
            raise self.error
        return 0


def test_of_a_projects_own_backend_nobody_knows_how_far_it_came(server):
    server.mailbox.replies["MAIL"].append(DROP)
    own = f"{__name__}.OwnSmtp"

    results = send(message(), message(), backend=own)

    first, second = results
    assert isinstance(first, AmbiguousError)
    assert isinstance(second, Receipt)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (None, PermanentError),
        (OSError("disk full of alice@example.com"), AmbiguousError),
        (ValueError("alice@example.com"), PermanentError),
    ],
    ids=["not sent", "os error", "value error"],
)
def test_errors_of_other_backends_are_told_without_their_words(monkeypatch, error, meaning):
    monkeypatch.setattr(Dropping, "error", error)

    (result,) = send(message(), backend=f"{__name__}.Dropping")

    assert type(result) is meaning
    assert "alice" not in str(result)


@pytest.mark.parametrize("backend", ["locmem", "dummy", "console"])
def test_djangos_other_backends_send(backend, capsys):
    results = send(message(), message(), backend=f"django.core.mail.backends.{backend}.EmailBackend")

    assert [type(result) for result in results] == [Receipt, Receipt]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backend": "no.such.Backend"}, "the mail backend cannot be made with these settings (ModuleNotFoundError)"),
        ({"backend_options": {"use_tls": True, "use_ssl": True}}, "these settings (ValueError)"),
        ({"from_email": "Shop"}, "from_email is no sender"),
        ({"from_email": "a@example.com, b@example.com"}, "from_email is no sender"),
    ],
)
def test_a_set_up_that_cannot_work_is_found_at_start_up_and_when_sending(server, options, words):
    (wrong,) = EmailChannel(**{"from_email": "shop@example.com", **options}).check()

    assert words in wrong
    if "from_email" not in options:
        assert [type(result) for result in send(message(), message(), **options)] == [MisconfiguredError] * 2
