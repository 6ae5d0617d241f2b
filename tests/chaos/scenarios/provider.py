"""Messages that end the worker, messages that cannot be worded, and a provider that does not do as it should."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.chaos.crew import DRAINS
from tests.chaos.people import OUTSIDE, address
from tests.chaos.provider import Behaviour
from tests.chaos.publications import Publication
from tests.chaos.scenario import scenario

if TYPE_CHECKING:
    from tests.chaos.run import Run
    from tests.chaos.tables import DeliveryRow

#: Claims after which a row fails, because it ends its workers.
MAX_CLAIMS = 10
#: Seconds by which two processes may differ over the database's time.
TOLERANCE = 0.1


@scenario(short=90, full=600, patient=True)
def crash_after_acceptance(run: Run) -> None:
    """
    End the worker right after the provider accepted and before that is written down; once each for some messages.

    Those e-mails go out a second time, under the same Message-ID; those texts do not, and become `unknown`.
    """
    run.configure(LEASE=run.pick(short=7, full=60), DRAINS_PER_CHANNEL=1)
    numbers = range(1, run.pick(short=150, full=2000) + 1)
    victims = run.random.sample(numbers, run.pick(short=4, full=16))
    half = len(victims) // 2
    emails = {address(number, "email") for number in victims[:half]}
    texts = {address(number, "sms") for number in victims[half:]}
    run.doom(after=emails | texts)
    run.start_workers(2)
    run.publish_to(numbers)

    run.report.note(recovery_seconds=run.rest())
    # One drain for each channel: a crash over a text may interrupt one e-mail, and the other way round.
    verdict = run.judge(duplicate_emails=len(victims))
    run.report.equal("crashes", run.crew.faults(), len(victims))
    calls = Counter(call.address for call in run.provider.calls() if call.accepted)
    run.report.equal("doubled_where_it_crashed", sum(calls[email] == 2 for email in emails), len(emails))
    states = {row.address: row.state for row in run.tables().deliveries}
    run.report.equal("unknown_where_it_crashed", sum(states[text] == "unknown" for text in texts), len(texts))
    run.report.at_most("unknown", verdict.states["sms", "unknown"], len(victims))


@scenario(short=150, full=400, patient=True)
def poison_row(run: Run) -> None:
    """
    Let one address end every worker that is about to send to it.

    It fails alone, after ten claims and without a call; all others are sent, once.
    """
    lease = run.pick(short=6, full=10)
    run.configure(LEASE=lease, DRAINS_PER_CHANNEL=1)
    numbers = range(1, run.pick(short=100, full=1000) + 1)
    poison = address(run.random.choice(numbers), "email")
    run.doom(before=[poison])
    run.start_workers(2)
    run.publish_to(numbers, channels=("in_app", "email"))

    run.report.note(recovery_seconds=run.rest())
    run.judge()
    rows = run.tables().deliveries
    (row,) = [row for row in rows if row.address == poison]
    run.report.equal("poison", f"{row.state}: {row.reason}", "failed: worker_crashed")
    run.report.equal("crashes", run.crew.faults(), MAX_CLAIMS)
    run.report.equal("neighbours_sent", sum(sent_once(row) for row in rows if row.channel == "email"), len(numbers) - 1)


@scenario(short=45, full=120, patient=True)
def poison_wording(run: Run) -> None:
    """
    Publish one event among many whose variables its wording cannot print.

    It fails alone on every channel, at once and without a call; all others are sent.
    """
    numbers = range(1, run.pick(short=100, full=1000) + 1)
    poison = run.random.choice(numbers)
    channels = ("in_app", *OUTSIDE)
    run.start_workers(2)
    run.publish(
        Publication(
            numbers=(number,),
            channels=channels,
            tracking_code=["cannot", "be", "printed"] if number == poison else "1Z",
        )
        for number in numbers
    )

    run.report.note(recovery_seconds=run.rest())
    run.judge()
    rows = run.tables().deliveries
    its_addresses = {address(poison, channel) for channel in OUTSIDE}
    reasons = Counter(f"{row.state}: {row.reason}" for row in rows if row.state != "sent")
    run.report.equal("reasons", str(dict(reasons)), str({"failed: render_error": len(channels)}))
    run.report.equal("poison_calls", sum(call.address in its_addresses for call in run.provider.calls()), 0)


@scenario(short=90, full=300, patient=True)
def provider_errors(run: Run) -> None:
    """
    Have the provider fail twice, refuse, ask for patience, or take the message and drop the line; or never answer.

    Retries come at 0, 2 and 6 s, or later where it was asked for; a refusal is final; an e-mail without an answer is
    sent again, a text without an answer is not, and becomes `unknown`.
    """
    run.environment["CHAOS_EMAIL_TIMEOUT"] = "2"
    each = run.pick(short=8, full=100)
    # Most are fine: it is not the time for the circuit breaker.
    numbers = list(range(1, 17 * each + 1))
    run.random.shuffle(numbers)
    fails, refused, patient, cut, hangs = (numbers[start * each : (start + 1) * each] for start in range(5))
    fine = numbers[5 * each :]
    for channel, fail in (("email", "451"), ("sms", "500")):
        answer(run, channel, fails, Behaviour(answers=(fail, fail)))
        answer(run, channel, refused, Behaviour(then="550"))
        answer(run, channel, cut, Behaviour(answers=("cut",)))
        answer(run, channel, hangs[: run.pick(short=2, full=6)], Behaviour(answers=("hang",)))
    answer(run, "sms", patient, Behaviour(answers=("429:3",)))
    run.start_workers(2)
    run.publish_to(sorted(numbers))

    run.report.note(recovery_seconds=run.rest())
    verdict = run.judge(duplicate_emails=each)
    begun = {
        (channel, number): [c.begun for c in run.provider.calls() if c.address == address(number, channel)]
        for channel in OUTSIDE
        for number in numbers
    }
    failed_twice = [begun[channel, number] for channel in OUTSIDE for number in fails]
    run.report.equal("tries_of_what_fails_twice", sum(len(tries) for tries in failed_twice), 2 * 3 * each)
    for number, delay in ((1, 2), (2, 4)):
        shortest = min(tries[number] - tries[number - 1] for tries in failed_twice) / 1e9
        run.report.at_least(f"shortest_wait_{number}", shortest, delay - TOLERANCE)
    patience = min(tries[1] - tries[0] for tries in (begun["sms", number] for number in patient)) / 1e9
    run.report.at_least("shortest_patience", patience, 3 - TOLERANCE)
    run.report.equal("tries_of_what_is_refused", sum(len(begun[c, n]) for c in OUTSIDE for n in refused), 2 * each)
    run.report.equal("failed", verdict.states["email", "failed"] + verdict.states["sms", "failed"], 2 * each)
    # What was cut had been accepted; nobody on our side can know.
    run.report.equal("unknown", verdict.states["sms", "unknown"], each + run.pick(short=2, full=6))
    run.report.equal("fine_sent_once", sum(len(begun[c, n]) == 1 for c in OUTSIDE for n in fine), 24 * each)


@scenario(short=120, full=300, patient=True)
def provider_locks_us_out(run: Run) -> None:
    """
    Have the provider of text messages refuse our key, with a queue waiting, until somebody mends it.

    The queue is not burned on it: a call for each drain at most, and everything is sent once the key is mended.
    """
    run.provider.script("sms", Behaviour(then="401"))
    workers = 2
    run.start_workers(workers)
    numbers = range(1, run.pick(short=100, full=1000) + 1)
    run.publish_to(numbers, channels=("sms",))
    run.wait_until(lambda: bool(run.provider.calls()), "somebody was refused")
    run.wait(5)
    refused = len(run.provider.calls())
    run.provider.script("sms", Behaviour())

    run.report.at_most("recovery_seconds", run.rest(), 60)
    run.judge()
    run.report.at_most("calls_refused", refused, workers * DRAINS)
    run.report.at_most("most_tries", max(row.attempts for row in run.tables().deliveries), 2)


def answer(run: Run, channel: str, numbers: list[int], behaviour: Behaviour) -> None:
    """Have these recipients answered so on this channel."""
    run.provider.script(channel, behaviour, addresses=[address(number, channel) for number in numbers])


def sent_once(row: DeliveryRow) -> bool:
    return row.state == "sent" and row.attempts == 1
