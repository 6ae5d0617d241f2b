"""How many wake-ups wait in the broker. Few are right: they are calls to look, and the work itself is in the database."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name

from notifications import conf, wakeups
from notifications.types import Priority

#: Seconds the broker has to answer.
ANSWER_WITHIN = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue of the broker."""

    name: str
    #: For a worker that is free.
    waiting: int
    #: For their time: at most a minute.
    delayed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What the broker said."""

    #: Its class.
    broker: str
    #: Empty: it answered.
    fault: str
    queues: tuple[Queue, ...]

    @property
    def waiting(self) -> int:
        """Return how many wait for a worker that is free, in all queues."""
        return sum(queue.waiting for queue in self.queues)


def depth() -> Depth:
    """Ask the broker for every queue of ours; one that does not answer is one of the answers."""
    global _question  # noqa: PLW0603
    question = _question
    # One that got no answer is waited for again: a broker that hangs costs one thread, however often it is asked.
    if question is None or not question.is_alive():
        question = _question = _Question()
        question.start()
    question.join(ANSWER_WITHIN)
    fault = f"no answer within {ANSWER_WITHIN:g} s" if question.is_alive() else question.fault
    name = type(dramatiq.get_broker()).__name__
    return Depth(broker=name, fault=fault, queues=() if fault else question.queues)


class _Question(threading.Thread):
    """One question, in a thread of its own: clients of brokers wait for minutes when a network swallows packets."""

    def __init__(self) -> None:
        super().__init__(name="broker-depth", daemon=True)
        self.fault = ""
        self.queues: tuple[Queue, ...] = ()

    def run(self) -> None:
        try:
            self.queues = tuple(_ask(dramatiq.get_broker()))
        except Exception as e:  # noqa: BLE001 - whatever a client raises; the name only, for the text may hold an address
            self.fault = type(e).__name__


def _names() -> list[str]:
    dispatching = [wakeups.dispatch_actor(priority) for priority in Priority]
    return [*dispatching, wakeups.EXPAND, *[wakeups.deliver_actor(channel) for channel in conf.channels()]]


def _ask(broker: dramatiq.Broker) -> list[Queue]:
    names = _names()
    if isinstance(broker, RedisBroker):
        return _ask_redis(broker, names)
    if isinstance(broker, StubBroker):
        lengths = {name: queue.qsize() for name, queue in broker.queues.items()}
        return [Queue(name=name, waiting=lengths.get(name, 0), delayed=lengths.get(dq_name(name), 0)) for name in names]
    return _ask_rabbitmq(broker, names)


def _ask_redis(broker: RedisBroker, names: list[str]) -> list[Queue]:
    pipeline = broker.client.pipeline(transaction=False)
    for name in names:
        pipeline.llen(f"{broker.namespace}:{name}")
        pipeline.llen(f"{broker.namespace}:{dq_name(name)}")
    lengths = iter(pipeline.execute())
    return [Queue(name=name, waiting=next(lengths), delayed=next(lengths)) for name in names]


def _ask_rabbitmq(broker: Any, names: list[str]) -> list[Queue]:
    try:
        counts = {name: broker.get_queue_message_counts(name) for name in names}
    finally:
        # This thread's own, which nobody would use or close again.
        del broker.connection
    return [Queue(name=name, waiting=waiting, delayed=delayed) for name, (waiting, delayed, _) in counts.items()]


_question: _Question | None = None
