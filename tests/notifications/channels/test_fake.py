"""The fake provider keeps to the conformance suite."""

from __future__ import annotations

from typing import ClassVar

import pytest

from notifications.channels import fake
from notifications.channels.fake import FakeChannel
from tests.notifications.channels.conformance import *  # noqa: F403
from tests.notifications.channels.conformance import CANARY, Answer, Peer


class FakePeer(Peer):
    """Nobody is asked: the fake answers itself."""

    channel = "sms"
    answers = frozenset({Answer.ACCEPTED, Answer.REFUSED, Answer.LATER})
    outcomes: ClassVar = {Answer.ACCEPTED: "sent", Answer.REFUSED: "permanent", Answer.LATER: "transient"}

    def adapter(self):
        return FakeChannel()

    def script(self, *answers):
        FakeChannel(failures={self.address(number): [self.outcomes[answer]] for number, answer in enumerate(answers)})

    @property
    def calls(self):
        return len(fake.sent)

    @property
    def accepted(self):
        return list(fake.sent)

    def address(self, number):
        return f"{CANARY}-{number}"


@pytest.fixture
def peer():
    return FakePeer()
