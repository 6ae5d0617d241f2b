"""A dry run checks everything, writes nothing, and says what would become of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import registry
from notifications.exceptions import IdempotencyConflict, PublishError, RenderError, UnknownAudience
from notifications.models import Category, Delivery, FrequencyCount, Preference, RecipientSettings, Template
from notifications.pipeline import dry_run, planning, wording
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_batch_notification
from notifications.services import pauses
from notifications.types import PauseScope, Priority, Reason
from notifications.values import Departure
from tests.factories import CONTENTS, make_template, publish_version

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: Half past one in Berlin; its quiet hours end at seven.
NIGHT = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
MORNING = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
VARIABLES = {"order_number": "ORD-1"}


@pytest.fixture(autouse=True)
def traveller(monkeypatch):
    monkeypatch.setattr(registry, "_audiences", {})
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def run(recipients=None, template="ORDER_CREATED", **options):
    return publish_batch_notification(
        template, recipients=recipients, dry_run=True, **{"variables": VARIABLES, **options}
    )


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def forecasts(answer):
    return {forecast.channel: forecast for forecast in answer.channels}


def now(number):
    return (Departure(at=NOW, reason=None, number=number),)


def everything():
    """Return every row of every table."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models(include_auto_created=True)
    }


def users(number):
    model = get_user_model()
    model.objects.bulk_create(model(username=f"user{i}", email=f"user{i}@example.com") for i in range(number))
    return model.objects.filter(username__startswith="user").order_by("pk")


def test_nothing_is_written_and_nobody_is_woken(alice, bob, template, rung, django_capture_on_commit_callbacks):
    Category.objects.update(daily_cap=1)
    Template.objects.update(digest={"window": 600})
    registry.audience("everybody")(get_user_model().objects.all)
    before = everything()

    with CaptureQueriesContext(connection) as queries, django_capture_on_commit_callbacks(execute=True):
        run([alice, bob], idempotency_key="k")
        run(get_user_model().objects.all())
        run(audience="everybody")

    assert everything() == before
    assert {query["sql"].split()[0] for query in queries} <= {"SELECT", "DECLARE", "FETCH", "CLOSE"}
    assert rung == []


def test_it_counts_by_channel_what_goes_and_what_does_not_and_why(alice, bob, charlie, template):
    charlie.is_active = False
    charlie.save()
    Preference.objects.create(recipient=alice, category_id="orders", channel="email", cadence="off")

    answer = run([alice, bob, charlie, alice, 987654])

    assert (answer.template, answer.at, answer.event_count) == ("ORDER_CREATED", NOW, 1)
    counts = (answer.recipient_count, answer.duplicate_count, answer.unknown_count, answer.inactive_count)
    assert counts == (4, 1, 1, 1)
    found = forecasts(answer)
    assert list(found) == ["in_app", "email", "sms"]
    assert {name: forecast.going for name, forecast in found.items()} == {
        "in_app": now(2),
        "email": now(1),
        "sms": now(1),
    }
    inactive = {Reason.RECIPIENT_INACTIVE: 1}
    assert {name: forecast.suppressed for name, forecast in found.items()} == {
        "in_app": inactive,
        "email": {**inactive, Reason.CATEGORY_OFF: 1},
        "sms": {**inactive, Reason.NO_ADDRESS: 1},
    }
    assert answer.paused == ()
    assert answer.repeats is None


def test_samples_show_each_language_and_no_more_than_a_few(alice, bob, template):
    crowd = users(10)

    answer = run([alice, bob, *crowd])

    texts = [(sample.channel, sample.language, sample.rendered and sample.rendered.title) for sample in answer.samples]
    assert texts == [
        ("in_app", "en", "Order ORD-1"),
        ("in_app", "de-AT", "Bestellung ORD-1"),
        ("email", "en", "Your order ORD-1"),
        ("email", "de-AT", "Your order ORD-1"),
        ("sms", "en", ""),
    ]
    assert answer.samples[2].rendered is not None
    assert answer.samples[2].rendered.body == "Hello Alice, we have it."
    assert answer.samples[4].segments == 1
    assert answer.samples[0].recipient == str(alice.pk)


def test_a_channel_has_three_samples_at_most(template):
    locales = ["", "de", "fr", "it", "es"]
    publish_version(template, {("in_app", locale): {"title": locale, "body": "x"} for locale in locales})
    crowd = list(users(5))
    for user, locale in zip(crowd, locales, strict=True):
        RecipientSettings.objects.create(recipient=user, locale=locale)

    assert [sample.language for sample in run(crowd).samples] == ["en", "de", "fr"]


def test_a_long_text_message_is_counted_in_segments_for_each(alice, bob, template):
    RecipientSettings.objects.filter(recipient=bob).update(phone="+4915550001002")
    publish_version(template, {("sms", ""): {"body": "{{ recipient_name }}" + "я" * 130}})

    answer = run([alice, bob])

    # Alice's 135 characters are one too many for two parts.
    assert forecasts(answer)["sms"].segments == 3 + 2


def test_words_that_cannot_be_rendered_are_counted_as_failing(alice, bob, template):
    bad = {"title": "x", "body": "{{ order_number|date:'H' }}{% for a in order_number %}{{ a.b.c|floatformat:'x' }}"}
    publish_version(template, {("in_app", ""): bad, ("email", ""): bad})

    answer = run([alice, bob])

    assert {name: (one.going, one.unworded) for name, one in forecasts(answer).items()} == {
        "in_app": ((), 2),
        "email": ((), 2),
    }
    assert {(sample.channel, sample.rendered) for sample in answer.samples} == {("in_app", None), ("email", None)}
    assert all(sample.error for sample in answer.samples)


def test_what_is_held_back_is_grouped_by_when_it_goes(alice, bob, charlie, template, traveller):
    traveller.move_to(NIGHT)
    for person in (alice, bob):
        RecipientSettings.objects.filter(recipient=person).update(
            time_zone="Europe/Berlin", quiet_hours={"daily": ["22:00-07:00"]}
        )

    answer = run([alice, bob, charlie], channels=["email"])

    assert forecasts(answer)["email"].going == (
        Departure(at=NIGHT, reason=None, number=1),
        Departure(at=MORNING, reason=Reason.QUIET_HOURS, number=2),
    )


def test_it_is_planned_for_when_it_is_due(alice, template):
    RecipientSettings.objects.update(time_zone="Europe/Berlin", quiet_hours={"daily": ["22:00-07:00"]})

    answer = run([alice], channels=["email"], send_at=NIGHT)

    assert answer.at == NIGHT
    assert forecasts(answer)["email"].going == (Departure(at=MORNING, reason=Reason.QUIET_HOURS, number=1),)


def test_the_cap_is_foreseen_and_not_counted(alice, bob, template):
    Category.objects.update(daily_cap=1)
    publish_batch_notification("ORDER_CREATED", recipients=[alice], variables=VARIABLES)
    dispatch()

    for _ in range(2):
        answer = run([alice, bob], channels=["email", "in_app"])
        assert forecasts(answer)["email"].suppressed == {Reason.FREQUENCY_CAP: 1}
        assert forecasts(answer)["email"].going == forecasts(answer)["in_app"].going[:0] + now(1)
        assert forecasts(answer)["in_app"].going == now(2)
    assert FrequencyCount.objects.get().number == 1


@pytest.mark.parametrize(
    ("digest", "opened", "due_at", "reason"),
    [
        ({"window": 600}, False, timedelta(minutes=10), Reason.DIGEST),
        ({"window": 600}, True, timedelta(minutes=5), Reason.DIGEST),
        ({"window": 600, "first_now": True}, False, timedelta(0), None),
        ({"window": 600, "first_now": True}, True, timedelta(minutes=5), Reason.DIGEST),
        ({"window": 600, "sliding": True, "longest": 3600}, True, timedelta(minutes=10), Reason.DIGEST),
        ({"window": 600, "sliding": True, "longest": 720}, True, timedelta(minutes=7), Reason.DIGEST),
    ],
    ids=["new", "open", "the first at once", "not the first", "sliding", "as far as it slides"],
)
def test_a_digest_is_foreseen_and_not_opened(alice, template, traveller, digest, opened, due_at, reason):
    Template.objects.update(digest=digest)
    if opened:
        traveller.move_to(NOW - timedelta(minutes=5))
        publish_batch_notification("ORDER_CREATED", recipients=[alice], variables=VARIABLES, channels=["email"])
        dispatch()
        traveller.move_to(NOW)

    answer = run([alice], channels=["email"])

    (going,) = forecasts(answer)["email"].going
    assert (going.at, going.reason) == (NOW + due_at, reason)
    publish_batch_notification("ORDER_CREATED", recipients=[alice], variables=VARIABLES, channels=["email"])
    dispatch()
    really = Delivery.objects.order_by("pk").last()
    assert really is not None
    assert (really.due_at, really.reason) == (NOW + due_at, reason or "")


def test_a_pause_is_told(alice, template):
    for scope, key in [("everything", ""), ("category", "orders"), ("channel", "email")]:
        pauses.pause(PauseScope(scope), key, now=NOW)
    backend = "notifications.channels.sms.ConsoleSms"
    pauses.pause(PauseScope.BACKEND, backend, now=NOW)

    answer = run([alice])

    assert answer.paused == (PauseScope.EVERYTHING, PauseScope.TEMPLATE)
    assert {name: one.paused for name, one in forecasts(answer).items()} == {
        "in_app": (),
        "email": (PauseScope.CHANNEL,),
        "sms": (PauseScope.BACKEND,),
    }


@pytest.mark.parametrize("kind", ["queryset", "generator", "audience"])
def test_any_length_is_run_batch_by_batch(template, settings, kind, monkeypatch, django_assert_max_num_queries):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "CHUNK_SIZE": 5}
    monkeypatch.setattr(dry_run, "BATCH", 4)
    crowd = users(103)
    registry.audience("crowd")(lambda: crowd)
    batches: list[int] = []

    def plan_events(events, *, now):
        batches.append(len(events))
        return planning.plan_events(events, now=now)

    monkeypatch.setattr(dry_run, "plan_events", plan_events)
    given = {"queryset": crowd, "generator": (user.pk for user in crowd), "audience": None}[kind]

    with django_assert_max_num_queries(60):
        answer = run(given, audience="crowd" if kind == "audience" else None)

    assert (answer.recipient_count, answer.event_count) == (103, 21)
    assert batches == [4, 4, 4, 4, 4, 1]
    assert forecasts(answer)["email"].going == now(103)


def test_an_audience_that_names_somebody_twice_counts_them_once(alice, bob, template):
    alice.groups.create(name="a")
    alice.groups.create(name="b")
    registry.audience("grouped")(lambda: get_user_model().objects.filter(groups__isnull=False))

    answer = run(audience="grouped")

    assert (answer.recipient_count, answer.duplicate_count) == (1, 0)


def test_nobody_is_nothing(template):
    answer = run([], idempotency_key="k")

    assert (answer.recipient_count, answer.event_count, answer.channels, answer.samples) == (0, 0, (), ())


def test_a_template_without_published_wording_has_no_channel(alice, template):
    Template.objects.update(live_version=None)

    assert run([alice]).channels == ()
    assert forecasts(run([alice], channels=["email"]))["email"].suppressed == {Reason.NO_CONTENT: 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"template": "ORDER_CRATED"},
        {"variables": {}},
        {"recipients": "alice"},
        {"recipients": None},
        {"recipients": [None]},
        {"channels": ["emial"]},
        {"priority": "soon"},
        {"expires_in": -HOUR},
        {"recipients": None, "audience": "nobodies"},
    ],
    ids=["template", "variables", "one", "none", "nobody", "channel", "priority", "length", "audience"],
)
def test_everything_is_checked_as_if_it_were_meant(alice, template, wrong):
    options = {"template": "ORDER_CREATED", "recipients": [alice], "variables": VARIABLES, **wrong}
    with pytest.raises(PublishError) as meant:
        publish_batch_notification(**options)

    with pytest.raises(type(meant.value)) as dry:
        publish_batch_notification(**options, dry_run=True)
    assert str(dry.value) == str(meant.value)


def test_an_audience_that_is_no_queryset_of_users_is_refused(template):
    registry.audience("wrong")(Category.objects.all)

    with pytest.raises(PublishError, match="The audience 'wrong' is a queryset of Category"):
        run(audience="wrong")
    with pytest.raises(UnknownAudience):
        run(audience="wrongs")


@pytest.mark.parametrize("number", [1, 12], ids=["an event", "a broadcast"])
def test_a_key_that_stands_for_an_event_already_is_told(template, settings, number):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "CHUNK_SIZE": 5}
    crowd = users(number)
    batch = publish_batch_notification("ORDER_CREATED", recipients=crowd, variables=VARIABLES, idempotency_key="k")

    assert run(crowd, idempotency_key="k").repeats == batch.event_ids[0]
    assert run(crowd, idempotency_key="another").repeats is None
    with pytest.raises(IdempotencyConflict):
        run(crowd, idempotency_key="k", about="orders.order:1")


def test_the_key_of_an_audience_is_known_too(alice, template):
    registry.audience("everybody")(get_user_model().objects.all)
    publish_batch_notification("ORDER_CREATED", audience="everybody", variables=VARIABLES, idempotency_key="k")

    assert run(audience="everybody", idempotency_key="k").repeats is not None
    with pytest.raises(IdempotencyConflict):
        run([alice], idempotency_key="k")


def test_a_guard_that_raises_raises_here(alice, template, monkeypatch):
    monkeypatch.setattr(registry, "_guards", {})

    @registry.still_valid("broken")
    def broken(said):
        raise RenderError(said.template)

    Template.objects.update(still_valid="broken")

    with pytest.raises(RenderError, match="ORDER_CREATED"):
        run([alice])


def test_what_names_nobody_is_rendered_once(template, monkeypatch):
    make_template("SALE", contents={("email", ""): CONTENTS["in_app", ""]})
    rendered = []
    render_event = wording.render_event

    def counted(content, event, *, reader):
        rendered.append(content)
        return render_event(content, event, reader=reader)

    monkeypatch.setattr(wording, "render_event", counted)

    run(users(120), template="SALE")

    assert len(rendered) == 1
