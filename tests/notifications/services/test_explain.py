"""Why somebody got something or did not: in words, on record or asked again, for those without a row, too."""

from __future__ import annotations

import ast
import gettext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.utils import translation

from notifications import registry
from notifications.exceptions import UnknownTemplate
from notifications.models import (
    Attempt,
    Broadcast,
    Category,
    Delivery,
    Event,
    Notification,
    Preference,
    RecipientSettings,
    Template,
)
from notifications.pipeline import pausing
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import (
    cancel_broadcast,
    cancel_event,
    publish_batch_notification,
    publish_notification,
)
from notifications.services import pauses, recorded
from notifications.services.explain import explain, of_notification
from notifications.services.explanation import Basis
from notifications.types import BroadcastState, EventState, PauseScope, Priority, Reason
from tests.factories import make_broadcast, publish_version
from tests.notifications.test_locale import FOLDER

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
VARIABLES = {"order_number": "ORD-1"}
ORDER = "orders.order:42"


@pytest.fixture(autouse=True)
def traveller(monkeypatch):
    monkeypatch.setattr(registry, "_audiences", {})
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def publish(recipient, **options):
    return publish_notification("ORDER_CREATED", recipient=recipient, variables=VARIABLES, **options)


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def texts(recipient, basis=Basis.RECORDED, about="", **options):
    explanation = explain(recipient, "ORDER_CREATED", about, now=datetime.now(UTC), **options)
    return [line.text for line in explanation.resting_on(basis)]


def verdicts(recipient, **options):
    """Return what the planner would say now, by channel."""
    return {line.channel: line for line in explain(recipient, "ORDER_CREATED", now=datetime.now(UTC), **options).lines
            if line.channel and line.basis == Basis.RE_EVALUATED}  # fmt: skip


LOST = (
    "It was never published, or its transaction was rolled back, which leaves no trace, or it is not kept any more: "
    "events are kept for 1 days after they are over, failed ones for 7, deliveries for 90."
)

# --- On record ------------------------------------------------------------------------------------------------------


def test_who_got_it_sees_each_delivery_with_its_reason(alice, template):
    Preference.objects.create(recipient=alice, category_id="orders", channel="sms", cadence="off")
    publish(alice, about=ORDER)
    dispatch()
    deliver_batch("email", more=lambda: None)

    assert texts(alice, about=ORDER) == [
        "Notified at 2026-03-01 12:00:00 UTC about orders.order:42",
        "in-app: sent, at 2026-03-01 12:00:00 UTC",
        "e-mail: sent, at 2026-03-01 12:00:00 UTC, tries: 1, the last one: sent",
        "text message: suppressed, the recipient switched this category off, at 2026-03-01 12:00:00 UTC",
    ]
    line = explain(alice, "ORDER_CREATED", ORDER, now=NOW).lines[3]
    assert (line.channel, line.state, line.reason, line.at) == ("sms", "suppressed", "category_off", NOW)


def test_what_waits_says_until_when_in_the_recipients_zone_and_never_where_to(alice, template):
    RecipientSettings.objects.update(time_zone="Europe/Berlin", quiet_hours={"daily": ["08:00-20:00"]})
    publish(alice, channels=["email"])
    dispatch()

    said = texts(alice)

    assert said == [
        "Notified at 2026-03-01 13:00:00 CET",
        "e-mail: pending, waiting for the end of the recipient's quiet hours, due at 2026-03-01 20:00:00 CET",
    ]
    assert "alice@example.com" not in str(explain(alice, "ORDER_CREATED", now=NOW))


def test_of_several_tries_the_last_one_is_told_without_its_words(alice, template):
    publish(alice, channels=["email"])
    dispatch()
    row = Delivery.objects.get()
    for number, outcome in [(1, "ambiguous"), (2, "transient")]:
        Attempt.objects.create(
            delivery=row, number=number, started_at=NOW, duration=HOUR, outcome=outcome, detail="secret"
        )
    Delivery.objects.update(attempts=2, reason=Reason.RETRY)

    assert texts(alice)[1] == (
        "e-mail: pending, waiting for the next try, due at 2026-03-01 12:00:00 UTC, tries: 2, "
        "the last one: failed, will be tried again"
    )


def test_only_the_latest_notifications_are_shown(alice, template, monkeypatch):
    monkeypatch.setattr(recorded, "SHOWN", 2)
    for _ in range(3):
        publish(alice, channels=["in_app"])
        dispatch()

    said = texts(alice)

    assert [text.split(" at ")[0] for text in said] == ["Notified", "in-app: sent,"] * 2 + [
        "Older notifications are left out."
    ]


def test_another_object_and_another_template_are_left_out(alice, template):
    publish(alice, about="orders.order:43", channels=["in_app"])
    dispatch()

    assert texts(alice, about=ORDER) == [f"No event about {ORDER} that names this user is on record.", LOST]


def test_deliveries_that_retention_took_are_said_to_be_gone(alice, template):
    publish(alice, channels=["in_app"])
    dispatch()
    Delivery.objects.all().delete()

    assert texts(alice)[1] == "Nothing of its deliveries is on record; they are kept for 90 days."


def test_deliveries_outlive_the_inbox_item(alice, template):
    publish(alice, about=ORDER, channels=["in_app"])
    publish(alice, about="orders.order:43", channels=["in_app"])
    dispatch()
    Notification.objects.all().delete()

    assert texts(alice).count("in-app: sent, at 2026-03-01 12:00:00 UTC") == 2
    assert texts(alice, about=ORDER)[0] == "in-app: sent, at 2026-03-01 12:00:00 UTC"
    assert texts(alice, about=ORDER)[1].startswith("An event for this user was dispatched at")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"due_at": NOW + HOUR}, "waits until 2026-03-01 13:00:00 UTC."),
        ({}, "has been due since 2026-03-01 12:00:00 UTC, and waits for a worker."),
        ({"state": "dispatching", "lease_token": "0" * 32, "lease_until": NOW}, "is being dispatched."),
        ({"state": "cancelled", "finished_at": NOW}, "was cancelled at 2026-03-01 12:00:00 UTC."),
        ({"state": "expired", "finished_at": NOW}, "expired at 2026-03-01 12:00:00 UTC, before it was dispatched."),
        (
            {"state": "failed", "finished_at": NOW, "last_error": "ZeroDivisionError: 100 %"},
            "could not be dispatched at 2026-03-01 12:00:00 UTC: ZeroDivisionError: 100 %",
        ),
        (
            {"state": "dispatched", "finished_at": NOW},
            "was dispatched at 2026-03-01 12:00:00 UTC, but there is no notification: it is not kept any more, or the user was not there yet.",
        ),
    ],
    ids=["later", "due", "dispatching", "cancelled", "expired", "failed", "dispatched"],
)
def test_an_event_that_made_no_notification_says_where_it_is(alice, template, changes, text):
    publish(alice)
    Event.objects.update(**changes)

    assert texts(alice) == [f"An event for this user {text}"]
    state = changes.get("state", "pending")
    assert explain(alice, "ORDER_CREATED", now=NOW).lines[0].state == state


def test_only_the_latest_events_are_shown(alice, template, monkeypatch):
    monkeypatch.setattr(recorded, "SHOWN", 1)
    for _ in range(2):
        cancel_event(publish(alice).id)

    assert texts(alice) == [
        "An event for this user was cancelled at 2026-03-01 12:00:00 UTC.",
        "Older events for this user are left out.",
    ]


def test_who_is_no_recipient_is_told_so(alice, bob, template):
    for _ in range(3):
        publish(bob, about=ORDER)

    assert texts(alice, about=ORDER) == [
        f"Events about {ORDER} of which this user is not a recipient: 3",
        f"No event about {ORDER} that names this user is on record.",
        LOST,
    ]


def test_a_key_is_not_found_inside_another(alice, template):
    event = publish(alice)
    Event.objects.filter(pk=event.id).update(recipients=[f"1{alice.pk}"])

    assert texts(alice)[0].startswith("Events about ORDER_CREATED of which this user is not a recipient")


def test_who_has_no_row_at_all_is_told_what_that_may_mean(alice, template, settings):
    assert texts(alice) == ["No event about ORDER_CREATED that names this user is on record.", LOST]

    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RETENTION_EVENTS_DAYS": 2.5, "RETENTION_DELIVERIES_DAYS": 30}
    assert "kept for 2.5 days after they are over, failed ones for 7, deliveries for 30." in texts(alice)[1]


def test_emptied_events_and_those_beyond_the_bound_are_owned_up_to(alice, bob, template, monkeypatch, traveller):
    monkeypatch.setattr(recorded, "EVENTS", 2)
    for person in (alice, bob, bob):
        publish(person)
        traveller.shift(HOUR)
    newest = Event.objects.first()
    assert newest is not None
    Event.objects.filter(pk=newest.pk).update(
        emptied_at=NOW, recipients=[], variables={}, state="dispatched", finished_at=NOW
    )

    assert texts(alice)[:3] == [
        "Events about ORDER_CREATED of which this user is not a recipient: 1",
        "Events about ORDER_CREATED whose recipients are no longer kept: 1",
        "Only the newest 2 events were looked at; older ones may name this user.",
    ]


def test_looking_takes_a_bounded_number_of_queries(alice, bob, template, django_assert_max_num_queries, monkeypatch):
    for number in range(30):
        publish(alice if number % 2 else bob)
    dispatch()
    # The pauses are read once, however slow the machine is.
    monkeypatch.setattr(pausing, "MAX_AGE", 3600)
    pausing.forget()

    with django_assert_max_num_queries(24):
        texts(alice)


# --- Broadcasts -----------------------------------------------------------------------------------------------------


@pytest.fixture
def everybody():
    """Register an audience of everybody but Charlie."""
    registry.audience("everybody")(lambda: get_user_model().objects.exclude(username="charlie"))
    return "everybody"


def of_audience(recipient):
    """Return what is said of a broadcast to an audience: on record, and asked again."""
    lines = explain(recipient, "ORDER_CREATED", now=NOW).lines
    return [(line.text, line.basis) for line in lines if "audience" in line.text]


def test_an_audience_that_waits_says_whether_the_user_is_in_it(alice, charlie, template, everybody):
    publish_batch_notification("ORDER_CREATED", audience=everybody, variables=VARIABLES, delay=HOUR)
    waits = "A broadcast to the audience everybody is not expanded yet; due at 2026-03-01 13:00:00 UTC."

    for person, word in [(alice, "in"), (charlie, "not in")]:
        assert of_audience(person) == [
            (waits, Basis.RECORDED),
            (f"This user is {word} the audience everybody.", Basis.RE_EVALUATED),
        ]


def test_the_one_who_holds_the_key_of_an_audience_is_no_event_of_others(alice, template, everybody):
    publish_batch_notification("ORDER_CREATED", audience=everybody, variables=VARIABLES, idempotency_key="k")

    assert not any("not a recipient" in text for text in texts(alice))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"state": BroadcastState.EXPANDED}, ": expanded at 2026-03-01 12:00:00 UTC."),
        ({"state": BroadcastState.EXPIRED}, ": expired at 2026-03-01 12:00:00 UTC."),
        (
            {"state": BroadcastState.FAILED, "last_error": "ValueError: x"},
            " could not be expanded at 2026-03-01 12:00:00 UTC: ValueError: x",
        ),
        (
            {"state": BroadcastState.EXPANDED, "cancelled_at": NOW + HOUR},
            " was cancelled at 2026-03-01 13:00:00 UTC.",
        ),
    ],
    ids=["expanded", "expired", "failed", "cancelled after"],
)
def test_a_broadcast_that_is_over_says_how(alice, template, everybody, changes, text):
    make_broadcast(template, audience=everybody, **changes)

    assert of_audience(alice)[0] == (f"A broadcast to the audience everybody{text}", Basis.RECORDED)


def test_a_cancelled_broadcast_is_told(alice, template, everybody):
    batch = publish_batch_notification("ORDER_CREATED", audience=everybody, variables=VARIABLES)
    assert batch.broadcast_id is not None
    cancel_broadcast(batch.broadcast_id)

    assert texts(alice)[0] == "A broadcast to the audience everybody was cancelled at 2026-03-01 12:00:00 UTC."


def test_an_audience_that_cannot_be_asked_is_told(alice, template):
    make_broadcast(template, audience="gone")
    registry.audience("broken")(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    make_broadcast(template, audience="broken")

    said = sorted(text for text, basis in of_audience(alice) if basis == Basis.RE_EVALUATED)

    assert said[0] == "The audience broken cannot be asked: ZeroDivisionError: division by zero"
    assert said[1].startswith("The audience gone cannot be asked: UnknownAudience: No audience 'gone'")


def test_a_paused_broadcast_is_told(alice, template, everybody):
    row = make_broadcast(template, audience=everybody)
    publish(alice)
    Event.objects.update(broadcast=row)
    pauses.pause(PauseScope.BROADCAST, str(row.pk), now=NOW)

    assert texts(alice).count("Its broadcast is paused.") == 2
    Event.objects.update(state=EventState.CANCELLED, finished_at=NOW)
    Broadcast.objects.update(state=BroadcastState.CANCELLED, finished_at=NOW, cancelled_at=NOW)
    assert "Its broadcast is paused." not in texts(alice)


# --- Asked again ----------------------------------------------------------------------------------------------------


def test_without_obstacles_all_is_sent_at_once_by_default(alice, template):
    assert texts(alice, Basis.RE_EVALUATED) == [
        "An event with the template's samples, published now:",
        "in-app: sent at once (immediately, decided by: the default of the category)",
        "e-mail: sent at once (immediately, decided by: the default of the category)",
        "text message: sent at once (immediately, decided by: the default of the category)",
    ]


def test_the_level_that_decided_is_named(alice, template):
    Preference.objects.create(recipient=alice, category_id="orders", channel="email", cadence="off")
    Preference.objects.create(recipient=alice, template=template, channel="sms", cadence="off")

    found = verdicts(alice)

    off = "e-mail: not sent, because the recipient switched this category off (never, decided by: the recipient's wish for the category)"
    assert found["email"].text == off
    assert (found["email"].state, found["email"].reason) == ("suppressed", Reason.CATEGORY_OFF)
    assert found["sms"].text.endswith("(never, decided by: the recipient's wish for this kind of message)")
    Category.objects.update(required=True)
    assert verdicts(alice)["sms"].text.endswith("(immediately, decided by: the category is required)")


def test_quiet_hours_and_the_cap_are_asked_about(alice, bob, template):
    RecipientSettings.objects.filter(recipient=alice).update(
        time_zone="Europe/Berlin", quiet_hours={"daily": ["08:00-20:00"]}
    )
    until = NOW.replace(hour=19)

    found = verdicts(alice)["email"]
    assert (found.state, found.reason, found.at) == ("pending", Reason.QUIET_HOURS, until)
    assert found.text.startswith("e-mail: not before 2026-03-01 20:00:00 CET: waiting for the end of")
    Category.objects.update(daily_cap=1)
    publish(alice)
    dispatch()
    assert verdicts(alice)["email"].reason == Reason.FREQUENCY_CAP
    assert verdicts(bob)["email"].reason == ""


def test_pauses_in_force_are_told(alice, template):
    for scope, key in [("everything", ""), ("template", "ORDER_CREATED"), ("channel", "email")]:
        pauses.pause(PauseScope(scope), key, now=NOW)
    pauses.pause(PauseScope.BACKEND, "notifications.channels.sms.ConsoleSms", now=NOW)

    assert texts(alice, Basis.RE_EVALUATED)[-4:] == [
        "Paused at the moment: everything",
        "Paused at the moment: a template",
        "e-mail: paused at the moment: a channel",
        "text message: paused at the moment: a backend",
    ]


def test_what_is_asked_again_is_like_the_latest_event(alice, bob, template, traveller):
    publish(alice, channels=["email"], priority="urgent", about=ORDER)
    traveller.shift(HOUR)
    publish(bob, channels=["sms"])
    RecipientSettings.objects.filter(recipient=alice).update(quiet_hours={"daily": ["08:00-20:00"]})

    assert list(verdicts(alice)) == ["email"]
    assert verdicts(alice)["email"].reason == ""
    assert texts(alice, Basis.RE_EVALUATED)[0] == (
        "An event like the latest on record, of 2026-03-01 12:00:00 UTC, published now:"
    )
    assert verdicts(alice, channels=["sms"], priority=Priority.LOW)["sms"].reason == Reason.QUIET_HOURS


def test_an_emptied_event_lends_its_channels_and_not_its_words(alice, template):
    publish(alice, channels=["in_app"])
    Event.objects.update(emptied_at=NOW, variables={}, state="dispatched", finished_at=NOW)

    assert {name: line.state for name, line in verdicts(alice).items()} == {"in_app": "sent"}


def test_a_disabled_or_unpublished_template_is_told(alice, template):
    Template.objects.update(disabled_at=NOW)
    assert {line.reason for line in verdicts(alice).values()} == {Reason.TEMPLATE_DISABLED}

    Template.objects.update(live_version=None)
    assert texts(alice, Basis.RE_EVALUATED)[1:] == [
        "There is no channel to tell it by: the template has no published wording."
    ]


def test_words_that_cannot_be_rendered_are_told(alice, template):
    publish_version(template, {("in_app", ""): {"title": "x", "body": "{{ order_number|floatformat:'x' }}"}})

    found = verdicts(alice)["in_app"]
    assert (found.state, found.reason) == ("failed", Reason.RENDER_ERROR)
    assert found.text.startswith("in-app: would fail, because the wording could not be rendered")


def test_a_guard_that_raises_is_told(alice, template, monkeypatch):
    monkeypatch.setattr(registry, "_guards", {})
    registry.still_valid("broken")(lambda said: said.variables["nothing"])
    Template.objects.update(still_valid="broken")

    assert texts(alice, Basis.RE_EVALUATED)[1:] == ["It would fail: KeyError: 'nothing'"]


def test_an_unknown_template_is_refused_by_name(alice, template):
    with pytest.raises(UnknownTemplate, match="did you mean 'ORDER_CREATED'"):
        explain(alice, "ORDER_CRATED", now=NOW)


def test_it_speaks_the_language_that_is_active(alice, template):
    with translation.override("de"):
        assert (
            verdicts(alice)["email"].text
            == "E-Mail: sofort gesendet (sofort, entschieden durch: die Vorgabe der Kategorie)"
        )


# --- One inbox item -------------------------------------------------------------------------------------------------


def test_an_inbox_item_is_explained_by_its_own_deliveries(alice, template):
    publish(alice, about=ORDER, channels=["in_app", "email"])
    publish(alice)
    dispatch()
    item = Notification.objects.get(about=ORDER)

    explanation = of_notification(item, now=NOW)

    assert [(line.text, line.basis) for line in explanation.lines] == [
        ("Notified at 2026-03-01 12:00:00 UTC about orders.order:42", Basis.RECORDED),
        ("in-app: sent, at 2026-03-01 12:00:00 UTC", Basis.RECORDED),
        ("e-mail: pending, due at 2026-03-01 12:00:00 UTC", Basis.RECORDED),
    ]


def test_what_of_it_waits_says_that_it_is_paused(alice, template):
    publish(alice, channels=["in_app", "email"])
    dispatch()
    item = Notification.objects.get()
    pauses.pause(PauseScope.CHANNEL, "email", now=NOW)

    last = of_notification(item, now=NOW).lines[-1]
    assert (last.text, last.basis) == ("e-mail: paused at the moment: a channel", Basis.RE_EVALUATED)
    Delivery.objects.filter(channel="email").update(state="expired", finished_at=NOW)
    assert of_notification(item, now=NOW).lines[-1].state == "expired"


def test_every_word_of_an_explanation_has_its_german():
    sources = [Path(recorded.__file__).with_name(f"{name}.py") for name in ("explanation", "recorded", "reevaluated")]
    calls = [
        node
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    said = {ast.literal_eval(call.args[0]) for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_"}

    assert len(said) > 40
    with (FOLDER / "django.mo").open("rb") as file:
        assert said <= gettext.GNUTranslations(file)._catalog.keys()  # type: ignore[attr-defined]


def test_what_the_provider_told_afterwards_is_told_in_its_order(alice, template):
    publish(alice, channels=["email"])
    dispatch()
    deliver_batch("email", more=lambda: None)
    Delivery.objects.update(bounced_at=NOW + 3 * HOUR, delivered_at=NOW + HOUR, opened_at=NOW + 2 * HOUR)

    assert texts(alice)[1] == (
        "e-mail: sent, at 2026-03-01 12:00:00 UTC, tries: 1, the last one: sent, delivered at 2026-03-01 13:00:00 UTC, "
        "opened at 2026-03-01 14:00:00 UTC, bounced at 2026-03-01 15:00:00 UTC"
    )
