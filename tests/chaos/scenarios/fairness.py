"""Who has to wait for whom, and who is not told after all."""

from __future__ import annotations

import os
import subprocess
import sys
from bisect import bisect
from contextlib import contextmanager
from typing import TYPE_CHECKING

import redis

from tests.chaos import tables
from tests.chaos.judge import percentile
from tests.chaos.people import address
from tests.chaos.processes import ROOT
from tests.chaos.provider import Behaviour
from tests.chaos.publications import Publication
from tests.chaos.scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.chaos.outside import Publishing
    from tests.chaos.run import Run

ALL = ("in_app", "email", "sms")
#: Messages a second, where that is the question.
RATE = 10


@scenario(short=60, full=300)
def slow_channel(run: Run) -> None:
    """
    Let the mail server hang, with e-mails waiting, and go on publishing to all channels; then let it recover.

    In-app items and text messages are as fast as before. The e-mails arrive once the mail server is back.
    """
    run.environment["CHAOS_EMAIL_TIMEOUT"] = "4"
    rate, seconds = run.pick(short=20, full=40), run.pick(short=5, full=30)
    numbers = range(1, rate * seconds + 1)
    run.start_workers(2)
    before = run.publish_to(numbers, channels=ALL, rate=rate)
    run.rest()

    run.provider.script("email", Behaviour(then="hang"))
    during = run.publish_to(range(numbers[-1] + 1, 2 * numbers[-1] + 1), channels=ALL, rate=rate)
    run.wait_until(lambda: during.over, "all is published")
    run.wait_until(lambda: run.provider.accepted("sms") == 2 * len(numbers), "the texts are sent", within=30)
    run.report.at_most("emails_sent_meanwhile", run.provider.accepted("email") - len(numbers), 0)
    run.provider.script("email", Behaviour())

    run.report.note(recovery_seconds=run.rest())
    run.judge()
    for name, seconds_of in (("sms", text_seconds), ("in_app", inbox_seconds)):
        usual, then = (percentile(seconds_of(run, one), 99) for one in (before, during))
        run.report.note(**{f"{name}_p99_before": usual})
        run.report.at_most(f"{name}_p99_during", then, usual * 1.1 + 1)


@scenario(short=75, full=1500)
def urgent_in_bulk(run: Run) -> None:
    """
    Publish urgent events, one at a time, while a long list is being told something of low priority.

    They do not wait for the list.
    """
    # Six drains at this pace need longer for the list than the urgent ones come in, on however fast a machine.
    run.provider.script("email", Behaviour(delay=run.pick(short=0.02, full=0.01)))
    run.start_workers(2)
    urgent_ones = run.pick(short=15, full=100)
    bulk = range(urgent_ones + 1, run.pick(short=1500, full=20_000) + 1)
    run.publish([Publication(numbers=tuple(bulk), channels=("email",), priority="low")])
    run.wait_until(lambda: run.provider.accepted() >= 20, "the list is under way")

    urgent = run.publish_to(range(1, urgent_ones + 1), channels=("email",), priority="urgent", rate=5)
    run.wait_until(lambda: urgent.over, "all is published")
    addresses = {address(number, "email") for number in range(1, urgent_ones + 1)}
    run.wait_until(lambda: count(run, addresses) == urgent_ones, "the urgent ones are sent")
    run.report.at_least("still_waiting_of_the_list", len(bulk) + urgent_ones - run.provider.accepted(), 100)

    run.report.note(recovery_seconds=run.rest())
    run.judge()
    waited = [(call.at, call.address) for call in run.provider.calls() if call.address in addresses]
    committed = {address(item.numbers[0], "email"): item.at for item in urgent.accepted()}
    seconds = [(at - committed[one]) / 1e9 for at, one in waited]
    run.report.note(urgent_p50=percentile(seconds, 50))
    run.report.at_most("urgent_p99", percentile(seconds, 99), 2)


@scenario(short=75, full=600)
def cancelled_half_way(run: Run) -> None:
    """
    Call a long list back when half of it is sent.

    No provider call begins more than a second after `cancel_event` returned.
    """
    # A drain holds fifty: at this pace they would take it four seconds.
    run.provider.script("email", Behaviour(delay=0.08))
    run.start_workers(2)
    numbers = range(1, run.pick(short=900, full=9000) + 1)
    publishing = run.publish([Publication(numbers=tuple(numbers), channels=("email",))])
    run.wait_until(lambda: publishing.over, "all is published")
    with canceller(run) as cancel:
        run.wait_until(lambda: run.provider.accepted() >= len(numbers) // 2, "half is sent")
        returned = cancel([event for item in publishing.accepted() for event in item.events])
    run.rest()
    late = [call for call in run.provider.calls() if call.begun > returned]
    verdict = run.judge()
    run.report.note(recovery_seconds=max([(call.at - returned) / 1e9 for call in late], default=0.0))
    run.report.note(calls_after_cancel=len(late))
    run.report.equal("calls_after_a_second", sum(call.begun > returned + 1_000_000_000 for call in late), 0)
    run.report.at_least("cancelled", verdict.states["email", "cancelled"], len(numbers) // 10)


@scenario(short=60, full=200)
def rate_held(run: Run) -> None:
    """
    Allow a channel ten messages a second, with several workers and a queue, and FLUSHALL meanwhile.

    The provider is never called more than twelve times in any second, and nearly ten times in each.
    """
    run.configure(RATES={"default": 0, "sms": RATE})
    run.start_workers(run.pick(short=2, full=4))
    numbers = range(1, run.pick(short=80, full=600) + 1)
    publishing = run.publish_to(numbers, channels=("sms",))
    client = redis.from_url(run.environment["REDIS_URL"])
    while not (publishing.over and run.is_over()):
        run.wait(2)
        client.flushall()

    run.report.note(recovery_seconds=run.rest())
    run.judge()
    begun = sorted(call.begun for call in run.provider.calls())
    run.report.at_most("most_in_a_second", max(bisect(begun, at + 1_000_000_000) - i for i, at in enumerate(begun)), 12)
    run.report.at_least("per_second", (len(begun) - 1) / ((begun[-1] - begun[0]) / 1e9), RATE * 0.7)


@contextmanager
def canceller(run: Run) -> Iterator[Callable[[list[str]], int]]:
    """Give a function that cancels events, in a process of its own, and returns when the last call returned."""
    environment = {"PATH": os.environ["PATH"], **run.environment}
    command = [sys.executable, "-m", "tests.chaos.canceller"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield lambda events: int(process.communicate("\n".join(events), timeout=60)[0])
        finally:
            process.kill()


def count(run: Run, addresses: set[str]) -> int:
    """Return how many of these the provider accepted a message for."""
    return len({call.address for call in run.provider.calls() if call.accepted and call.address in addresses})


def text_seconds(run: Run, publishing: Publishing) -> list[float]:
    """Return the seconds from commit to acceptance of the text messages of one publisher."""
    committed = {address(number, "sms"): item.at for item in publishing.accepted() for number in item.numbers}
    calls = [call for call in run.provider.calls() if call.accepted and call.address in committed]
    return [(call.at - committed[call.address]) / 1e9 for call in calls]


def inbox_seconds(run: Run, publishing: Publishing) -> list[float]:
    """Return the seconds from publication to the inbox, of the events of one publisher."""
    events = {event for item in publishing.accepted() for event in item.events}
    seconds = tables.inbox_seconds(run.environment["DATABASE_URL"])
    return [took for event, took in seconds.items() if event in events]
