"""
How long staff wait for the pages of the logs, among many old rows. Part of `benchmarks.full`.

Each page is asked for as a browser would, in this process: what it takes is the time of the server. Beside it what of that this
process had a core (without the database; on a busy machine the rest is mostly waiting), the number of queries, and the tables that one of them reads as a whole, by the planner's word: there should be none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from benchmarks.old_rows import BIG, TABLES
from notifications import ids
from notifications.models import Broadcast, Delivery, Event, Notification

if TYPE_CHECKING:
    from datetime import datetime

ASKED_TIMES = 9
#: Milliseconds that a page may take.
GOAL = 150
STAFF, PERSON = "benchmark", "reader-7"
#: The broadcast was told for this share of the time there is.
TOLD_FOR = 100
_DELIVERIES, _NOTIFICATIONS, _EVENTS, _BROADCASTS = (
    reverse(f"admin:notifications_{model}_changelist") for model in ("delivery", "notification", "event", "broadcast")
)
_FIND = reverse("admin:notifications_find")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What one page costs: milliseconds (median, the longest, the median on a core), queries, tables read as a whole."""

    p50: float
    longest: float
    core: float
    queries: int
    scans: list[str] = field(default_factory=list)


def measure() -> dict[str, Wait]:
    """Print what each page costs, one after the other; return it, by what it shows."""
    client = Client(SERVER_NAME="localhost")
    staff, _ = get_user_model()._default_manager.get_or_create(username=STAFF, is_staff=True, is_superuser=True)
    client.force_login(staff)
    print(f"\n{'page of the admin':44} {'p50 ms':>7} {'longest':>8} {'on core':>8} {'queries':>8}")
    found = {}
    for name, address in pages(_broadcast()).items():
        found[name] = wait = _wait(client, address)
        remarks = [f"more than {GOAL} ms"] * (wait.p50 > GOAL) + [f"reads all of {table}" for table in wait.scans]
        line = (
            f"{name:44} {wait.p50:>7.0f} {wait.longest:>8.0f} {wait.core:>8.0f} {wait.queries:>8}  {', '.join(remarks)}"
        )
        print(line.rstrip(), flush=True)
    return found


def pages(broadcast: Broadcast) -> dict[str, str]:
    """Return the addresses, by what they show."""
    middle = broadcast.created_at
    found = {f"deliveries: {name}": _of(_DELIVERIES, asked) for name, asked in _asked(broadcast).items()}
    events_until = ids.uuid7_at(timezone.now() - timedelta(days=1))
    found |= {
        "notifications": _NOTIFICATIONS,
        "notifications: further on": _of(_NOTIFICATIONS, {"before": ids.uuid7_at(middle)}),
        "notifications: template": _of(_NOTIFICATIONS, {"template__exact": "OLD_4"}),
        "notifications: category and priority": _of(_NOTIFICATIONS, {"category__exact": "old-3", "priority__exact": 0}),
        "notifications: time": _of(_NOTIFICATIONS, _time(middle)),
        "events": _EVENTS,
        "events: further on": _of(_EVENTS, {"before": events_until}),
        "events: state failed": _of(_EVENTS, {"state__exact": "failed"}),
        "events: state pending, none": _of(_EVENTS, {"state__exact": "pending"}),
        "events: template and source": _of(_EVENTS, {"template__exact": "OLD_4", "source__exact": "code"}),
        "events: source, none": _of(_EVENTS, {"source__exact": "legacy"}),
        "broadcasts": _BROADCASTS,
        "broadcasts: state": _of(_BROADCASTS, {"state__exact": "expanded"}),
    }
    return {**found, **_finding(), **_single()}


def _asked(broadcast: Broadcast) -> dict[str, dict[str, Any]]:
    """Return what the list of deliveries is asked for: each filter, what few match and what none does, and some together."""
    middle = broadcast.created_at
    states = ("pending", "sending", "sent", "failed", "unknown", "suppressed", "cancelled", "expired")
    reasons = {"few": "frequency_cap", "some": "category_off", "none": "hard_bounce"}
    return {
        "all": {},
        "further on": {"before": ids.uuid7_at(middle)},
        "back from there": {"after": ids.uuid7_at(middle)},
        **{f"state {state}": {"state__exact": state} for state in states},
        "state failed, further on": {"state__exact": "failed", "before": ids.uuid7_at(middle)},
        **{f"reason, {number}": {"reason__exact": reason} for number, reason in reasons.items()},
        "reason, none, further on": {"reason__exact": "hard_bounce", "before": ids.uuid7_at(middle)},
        "channel": {"channel__exact": "email"},
        "channel, none": {"channel__exact": "chat"},
        "template": {"template__exact": "OLD_3"},
        "priority": {"priority__exact": 0},
        "time": _time(middle),
        "broadcast": {"broadcast__exact": broadcast.pk},
        "broadcast and state": {"broadcast__exact": broadcast.pk, "state__exact": "failed"},
        "state, reason, channel": {
            "state__exact": "failed", "reason__exact": "rejected", "channel__exact": "email",
        },
        "state, template, priority": {"state__exact": "failed", "template__exact": "OLD_2", "priority__exact": 0},
        "time, channel, state": {**_time(middle), "channel__exact": "email", "state__exact": "suppressed"},
        "of a person": {"recipient__exact": _person().pk},
        "of the one told most, state": {"recipient__exact": _person(BIG).pk, "state__exact": "failed"},
    }  # fmt: skip


def _finding() -> dict[str, str]:
    """Return the box and where it leads; whatever is found by one value has one hit or a list of them."""
    sent = Delivery.objects.filter(channel="email").exclude(provider_message_id="").order_by("-pk")[0]
    notification = Notification.objects.order_by("-pk")[0]
    terms: dict[str, Any] = {
        "an e-mail address": _person().email, "a user name": PERSON, "an order": notification.about,
        "an event's id": notification.event_id, "what the provider calls it": sent.provider_message_id,
        "nothing": "nobody@example.com",
    }  # fmt: skip
    return {f"find: {name}": _of(_FIND, {"q": term}) for name, term in terms.items()}


def _single() -> dict[str, str]:
    """Return the pages of one person, of one row, and what is done with many."""
    timeline = reverse("admin:notifications_timeline", args=[_person().pk])
    most = reverse("admin:notifications_timeline", args=[_person(BIG).pk])
    failed = Delivery.objects.filter(state="failed").order_by("-pk")[0]
    event = Event.objects.order_by("-pk")[0]
    return {
        "timeline": timeline,
        "timeline of the one told most": most,
        "timeline of the one told most, further on": _of(most, {"before": ids.uuid7_at(_at(0.5))}),
        "a delivery": reverse("admin:notifications_delivery_change", args=[failed.pk]),
        "a notification": reverse("admin:notifications_notification_change", args=[failed.notification_id]),
        "an event": reverse("admin:notifications_event_change", args=[event.pk]),
        "why": _of(reverse("admin:notifications_why"), {"user": PERSON, "template": "OLD_1"}),
        "send round again, counted: failed for a day": _of(
            reverse("admin:notifications_delivery_bulk_retry"),
            {"state__exact": "failed", "since": _text(timezone.now() - timedelta(days=1))},
        ),
        "call back, counted: all that wait": reverse("admin:notifications_delivery_bulk_cancel"),
    }


def _broadcast() -> Broadcast:
    """Return the broadcast that some of the deliveries are of; make it, unless there is one."""
    row = Broadcast.objects.order_by("pk").first()
    if row is not None:
        return row
    begin, end = _at(0.5), _at(0.5 + 1 / TOLD_FOR)
    row = Broadcast.objects.create(
        template_id="OLD_1", created_at=begin, due_at=begin, state="expanded", finished_at=end, completed_at=end
    )
    told = Delivery.objects.filter(pk__gte=ids.uuid7_at(begin), pk__lt=ids.uuid7_at(end), template="OLD_1")
    told.update(broadcast_id=row.pk)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) notifications_delivery")
    return row


def _at(share: float) -> datetime:
    """Return an instant of the time there is: 0 is its beginning, 1 its end."""
    oldest, newest = (Delivery.objects.order_by(order)[0].created_at for order in ("pk", "-pk"))
    instant: datetime = oldest + (newest - oldest) * share
    return instant


def _person(name: str = PERSON) -> Any:
    return get_user_model()._default_manager.get(username=name)


def _time(middle: datetime) -> dict[str, str]:
    return {"since": _text(middle - timedelta(days=2)), "until": _text(middle)}


def _text(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%dT%H:%M")


def _of(address: str, asked: dict[str, Any]) -> str:
    return f"{address}?{urlencode(asked)}" if asked else address


def _wait(client: Client, address: str) -> Wait:
    # The first time loads templates, and is not timed.
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address, secure=True)
        # Now: the next request forgets them.
        statements = [query["sql"] for query in captured]
    if response.status_code not in {200, 302}:
        message = f"{address} answers {response.status_code}"
        raise RuntimeError(message)
    took, worked = [], []
    for _ in range(ASKED_TIMES):
        began, begun = time.perf_counter(), time.process_time()
        client.get(address, secure=True)
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - begun) * 1000)
    return Wait(
        p50=round(median(took), 1),
        longest=round(max(took), 1),
        core=round(median(worked), 1),
        queries=len(statements),
        scans=_scans(statements),
    )


def _scans(statements: list[str]) -> list[str]:
    """Return the large tables that one of the statements reads as a whole."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        for statement in statements:
            if statement.startswith("SELECT") and any(table in statement for table in TABLES):
                cursor.execute(f"EXPLAIN {statement}")
                plan = "\n".join(row[0] for row in cursor.fetchall())
                found.update(table for table in TABLES if f"Seq Scan on {table}" in plan)
    return sorted(found)
