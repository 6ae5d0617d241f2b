"""A broker that forgets, stalls, vanishes, or never was."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import redis

from tests.chaos.judge import percentile
from tests.chaos.people import OUTSIDE, address
from tests.chaos.provider import Behaviour
from tests.chaos.proxy import Proxy
from tests.chaos.run import Skipped
from tests.chaos.scenario import scenario
from tests.rabbitmq import find_rabbitmq, running_rabbitmq
from tests.servers import ServiceError

if TYPE_CHECKING:
    from tests.chaos.outside import Publishing
    from tests.chaos.run import Run


@scenario(short=60, full=600, patient=True)
def redis_flushed(run: Run) -> None:
    """
    FLUSHALL every few seconds, while events keep coming.

    Nothing is lost or doubled, and nothing waits long: the clock finds what lost its wake-up.
    """
    run.start_workers(2)
    publishing = run.publish_to(range(1, run.pick(short=400, full=10_000) + 1), rate=50)
    client = redis.from_url(run.environment["REDIS_URL"])
    flushed = 0
    while not (publishing.over and run.is_over()):
        run.wait(run.pick(short=1.5, full=5))
        client.flushall()
        flushed += 1
    run.report.note(recovery_seconds=run.rest())
    run.judge()
    run.report.at_least("flushed", flushed, 3)
    run.report.at_most("p99_seconds", run.report.figures["p99_seconds"], 35)  # type: ignore[arg-type]


@scenario(short=90, full=300, patient=True)
def redis_restarted_and_stalled(run: Run) -> None:
    """
    Restart Redis, and later let it stand still for 13 s, with retries pending both times.

    Nothing is lost or doubled, and after the stall new events are delivered as if nothing had happened.
    """
    assert run.redis
    numbers = range(1, run.pick(short=200, full=2000) + 1)
    failing = [address(number, "email") for number in run.random.sample(numbers, len(numbers) // 4)]
    run.provider.script("email", Behaviour(answers=("451",)), addresses=failing)
    run.start_workers(2)
    first, second = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]

    run.publish_to(first, rate=run.pick(short=50, full=200))
    run.wait_until(lambda: run.provider.accepted() > len(first) // 2, "the sending is under way")
    run.redis.stop()
    run.wait(2)
    run.redis.start()
    run.publish_to(second, rate=run.pick(short=50, full=200))
    run.wait_until(lambda: run.provider.accepted() > len(numbers), "retries are pending again")
    stall(run, seconds=13)
    run.report.at_most("recovery_seconds", run.rest(), 30)
    run.wait(run.pick(short=2, full=10))

    probes = run.publish_to(range(numbers[-1] + 1, numbers[-1] + 21), rate=10)
    run.rest()
    run.judge()
    run.report.at_most("p99_seconds_after", percentile(waits(run, probes), 99), 5)


@scenario(short=45, full=150, redis=False, patient=True)
def broker_not_there(run: Run) -> None:
    """
    Point everybody to a Redis that was never started.

    The clocks deliver everything, once, and publishing is not held up.
    """
    with closing(socket.socket()) as nobody:
        # Bound, so that nobody else takes the port; not listening, so that nobody answers.
        nobody.bind(("127.0.0.1", 0))
        run.environment["REDIS_URL"] = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"
        deliver_by_clock(run)


@scenario(short=45, full=150, redis=False, patient=True)
def no_broker_at_all(run: Run) -> None:
    """
    Configure no broker: what a publisher rings for, no worker hears.

    The clocks deliver everything, once.
    """
    deliver_by_clock(run)


@scenario(short=75, full=300)
def broker_unreachable(run: Run) -> None:
    """
    Let every packet to Redis and from it vanish while events keep coming; then let them through again.

    No publisher fails or waits, and everything is delivered within 60 s after the way is open.
    """
    assert run.redis
    rate, dark = run.pick(short=25, full=50), run.pick(short=8, full=60)
    with Proxy(run.redis.url) as proxy:
        run.environment["REDIS_URL"] = proxy.url
        run.start_workers(2)
        before = run.publish_to(range(1, rate * 4 + 1), rate=rate)
        run.rest()
        proxy.swallow()
        during = run.publish_to(range(rate * 4 + 1, rate * (4 + dark) + 1), rate=rate)
        run.wait_until(lambda: during.over, "all is published")
        proxy.forward()
        run.report.at_most("recovery_seconds", run.rest(), 60)
        run.judge()
    run.report.equal("publishing_failed", len(during.refused()), 0)
    usual, then = (percentile([item.seconds for item in one.accepted()], 99) for one in (before, during))
    run.report.note(publish_p99_before=usual, publish_p99_during=then)
    # Of a connection that times out, not of a busy machine.
    run.report.at_most("publish_slowest", max(item.seconds for item in during.accepted()), 2)


@scenario(short=90, full=300, redis=False, patient=True)
def rabbitmq_killed(run: Run) -> None:
    """
    Kill -9 a RabbitMQ while events keep coming, and start it again (where RabbitMQ is installed).

    No publisher fails or waits, nothing is lost or doubled.
    """
    rate, seconds = run.pick(short=25, full=50), run.pick(short=8, full=60)
    try:
        program = find_rabbitmq()
    except ServiceError as e:
        raise Skipped(str(e)) from e
    rabbit = run.stack.enter_context(running_rabbitmq(program))
    run.environment["BROKER_URL"] = rabbit.url
    run.start_workers(2)
    publishing = run.publish_to(range(1, rate * seconds + 1), rate=rate)
    run.wait_until(lambda: run.provider.accepted() > 0, "the first is sent")
    rabbit.kill()
    run.wait(seconds / 2)
    rabbit.start()

    run.report.at_most("recovery_seconds", run.rest(), 60)
    run.judge()
    run.report.equal("publishing_failed", len(publishing.refused()), 0)
    run.report.at_most("publish_slowest", max(item.seconds for item in publishing.accepted()), 2)


def deliver_by_clock(run: Run) -> None:
    """Publish with only the clocks to find it."""
    run.start_workers(2)
    rate, seconds = run.pick(short=40, full=200), run.pick(short=4, full=20)
    publishing = run.publish_to(range(1, rate * seconds + 1), rate=rate, channels=("in_app", *OUTSIDE))
    run.report.at_most("recovery_seconds", run.rest(), run.pick(short=30, full=90))
    run.judge()
    run.report.at_most("publish_slowest", max(item.seconds for item in publishing.accepted()), 2)


def stall(run: Run, *, seconds: float) -> None:
    """Let Redis stand still: it accepts connections and answers nobody."""
    client = redis.from_url(run.environment["REDIS_URL"])
    client.execute_command("CLIENT", "PAUSE", int(seconds * 1000), "ALL")
    run.wait(seconds)


def waits(run: Run, publishing: Publishing) -> list[float]:
    """Return the seconds from commit to acceptance of what one publisher published."""
    committed = {
        (channel, address(number, channel)): item.at
        for item in publishing.accepted()
        for number in item.numbers
        for channel in item.channels
    }
    found = [(call.at, committed.get((call.channel, call.address))) for call in run.provider.calls() if call.accepted]
    return [(at - since) / 1e9 for at, since in found if since is not None]
