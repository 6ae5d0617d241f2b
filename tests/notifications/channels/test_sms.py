"""Text messages without a provider: the console and the fake."""

from __future__ import annotations

import json

import pytest

from notifications.channels import fake
from notifications.channels.fake import FakeChannel
from notifications.channels.sms import ConsoleSms
from notifications.exceptions import PermanentError, TransientError
from notifications.ids import uuid7
from notifications.types import Priority
from notifications.values import Action, Message, Receipt, Rendered


def message(address="+4915550001001"):
    return Message(
        delivery_id=uuid7(),
        channel="sms",
        address=address,
        priority=Priority.HIGH,
        rendered=Rendered(title="", body="Your order is here."),
        action=Action(),
        category="orders",
    )


def test_the_console_prints_each_message(capsys):
    (result,) = ConsoleSms().send_batch([message()])

    assert isinstance(result, Receipt)
    assert capsys.readouterr().out == "SMS to +4915550001001: Your order is here.\n"


@pytest.mark.parametrize("adapter", [ConsoleSms, FakeChannel])
def test_a_text_message_is_sent_at_most_once(adapter):
    assert adapter.at_most_once


def test_the_fake_keeps_what_it_accepted_and_writes_it_down(tmp_path):
    path = tmp_path / "new" / "sms.jsonl"
    given = message()

    list(FakeChannel(path=str(path)).send_batch([given]))

    assert list(fake.sent) == [given]
    (line,) = path.read_text(encoding="utf-8").splitlines()
    written = json.loads(line)
    assert (written["address"], written["rendered"]["body"]) == (given.address, "Your order is here.")


def test_the_fake_fails_as_it_is_told_and_then_recovers():
    adapter = FakeChannel(failures={"+4915550001001": ["transient", "permanent"]})

    results = [next(adapter.send_batch([message()])) for _ in range(3)]

    assert [type(result) for result in results] == [TransientError, PermanentError, Receipt]
    assert len(fake.sent) == 1
