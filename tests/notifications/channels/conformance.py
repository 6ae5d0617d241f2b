"""
What every adapter must keep to, run against a real protocol peer on loopback.

A test module of an adapter takes all of it in by two lines and one fixture:

    from tests.notifications.channels.conformance import *  # noqa: F403

    @pytest.fixture
    def peer():
        with PigeonPeer() as peer:
            yield peer
"""

from __future__ import annotations

import logging
import socket
import threading
from abc import ABC, abstractmethod
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar

import pytest

from notifications.channels.base import ChannelAdapter
from notifications.exceptions import (
    AmbiguousError,
    DeliveryError,
    MisconfiguredError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from notifications.ids import uuid7
from notifications.types import Priority, Reason
from notifications.values import Action, Message, Receipt, Rendered

__all__ = [
    "test_a_body_that_is_too_long_is_refused_before_anybody_is_called",
    "test_a_closed_adapter_opens_again",
    "test_a_message_without_address_is_refused_before_anybody_is_called",
    "test_an_answer_becomes_the_error_it_means",
    "test_an_option_that_nobody_knows_is_refused",
    "test_at_most_once_means_never_again_once_bytes_were_sent",
    "test_checking_options_asks_nobody_and_tells_no_secret",
    "test_every_message_gets_one_result_in_order",
    "test_neither_errors_nor_logs_tell_addresses_or_secrets",
    "test_nothing_is_raised_whatever_the_answer",
    "test_threads_share_an_adapter",
    "test_what_is_printed_of_an_adapter_tells_no_option",
]

#: In every address of these tests: must be found in no error and no log.
CANARY = "zzcanary7f3a"
THREADS, EACH = 4, 5


class Answer(StrEnum):
    """What a provider can answer to one call."""

    ACCEPTED = "accepted"
    #: This message, for good.
    REFUSED = "refused"
    #: The address is dead: the error says `suppress`.
    GONE = "gone"
    #: 5xx of HTTP, 4xx of SMTP.
    LATER = "later"
    #: 429, with a time to wait.
    THROTTLED = "throttled"
    #: Our credentials are wrong.
    UNAUTHORIZED = "unauthorized"
    #: The connection ends after the message was sent, and before an answer.
    DROPPED = "dropped"
    #: What cannot be read as an answer.
    GARBAGE = "garbage"
    #: Nobody listens: nothing was sent.
    DOWN = "down"


#: What each must become. Where nothing came back that can be read, a provider that can drop repetitions is asked again.
MEANING: dict[Answer, tuple[Any, ...]] = {
    Answer.ACCEPTED: (Receipt,),
    Answer.REFUSED: (PermanentError,),
    Answer.GONE: (PermanentError,),
    Answer.LATER: (TransientError,),
    Answer.THROTTLED: (ThrottledError,),
    Answer.UNAUTHORIZED: (MisconfiguredError,),
    Answer.DROPPED: (AmbiguousError, TransientError),
    Answer.GARBAGE: (AmbiguousError, TransientError, Receipt),
    Answer.DOWN: (TransientError,),
}


class Peer(ABC):
    """A provider on loopback that answers as it is told, and adapters that talk to it. A context manager."""

    channel: ClassVar[str]
    #: What this provider can answer. It repeats addresses and secrets in its answers as real ones do.
    answers: ClassVar[frozenset[Answer]] = frozenset(Answer)
    #: From where on its log tells nothing; a library of the provider's may need to be left at INFO.
    log_level: ClassVar[int] = logging.DEBUG
    #: Texts of its options that nobody may see.
    secrets: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def adapter(self) -> ChannelAdapter:
        """Return a new adapter that talks to this provider."""

    @abstractmethod
    def script(self, *answers: Answer) -> None:
        """Say what the next calls end with; after them all are accepted."""

    @property
    @abstractmethod
    def calls(self) -> int:
        """How often a message was begun to be handed to the provider."""

    @property
    @abstractmethod
    def accepted(self) -> list[Any]:
        """What the provider took: one entry per message, distinguishable."""

    @abstractmethod
    def address(self, number: int) -> str:
        """Return an address with `CANARY` in it where the format lets it be; different for each number."""

    def endpoint(self, number: int) -> dict[str, Any] | None:
        """Return what the person registered; None: the address is all there is."""
        return None

    def canaries(self) -> tuple[str, ...]:
        """Return what must be found in no error and no log: addresses and secrets."""
        return (CANARY, self.address(0), *self.secrets)

    def message(self, number: int = 0, **changes: Any) -> Message:
        """Return a message of this channel; messages of different numbers go to different addresses."""
        parts: dict[str, Any] = {
            "delivery_id": uuid7(),
            "channel": self.channel,
            "address": self.address(number),
            "priority": Priority.NORMAL,
            "rendered": Rendered(title="Your order", body=f"Order {number} is on its way.", html=""),
            "action": Action(url="https://shop.example/orders/1", text="View order"),
            "category": "orders",
            "template": "ORDER_SHIPPED",
            "notification_id": uuid7(),
            "endpoint": self.endpoint(number),
        }
        return Message(**{**parts, **changes})

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _send(adapter: ChannelAdapter, *messages: Message) -> list[Any]:
    return list(adapter.send_batch(list(messages)))


def _one_by_one(adapter: ChannelAdapter, messages: list[Message]) -> list[Any]:
    """As the pipeline does: no more than the adapter takes at once."""
    size = max(adapter.batch_size, 1)
    return [result for at in range(0, len(messages), size) for result in _send(adapter, *messages[at : at + size])]


def _needs(peer: Peer, *answers: Answer) -> None:
    if missing := set(answers) - peer.answers:
        pytest.skip(f"this provider never answers: {', '.join(sorted(missing))}")


def test_every_message_gets_one_result_in_order(peer):
    _needs(peer, Answer.REFUSED)
    peer.script(Answer.ACCEPTED, Answer.REFUSED, Answer.ACCEPTED)

    results = _one_by_one(peer.adapter(), [peer.message(number) for number in range(3)])

    assert [type(result) for result in results] == [Receipt, PermanentError, Receipt]
    assert len(peer.accepted) == 2


@pytest.mark.parametrize("answer", list(Answer))
def test_an_answer_becomes_the_error_it_means(peer, answer):
    _needs(peer, answer)
    peer.script(answer)

    (result,) = _send(peer.adapter(), peer.message())

    assert isinstance(result, MEANING[answer])
    if answer == Answer.LATER:
        assert not isinstance(result, ThrottledError)
    if answer == Answer.THROTTLED:
        assert result.retry_after is None or timedelta(seconds=1) <= result.retry_after <= timedelta(hours=1)
    if answer in {Answer.GONE, Answer.REFUSED}:
        assert result.suppress == (answer == Answer.GONE)


@pytest.mark.parametrize("answer", list(Answer))
def test_nothing_is_raised_whatever_the_answer(peer, answer):
    _needs(peer, answer)
    adapter = peer.adapter()
    peer.script(answer)

    results = _one_by_one(adapter, [peer.message(number) for number in range(2)])

    assert len(results) == 2
    assert all(isinstance(result, Receipt | DeliveryError) for result in results)


@pytest.mark.parametrize("answer", list(Answer))
def test_neither_errors_nor_logs_tell_addresses_or_secrets(peer, answer, caplog, capsys):
    _needs(peer, answer)
    caplog.set_level(peer.log_level)
    peer.script(answer)

    (result,) = _send(peer.adapter(), peer.message())

    told = "" if isinstance(result, Receipt) else f"{result} {result!r} {result.args} {result.code}"
    told += caplog.text + "".join(capsys.readouterr())
    assert [canary for canary in peer.canaries() if canary in told] == []


def test_at_most_once_means_never_again_once_bytes_were_sent(peer):
    _needs(peer, Answer.DROPPED)
    adapter = peer.adapter()
    if not adapter.at_most_once:
        pytest.skip("this adapter may repeat itself")
    peer.script(Answer.DROPPED)

    (result,) = _send(adapter, peer.message())

    assert isinstance(result, AmbiguousError)
    assert peer.calls == 1


def test_a_message_without_address_is_refused_before_anybody_is_called(peer):
    adapter = peer.adapter()
    if not adapter.needs_address:
        pytest.skip("this adapter needs no address")

    (result,) = _send(adapter, peer.message(address="", endpoint=None))

    assert isinstance(result, PermanentError)
    assert result.reason in {Reason.NO_ADDRESS, Reason.INVALID_ADDRESS, Reason.ENDPOINT_GONE}
    assert peer.calls == 0


def test_a_body_that_is_too_long_is_refused_before_anybody_is_called(peer):
    adapter = peer.adapter()
    if adapter.max_length is None:
        pytest.skip("this adapter takes any length")
    body = "x" * (adapter.max_length + 1)

    (result,) = _send(adapter, peer.message(rendered=Rendered(title="", body=body)))

    assert isinstance(result, PermanentError)
    assert result.reason == Reason.TOO_LONG
    assert peer.calls == 0


def test_what_is_printed_of_an_adapter_tells_no_option(peer):
    adapter = peer.adapter()

    printed = f"{adapter!r} {adapter} {adapter.name}"

    assert type(adapter).__name__ in printed
    assert [secret for secret in peer.secrets if secret in printed] == []


def test_checking_options_asks_nobody_and_tells_no_secret(peer, monkeypatch):
    adapter = peer.adapter()

    def refuse(*_: Any, **__: Any) -> None:
        message = "check() asked the network"
        raise AssertionError(message)

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert adapter.check() == []


def test_an_option_that_nobody_knows_is_refused(peer):
    with pytest.raises(TypeError, match="no_such_option"):
        type(peer.adapter())(no_such_option=1)


def test_a_closed_adapter_opens_again(peer):
    adapter = peer.adapter()

    first = _send(adapter, peer.message(0))
    adapter.close()
    adapter.close()
    second = _send(adapter, peer.message(1))

    assert [type(result) for result in first + second] == [Receipt, Receipt]


def test_threads_share_an_adapter(peer):
    adapter = peer.adapter()
    results: dict[int, list[Any]] = {}
    together = threading.Barrier(THREADS)

    def send(thread: int) -> None:
        messages = [peer.message(thread * EACH + number) for number in range(EACH)]
        together.wait()
        results[thread] = _one_by_one(adapter, messages)

    threads = [threading.Thread(target=send, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [type(result) for own in results.values() for result in own] == [Receipt] * THREADS * EACH
    assert len({str(taken) for taken in peer.accepted}) == THREADS * EACH
