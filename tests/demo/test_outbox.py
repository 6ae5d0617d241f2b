"""What the outbox page reads."""

from __future__ import annotations

import json
import os

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection

from config.demo import outbox


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.DEMO_DIR = tmp_path
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.NOTIFICATION_CHANNELS = {"sms": {"BACKEND": "", "OPTIONS": {"path": str(tmp_path / "sms.jsonl")}}}


@pytest.fixture
def send_emails(settings):
    """Return a function that sends e-mails over one connection, as a drain does."""

    def send_emails(*subjects, sent_at):
        connection = get_connection("django.core.mail.backends.filebased.EmailBackend")
        # The file is named by the second and by where the object is: kept, so that no two are one.
        connections.append(connection)
        for subject in subjects:
            mail = EmailMultiAlternatives(subject, "Grüße\n" + "-" * 79 + "x", "shop@localhost", ["alice@example.com"])
            mail.attach_alternative(f"<p>{subject}</p>", "text/html")
            connection.send_messages([mail])
        connection.close()
        [newest] = [path for path in settings.EMAIL_FILE_PATH.iterdir() if path not in known]
        known.add(newest)
        os.utime(newest, (sent_at, sent_at))

    known, connections = set(), []
    return send_emails


def write_sms(tmp_path, *lines):
    (tmp_path / "sms.jsonl").write_bytes(b"".join(lines))


def sms(number, at="2030-01-01T00:00:00+00:00"):
    data = {"at": at, "delivery_id": f"d{number}", "address": "+4915550001001", "rendered": {"body": f"Hallo {number}"}}
    return json.dumps(data).encode() + b"\n"


def test_nothing_went_out_yet():
    assert outbox.newest() == []


def test_emails_of_one_connection_and_of_several_come_newest_first(send_emails):
    send_emails("one", "two", sent_at=1_900_000_000)
    send_emails("three", sent_at=1_900_000_001)

    assert [message.subject for message in outbox.newest()] == ["three", "two", "one"]


def test_an_email_has_its_address_and_both_parts(send_emails):
    send_emails("Zoë's order", sent_at=1_900_000_000)

    [message] = outbox.newest()

    assert (message.channel, message.to, message.subject) == ("email", "alice@example.com", "Zoë's order")
    assert message.text.startswith("Grüße\n---")
    assert message.html == "<p>Zoë's order</p>"
    assert outbox.email(message.file, message.index) == message


@pytest.mark.parametrize(("file", "index"), [("20300101-000000-1", 0), ("..", 0), ("", 0)])
def test_an_email_that_is_not_there_is_none(file, index):
    assert outbox.email(file, index) is None


def test_an_email_beyond_the_end_of_its_file_is_none(send_emails):
    send_emails("one", sent_at=1_900_000_000)
    [message] = outbox.newest()

    assert outbox.email(message.file, 1) is None


def test_an_email_that_is_still_being_written_is_left_out(send_emails, settings):
    send_emails("one", sent_at=1_900_000_000)
    [path] = settings.EMAIL_FILE_PATH.iterdir()
    with path.open("ab") as file:
        file.write(b"Subject: half of it\nTo: al")

    assert [message.subject for message in outbox.newest()] == ["one"]


def test_text_messages_and_emails_are_in_one_order(send_emails, tmp_path):
    send_emails("older", sent_at=1_893_455_999)
    send_emails("newer", sent_at=1_893_456_001)
    write_sms(tmp_path, sms(1))

    assert [message.subject or message.text for message in outbox.newest()] == ["newer", "Hallo 1", "older"]


def test_broken_and_unfinished_lines_are_left_out(tmp_path):
    write_sms(tmp_path, sms(1), sms(2)[:20], sms(3), sms(4), sms(5)[:-1])

    assert [message.text for message in outbox.newest()] == ["Hallo 4", "Hallo 1"]


def test_of_a_long_file_only_the_newest_are_shown(tmp_path):
    lines = [sms(number, at=f"2030-01-01T00:{number // 60 % 60:02}:{number % 60:02}+00:00") for number in range(3000)]
    write_sms(tmp_path, *lines)

    shown = outbox.newest()

    assert [message.text for message in shown] == [f"Hallo {2999 - number}" for number in range(outbox.LIMIT)]
