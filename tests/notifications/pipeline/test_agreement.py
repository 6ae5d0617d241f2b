"""Explain and dry run agree with what a real run then does, for 200 situations nobody thought of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from notifications.models import Category, Delivery, Event, FrequencyCount, Mute, Preference, RecipientSettings
from notifications.pipeline import wording
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_batch_notification
from notifications.services.explain import explain
from notifications.services.explanation import Basis
from notifications.types import DeliveryState, Priority
from tests.factories import CONTENTS, make_template

pytestmark = pytest.mark.django_db

ORDER = "orders.order:42"
VARIABLES = {"order_number": "ORD-1"}
CHANNELS = ["in_app", "email", "sms"]
#: Worded, but not set up here.
ALL_CHANNELS = [*CHANNELS, "web_push"]
ZONES = ["", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "Nowhere/Else"]
#: Around midnight, and around the hours that clocks skip and repeat.
INSTANTS = st.datetimes(datetime(2026, 3, 28), datetime(2026, 4, 6)) | st.datetimes(  # noqa: DTZ001 - the strategy wants naive ones
    datetime(2026, 10, 24),  # noqa: DTZ001 - the same
    datetime(2026, 11, 2),  # noqa: DTZ001 - the same
)

cadences = st.sampled_from(["immediately", "off"])
spans = st.sampled_from(["22:00-07:00", "00:00-08:00", "07:00-19:00", "02:30-03:30", "12:00-24:00"])
days = st.dictionaries(st.sampled_from(["mon", "sat", "sun"]), st.lists(spans, max_size=2), max_size=2)
hours = st.one_of(
    st.sampled_from([{}, {"daily": "nonsense"}]),
    st.builds(lambda daily, others: {"daily": daily, **others}, st.lists(spans, min_size=1, max_size=2), days),
    days,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is told, or not."""

    is_active: bool
    email: str
    phone: str
    zone: str
    hours: Any
    by_category: dict[str, str]
    by_template: dict[str, str]
    #: None: not muted; else hours from now, or for ever.
    muted: int | str | None
    #: How many of the category the day has had.
    counted: int
    has_settings: bool


people = st.builds(
    Person,
    is_active=st.sampled_from([True] * 6 + [False]),
    email=st.sampled_from(["x@example.com", "x@example.com", ""]),
    phone=st.sampled_from(["+4915550001001", "+4915550001001", ""]),
    zone=st.sampled_from(ZONES),
    hours=hours,
    by_category=st.dictionaries(st.sampled_from(ALL_CHANNELS), cadences, max_size=2),
    by_template=st.dictionaries(st.sampled_from(ALL_CHANNELS), cadences, max_size=1),
    muted=st.sampled_from([None, None, None, -1, 0, 1, "for ever"]),
    counted=st.integers(0, 3),
    has_settings=st.sampled_from([True, True, True, False]),
)
situations = st.fixed_dictionaries(
    {
        "now": INSTANTS,
        "people": st.lists(people, min_size=1, max_size=4),
        "unknown": st.integers(0, 2),
        "again": st.booleans(),
        "required": st.sampled_from([False, False, False, True]),
        "cap": st.sampled_from([None, 1, 2]),
        "defaults": st.dictionaries(st.sampled_from(ALL_CHANNELS), cadences, max_size=2),
        "policy": st.sampled_from(["nothing", "urgent", "urgent", "everything"]),
        "disabled": st.sampled_from([False] * 9 + [True]),
        "escalation": st.sampled_from([{}, {}, {"email": 1800}, {"sms": 60}]),
        "worded": st.sampled_from([CHANNELS, ALL_CHANNELS, ["in_app", "email"]]),
        "channels": st.one_of(st.none(), st.lists(st.sampled_from(CHANNELS), max_size=3)),
        "priority": st.sampled_from(list(Priority)),
        "about": st.sampled_from(["", ORDER]),
        "chunk": st.sampled_from([1, 2, 50]),
    }
)


def template_of(situation):
    contents = {**CONTENTS, ("web_push", ""): {"title": "x", "body": "y"}}
    template = make_template(
        "ORDER_CREATED", contents={key: words for key, words in contents.items() if key[0] in situation["worded"]}
    )
    template.disabled_at = situation["now"] if situation["disabled"] else None
    template.escalation = situation["escalation"]
    template.save()
    Category.objects.update(
        required=situation["required"],
        daily_cap=situation["cap"],
        defaults=situation["defaults"],
        quiet_hours=situation["policy"],
    )
    return template


def user_of(number, person, template, now):
    user = get_user_model().objects.create(
        username=f"user{number}", email=person.email and f"user{number}@example.com", is_active=person.is_active
    )
    if person.has_settings:
        RecipientSettings.objects.create(
            recipient=user, phone=person.phone, time_zone=person.zone, quiet_hours=person.hours
        )
    for channel, cadence in person.by_category.items():
        Preference.objects.create(recipient=user, category_id="orders", channel=channel, cadence=cadence)
    for channel, cadence in person.by_template.items():
        Preference.objects.create(recipient=user, template=template, channel=channel, cadence=cadence)
    if person.muted is not None:
        until = None if isinstance(person.muted, str) else now + timedelta(hours=person.muted)
        Mute.objects.create(recipient=user, about=ORDER, created_at=now, until=until)
    if person.counted:
        # Wherever they live, it is one of these days.
        for days in (-1, 0, 1):
            day = (now + timedelta(days=days)).date()
            FrequencyCount.objects.create(recipient=user, category_id="orders", day=day, number=person.counted)
    return user


def explained(users, situation, now):
    """Return what explain says of each recipient and channel."""
    options = {"channels": situation["channels"], "priority": situation["priority"]}
    return {
        (str(user.pk), line.channel): (line.state, line.reason, line.at)
        for user in users
        for line in explain(user, "ORDER_CREATED", situation["about"], now=now, **options).lines
        if line.basis == Basis.RE_EVALUATED and line.channel
    }


def foretold(answer):
    """Return what the dry run says, as `real` does."""
    verdicts: Counter = Counter()
    for forecast in answer.channels:
        for going in forecast.going:
            state = DeliveryState.SENT if forecast.channel == "in_app" else DeliveryState.PENDING
            verdicts[forecast.channel, state, going.reason or "", going.at] += going.number
        for reason, number in forecast.suppressed.items():
            verdicts[forecast.channel, DeliveryState.SUPPRESSED, reason, answer.at] += number
    return verdicts


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def check(situation, settings):
    """Ask, do it, and compare."""
    now = situation["now"]
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "CHUNK_SIZE": situation["chunk"]}
    template = template_of(situation)
    users = [user_of(number, person, template, now) for number, person in enumerate(situation["people"])]
    recipients = [*users, *range(987_650, 987_650 + situation["unknown"]), *(users[:1] if situation["again"] else [])]
    options = {name: situation[name] for name in ("channels", "priority", "about")}
    request: dict[str, Any] = {"recipients": recipients, "variables": VARIABLES, **options}

    answer = publish_batch_notification("ORDER_CREATED", **request, dry_run=True)
    # One by one, it says who.
    alone = {
        (str(user.pk), *verdict[:1]): verdict[1:]
        for user in users
        for verdict in foretold(
            publish_batch_notification("ORDER_CREATED", **{**request, "recipients": [user]}, dry_run=True)
        )
    }
    said = explained(users, situation, now)
    batch = publish_batch_notification("ORDER_CREATED", **request)
    dispatch()

    rows = list(Delivery.objects.all())
    really = {(str(row.recipient_id), row.channel): (row.state, row.reason, row.due_at) for row in rows}
    assert said == really
    assert alone == really
    assert foretold(answer) == Counter((row.channel, row.state, row.reason, row.due_at) for row in rows)
    events = list(Event.objects.all())
    assert answer.event_count == len(events)
    assert (answer.recipient_count, answer.duplicate_count) == (batch.recipient_count, batch.duplicate_count)
    assert answer.unknown_count == sum(row.unknown_count for row in events) == situation["unknown"]
    assert answer.inactive_count == sum(row.inactive_count for row in events)
    for state, reason, _ in really.values():
        event(f"{state} {reason}")


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(situation=situations)
def test_explain_and_dry_run_agree_with_what_then_happens(situation, settings):
    situation["now"] = situation["now"].replace(tzinfo=UTC)
    wording.forget()
    with time_machine.travel(situation["now"], tick=False), transaction.atomic():
        check(situation, settings)
        transaction.set_rollback(True)
