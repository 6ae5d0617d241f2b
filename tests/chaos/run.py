"""One scenario under way: its servers, processes and figures, bounded in time, and nothing left of it at the end."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from tests.chaos import stage as stages
from tests.chaos import tables
from tests.chaos.adapters import DOOM_FILE
from tests.chaos.crew import Crew
from tests.chaos.judge import judge, percentile
from tests.chaos.outside import Provider, Publishing
from tests.chaos.people import OUTSIDE
from tests.chaos.processes import Household
from tests.chaos.publications import Publication
from tests.chaos.report import Report
from tests.services import running_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tests.chaos.judge import Verdict
    from tests.chaos.stage import Stage
    from tests.servers import PostgresServer, RedisServer

T = TypeVar("T")

#: Seconds between two looks, and between two at the tables: those cost the database something.
LOOK, LOOK_AT_TABLES = 0.05, 0.25
#: Seconds that all workers may take to be ready.
BOOT_LIMIT = 60.0


class OutOfTime(Exception):
    """The scenario did not come to its end."""


class Skipped(Exception):
    """The scenario needs what is not installed here."""


class Run:
    """What a scenario does its work with. It must be configured before the first worker or publisher is started."""

    def __init__(
        self,
        report: Report,
        *,
        household: Household,
        stack: ExitStack,
        environment: dict[str, str],
        people: int,
        limit: float,
        stopping: threading.Event,
    ) -> None:
        self.report = report
        #: Decides whom and when; the same seed decides the same.
        self.random = random.Random(f"{report.seed}:{report.scenario}")  # noqa: S311 - replayable on purpose
        self.environment = environment
        #: Recipients there are.
        self.people = people
        self.redis: RedisServer | None = None
        self.postgres: PostgresServer | None = None
        self.folder = household.folder
        self.household = household
        #: For what a scenario opens itself; closed when its processes have ended.
        self.stack = stack
        self.provider = Provider(household)
        self.crew = Crew(household, environment)
        self._publishing: list[Publishing] = []
        self._deadline = time.monotonic() + limit
        self._stopping = stopping
        environment["EMAIL_URL"] = self.provider.url()
        self.doom()

    def pick(self, *, short: T, full: T) -> T:
        """Return what this profile asks for."""
        return full if self.report.profile == "full" else short

    # --- Before it begins --------------------------------------------------------------------------------------------

    def configure(self, **notifications: Any) -> None:
        """Set NOTIFICATIONS for every process."""
        self.environment["CHAOS_NOTIFICATIONS"] = json.dumps(notifications)

    def doom(self, *, before: Iterable[str] = (), after: Iterable[str] = ()) -> None:
        """Have workers end at these addresses: each time before the call, or once after the provider accepted."""
        told = {"before": list(before), "after": list(after)}
        (self.folder / DOOM_FILE).write_text(json.dumps(told), encoding="utf-8")

    def start_workers(self, number: int) -> None:
        """Start workers; return when all are at work."""
        self.crew.start(number)
        self.wait_until(lambda: self.crew.ready, "the workers are ready", within=BOOT_LIMIT)

    # --- Publishing --------------------------------------------------------------------------------------------------

    def publish(
        self, publications: Iterable[Publication], *, rate: float = 0, threads: int = 1, patience: float = 0
    ) -> Publishing:
        """Start a publisher: so many publications a second (0: no limit), repeating what the database refused."""
        publishing = Publishing(
            publications,
            name=f"publisher-{len(self._publishing) + 1}",
            household=self.household,
            environment=self.environment,
            options=["--rate", str(rate), "--threads", str(threads), "--patience", str(patience)],
        )
        self._publishing.append(publishing)
        return publishing

    def publish_to(
        self,
        numbers: Iterable[int],
        *,
        channels: Sequence[str] = OUTSIDE,
        rate: float = 0,
        patience: float = 0,
        **options: Any,
    ) -> Publishing:
        """Start a publisher of one event for each recipient."""
        each = [Publication(numbers=(number,), channels=tuple(channels), **options) for number in numbers]
        return self.publish(each, rate=rate, patience=patience)

    # --- Waiting -----------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= until, "time has passed")

    def wait_until(
        self, holds: Callable[[], bool], what: str, *, within: float | None = None, every: float = LOOK
    ) -> float:
        """Wait until it holds; return how many seconds that took."""
        started = time.monotonic()
        deadline = min(self._deadline, started + within) if within is not None else self._deadline
        while not holds():
            if time.monotonic() > deadline or self._stopping.is_set():
                raise OutOfTime(f"not so after {time.monotonic() - started:.0f} s: {what}")
            self.crew.tend()
            time.sleep(every)
        return time.monotonic() - started

    def rest(self) -> float:
        """Wait until all is published and everything is over; return how many seconds that took."""
        everything = f"everything is over (of {len(self._publishing)} publishers)"
        return self.wait_until(
            lambda: all(one.over for one in self._publishing) and self.is_over(), everything, every=LOOK_AT_TABLES
        )

    def is_over(self) -> bool:
        """Is no event and no delivery left to be worked on?"""
        return tables.still_open(self.environment["DATABASE_URL"]) == (0, 0)

    # --- The end -----------------------------------------------------------------------------------------------------

    def tables(self) -> tables.Tables:
        """Return what our own tables say."""
        return tables.read(self.environment["DATABASE_URL"])

    def judge(self, *, duplicate_emails: int = 0) -> Verdict:
        """Judge what has come to rest: nothing lost, no text doubled, no more e-mails doubled than this."""
        accepted = [item for one in self._publishing for item in one.accepted()]
        verdict = judge(accepted, self.provider.calls(), self.tables())
        report = self.report
        report.note(events=verdict.accepted_events, delivered=verdict.delivered)
        # Of nothing, nothing is lost.
        report.at_least("promised", verdict.promised, 1)
        report.equal("lost", len(verdict.lost), 0)
        report.at_most("duplicates_email", verdict.duplicates["email"], duplicate_emails)
        report.equal("duplicates_sms", verdict.duplicates["sms"], 0)
        report.equal("renamed", verdict.renamed, 0)
        report.equal("unlisted", verdict.unlisted, 0)
        report.equal("events_failed", len(verdict.failed_events), 0)
        if verdict.failed_events:
            report.note(first_event_error=verdict.failed_events[0][:200])
        report.equal("untrue", _say(verdict.untrue), "")
        report.note(unknown=verdict.states["sms", "unknown"], failed=_failed(verdict))
        if report.profile == "full":
            self.household.run("audit", ["manage.py", "audit_notifications"], environment=self.environment, limit=120)
        everything = [second for channel in verdict.seconds.values() for second in channel]
        report.note(p50_seconds=percentile(everything, 50), p99_seconds=percentile(everything, 99))
        return verdict

    def left(self) -> str:
        """Say what is not over, for a run that ran out of time."""
        found = tables.still_open(self.environment["DATABASE_URL"])
        if found is None:
            return "the database does not answer"
        return f"{found[0]} events and {found[1]} deliveries are not over"


@contextmanager
def opened(
    name: str, *, profile: str, seed: int, stage: Stage, limit: float, database: str, redis: bool
) -> Iterator[Run]:
    """
    Set up a scenario, and clear it away.

    `database`: a `copy` on the shared server, a server of its `own`, or `sqlite`. `redis`: does a broker run?
    """
    with ExitStack() as stack:
        household = stack.enter_context(Household())
        folder = str(household.folder)
        environment = {**stages.DJANGO, "CHAOS_FOLDER": folder}
        environment |= {"SMS_BACKEND": "tests.chaos.adapters.Text", "SMS_OPTIONS": json.dumps({"folder": folder})}
        postgres = None
        if database == "own":
            postgres = stack.enter_context(stages.own_postgres(household, people=stage.people)).postgres
            assert postgres
            environment["DATABASE_URL"] = postgres.url
        elif database == "sqlite":
            environment["DATABASE_URL"] = f"sqlite:///{folder}/chaos.sqlite3"
            stages.prepare(environment["DATABASE_URL"], household, people=stage.people)
        else:
            environment["DATABASE_URL"] = stage.copy(name)
            stack.callback(stage.drop, name)
        server = stack.enter_context(running_services(given={"DATABASE_URL": "none"})).redis if redis else None
        if server:
            environment["REDIS_URL"] = server.url
        report = Report(scenario=name, profile=profile, seed=seed)
        run = Run(
            report,
            household=household,
            stack=stack,
            environment=environment,
            people=stage.people,
            limit=limit,
            stopping=stage.stopping,
        )
        run.redis, run.postgres = server, postgres
        try:
            yield run
        finally:
            # Before the servers they talk to.
            household.end_all()


def _say(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number)


def _failed(verdict: Verdict) -> int:
    return sum(number for (_, state), number in verdict.states.items() if state == "failed")
