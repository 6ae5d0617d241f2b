"""
Our figures in the words of Prometheus.

Names are in base units, `_total` ends counters only, and the values of labels come from closed lists: no id, no address,
no template. Nothing is kept between two scrapes: the figures are the database's, and a few are this process's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import Error
from django.db.models import Count, Max, Q, TextChoices
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from notifications import clock, realtime, wakeups
from notifications.models import Pause, WorkerHeartbeat
from notifications.services import backlog, probe, recent
from notifications.services.health import ALIVE_FOR
from notifications.types import Channel, DeliveryState, EventState, Outcome, PauseOrigin, PauseScope, Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from prometheus_client.metrics_core import Metric

    from notifications.services.backlog import Line
    from notifications.services.recent import Latency, Recent


class Vitality(TextChoices):
    """What is known of a worker process."""

    ALIVE = "alive"
    FAULTY = "faulty"
    GONE = "gone"


def render(now: datetime | None = None) -> bytes:
    """Return everything in Prometheus' text format 0.0.4. Without `now`, the clock is asked."""
    return generate_latest(_Collector(now))


class _Collector(Collector):
    """The figures of one instant."""

    def __init__(self, now: datetime | None) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        up = not probe.fault()
        if up:
            try:
                with probe.patience():
                    yield from _from_the_database(self._now or clock.now())
            except Error:
                up = False
        yield _gauge("database_up", "1 if the database answered all of this, else 0.", float(up))
        yield from _ours()


def _from_the_database(now: datetime) -> Iterator[Metric]:
    yield _oldest_due(now)
    yield from _waiting(now)
    yield from _recently(now)
    yield from _workers(now)
    yield _pauses(now)


def _oldest_due(now: datetime) -> Metric:
    metric = GaugeMetricFamily(
        "notifications_oldest_due_seconds",
        "How long the oldest row has been due that is not held; 0: none is. Says how late we are.",
        labels=("kind", "priority", "channel"),
    )
    for line, seconds in backlog.oldest_due(now).items():
        metric.add_metric(_labels(line), seconds)
    return metric


def _waiting(now: datetime) -> Iterator[Metric]:
    labels = ("kind", "priority", "channel")
    words = f"Rows that are not over. Due and held, and delayed, are counted up to {backlog.COUNTED}."
    waiting = GaugeMetricFamily("notifications_waiting", words, labels=(*labels, "state"))
    words = "Of the waiting rows, those whose lease ran out and was reclaimed: a worker died, or was too slow."
    reclaimed = GaugeMetricFamily("notifications_leases_reclaimed", words, labels=labels)
    for found in backlog.backlogs(now):
        for state, number in found.numbers.items():
            waiting.add_metric([*_labels(found.line), state.value], number)
        reclaimed.add_metric(_labels(found.line), found.reclaimed)
    yield waiting
    yield reclaimed


def _recently(now: datetime) -> Iterator[Metric]:
    attempts, latencies = recent.attempts(now)
    events, deliveries, failures = recent.events(now), recent.deliveries(now), recent.failures(now)
    priorities = {priority: priority.name.lower() for priority in Priority}
    every, sendable = _names(Channel), _names(backlog.SENDABLE)
    over = [state for state in EventState if state not in {EventState.PENDING, EventState.DISPATCHING}]
    failed = [DeliveryState.FAILED, DeliveryState.UNKNOWN]
    yield _numbers("events", "Events that came to an end lately.", "priority", priorities, over, events)
    yield _numbers("deliveries", "Deliveries made lately, by their state.", "channel", every, DeliveryState, deliveries)
    yield _numbers("failures", "Deliveries that failed lately, whenever made.", "channel", sendable, failed, failures)
    yield _numbers("attempts", "Tries begun lately.", "channel", sendable, Outcome, attempts)
    yield _latency(latencies)
    window = GaugeMetricFamily(
        "notifications_recent_window_seconds",
        f"How far back the notifications_recent figures go: less when more than {recent.NEWEST} rows are recent.",
        labels=("kind",),
    )
    kinds = {"event": events, "delivery": deliveries, "failure": failures, "attempt": attempts}
    for kind, counted in kinds.items():
        window.add_metric([kind], counted.window)
    yield window


def _numbers(
    figure: str, words: str, label: str, names: dict[Any, str], outcomes: Iterable[TextChoices], counted: Recent
) -> Metric:
    metric = GaugeMetricFamily(f"notifications_recent_{figure}", words, labels=(label, "outcome"))
    outcomes = list(outcomes)
    for key, name in names.items():
        for outcome in outcomes:
            metric.add_metric([name, outcome.value], counted.numbers.get((key, outcome.value), 0))
    return metric


def _latency(latencies: dict[Channel, Latency]) -> Metric:
    """A histogram over a window, in which numbers may fall: to be read without `rate()`."""
    metric = GaugeHistogramMetricFamily(
        "notifications_recent_latency_seconds",
        "From the decision to send until the provider accepted it, of what was sent lately.",
        labels=("channel",),
    )
    for channel, latency in latencies.items():
        buckets = [(str(bound), number) for bound, number in zip(recent.BOUNDS, latency.within, strict=True)]
        metric.add_metric([channel.value], [*buckets, ("+Inf", latency.number)], latency.seconds)
    return metric


def _workers(now: datetime) -> Iterator[Metric]:
    # One row for each process that ran in the last day: nothing that needs an index.
    seen = Q(seen_at__gt=now - ALIVE_FOR)
    found = WorkerHeartbeat.objects.aggregate(
        alive=Count("pk", filter=seen & Q(fault="")),
        faulty=Count("pk", filter=seen & ~Q(fault="")),
        gone=Count("pk", filter=~seen),
        latest=Max("seen_at"),
    )
    workers = GaugeMetricFamily("notifications_workers", "Worker processes of the last day.", labels=("state",))
    for vitality in Vitality:
        workers.add_metric([vitality.value], found[vitality.value])
    yield workers
    if found["latest"] is not None:
        words = "Age of the latest heartbeat of any worker; left out if there is none."
        yield _gauge("heartbeat_age_seconds", words, max((now - found["latest"]).total_seconds(), 0.0))


def _pauses(now: datetime) -> Metric:
    in_force = Pause.objects.filter(Q(until__isnull=True) | Q(until__gt=now), lifted_at__isnull=True)
    counted = in_force.order_by().values_list("scope", "origin").annotate(number=Count("*"))
    found = {(scope, origin): number for scope, origin, number in counted}
    words = "Pauses in force, by what they hold and who began them."
    metric = GaugeMetricFamily("notifications_pauses", words, labels=("scope", "origin"))
    for scope in PauseScope:
        for origin in PauseOrigin:
            metric.add_metric([scope.value, origin.value], found.get((scope.value, origin.value), 0))
    return metric


def _ours() -> Iterator[Metric]:
    """Return what only this process knows."""
    offset = clock.offset().total_seconds()
    yield _gauge("clock_offset_seconds", "How far the database's clock is ahead of this process's machine.", offset)
    yield CounterMetricFamily(
        "notifications_wakeups_dropped",
        "Wake-ups this process could not send since it began. Harmless: the clock finds the rows.",
        value=wakeups.dropped(),
    )
    yield CounterMetricFamily(
        "notifications_live_messages_dropped",
        "Live messages this process could not send since it began. Harmless: browsers also poll.",
        value=realtime.dropped(),
    )


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"notifications_{name}", words, value=value)


def _names(channels: Iterable[Channel]) -> dict[Any, str]:
    return {channel.value: channel.value for channel in channels}


def _labels(line: Line) -> list[str]:
    """Return kind, priority and channel; an empty label is none to Prometheus."""
    kind, channel = ("event", "") if line.channel is None else ("delivery", line.channel.value)
    return [kind, line.priority.name.lower(), channel]
