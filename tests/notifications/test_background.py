"""The buffer and its one thread: coalescing, bounded, and harmless when what it sends to is gone."""

from __future__ import annotations

import os
import threading
import time

import pytest

from notifications.background import BackgroundSender


class Server:
    """Remembers what it was sent; holds or refuses on demand."""

    def __init__(self):
        self.sent: list = []
        self.gate = threading.Event()
        self.gate.set()
        self.refuses: set = set()


class Sender(BackgroundSender):
    def __init__(self, server, *, capacity=1000):
        super().__init__(name="test-sender", capacity=capacity, pause=0.05, rest=0.0)
        self.server = server
        self.told: list = []

    def send_all(self, batch):
        self.server.gate.wait(5)
        for key, value in list(batch.items()):
            if key in self.server.refuses:
                raise ConnectionError(key)
            self.server.sent.append((key, value))
            del batch[key]

    def tell(self, batch, error):
        self.told.append((list(batch), type(error)))


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def sender(server):
    return Sender(server)


def wait_until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def hold(sender):
    """Have the thread busy with a first message; what comes now waits."""
    sender.server.gate.clear()
    sender.add(("first", 0))
    wait_until(lambda: not sender._waiting)


def test_what_is_added_is_sent_from_one_thread_of_its_own(sender, server):
    before = threading.active_count()
    for number in range(100):
        sender.add((number, str(number)))

    wait_until(lambda: len(server.sent) == 100)
    assert server.sent == [(number, str(number)) for number in range(100)]
    assert threading.active_count() == before + 1


def test_a_key_that_waits_keeps_its_value_and_is_sent_once(sender, server):
    hold(sender)
    for value in range(1000):
        sender.add(("key", value))
    server.gate.set()

    wait_until(lambda: len(server.sent) == 2)
    assert server.sent == [("first", 0), ("key", 0)]
    assert sender.dropped == 0


def test_adding_never_waits_for_a_server_that_hangs(sender, server):
    hold(sender)
    began = time.monotonic()
    for number in range(900):
        sender.add((number, None))

    assert time.monotonic() - began < 0.5
    server.gate.set()
    wait_until(lambda: len(server.sent) == 901)


def test_more_than_it_has_room_for_is_dropped_and_counted(server):
    sender = Sender(server, capacity=3)
    hold(sender)
    for number in range(5):
        sender.add((number, None))
    server.gate.set()

    wait_until(lambda: len(server.sent) == 4)
    assert [key for key, _ in server.sent] == ["first", 0, 1, 2]
    assert sender.dropped == 2


def test_a_failure_drops_the_rest_of_the_batch_only(sender, server):
    hold(sender)
    server.refuses = {"bad"}
    for key in ("good", "bad", "after"):
        sender.add((key, None))
    server.gate.set()

    wait_until(lambda: sender.failing)
    assert sender.told == [(["bad", "after"], ConnectionError)]
    assert sender.dropped == 2
    assert [key for key, _ in server.sent] == ["first", "good"]


def test_after_a_failure_it_pauses_and_goes_on(sender, server):
    server.refuses = {"bad"}
    sender.add(("bad", None))
    wait_until(lambda: sender.failing)
    failed = time.monotonic()

    sender.add(("next", None))
    wait_until(lambda: server.sent)

    assert server.sent == [("next", None)]
    assert time.monotonic() - failed > 0.02
    wait_until(lambda: not sender.failing)


def test_how_long_it_rests_may_depend_on_how_much_came(sender, server, monkeypatch):
    asked: list = []

    def rest_after(came):
        asked.append(came)
        return 0.0

    monkeypatch.setattr(sender, "rest_after", rest_after)
    hold(sender)
    for _ in range(3):
        sender.add(("again", None), ("other", None))
    server.gate.set()

    wait_until(lambda: len(asked) == 2)
    assert asked == [1, 6]


def test_a_forked_child_begins_anew(sender, server):
    hold(sender)
    sender.add(("the parent's", None))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            server.gate.set()
            sender.add(("the child's", None))
            wait_until(lambda: server.sent)
        finally:
            # Whatever happened: the child must not go on with the tests.
            os.write(write, repr(server.sent).encode())
            os._exit(0)
    os.waitpid(child, 0)
    server.gate.set()

    assert os.read(read, 100) == b'[("the child\'s", None)]'
    wait_until(lambda: len(server.sent) == 2)
    os.close(read)
    os.close(write)
