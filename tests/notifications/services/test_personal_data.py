"""Exporting and erasing: every table of ours is looked at, so that a new one cannot be forgotten."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from notifications import ids
from notifications.models import (
    Attempt,
    Category,
    ConsentChange,
    Delivery,
    Digest,
    Endpoint,
    Erasure,
    Event,
    FrequencyCount,
    Mute,
    Notification,
    Preference,
    ProviderEvent,
    RecipientSettings,
    Suppression,
)
from notifications.pipeline import claiming
from notifications.pipeline.dispatch import dispatch_batch
from notifications.pipeline.suppressing import Unusable, suppress, suppressed
from notifications.publishing import publish_batch_notification, publish_notification
from notifications.services import erasing, personal_data, redrive
from notifications.services.audit import audit
from notifications.services.failed import Selection
from notifications.services.personal_export import export
from notifications.types import DeliveryState, ErasureStep, EventState, Priority, Reason, SuppressionSource
from tests.factories import make_endpoint

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
#: What is Quagga's alone, wherever it stands.
MARKS = ("quagga", "49309876543", "Zebra")
MODELS = list(apps.get_app_config("notifications").get_models())


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def quagga(db):
    """Somebody of whom there is something in every table."""
    user = get_user_model().objects.create_user("quagga", email="Quagga@example.com", first_name="Zebra")
    RecipientSettings.objects.create(recipient=user, phone="+49309876543")
    return user


def publish(recipients, said, **options):
    variables = {"order_number": said}
    if isinstance(recipients, list):
        return publish_batch_notification("ORDER_CREATED", recipients=recipients, variables=variables, **options)
    return publish_notification("ORDER_CREATED", recipient=recipients, variables=variables, **options)


def dispatch():
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


@pytest.fixture
def lived(quagga, alice, admin_user, template):
    """Fill every table: alone, together with Alice, told, waiting, suppressed, direct."""
    publish(quagga, "for Quagga only", about="zoo.quagga:1", action_url="/zebra/quagga", idempotency_key="hi-quagga")
    for _ in range(2):
        publish([quagga, alice], "for both", idempotency_key=str(ids.uuid7()))
    dispatch()
    publish(quagga, "Quagga, who waits", delay=timedelta(days=1))
    publish([quagga, alice], "for both who wait", delay=timedelta(days=1))
    sent = Delivery.objects.filter(recipient=quagga, channel="email").order_by("pk")[0]
    Delivery.objects.filter(pk=sent.pk).update(
        state="failed", finished_at=NOW, attempts=1, last_error="no quagga there", provider_message_id="quagga-1"
    )
    Attempt.objects.create(
        delivery=sent, number=1, started_at=NOW, duration=timedelta(), outcome="permanent", detail="550 quagga"
    )
    ProviderEvent.objects.create(
        delivery=sent, provider="esp", event_id="quagga-1", kind="bounced", at=NOW, received_at=NOW
    )
    for address in ("QUAGGA@example.com", "nobody@example.com"):
        Delivery.objects.create(
            channel="email", address=address, content={"body": f"Dear {address}"}, created_at=NOW, due_at=NOW
        )
    found = Unusable(channel="email", address="quagga@example.com", reason=Reason.HARD_BOUNCE)
    suppress([found], source=SuppressionSource.PROVIDER, now=NOW)
    Suppression.objects.update(lift_reason="Zebra wrote")
    orders = Category.objects.get()
    Digest.objects.create(
        recipient=quagga, channel="email", category=orders, key="zoo:quagga", opened_at=NOW, due_at=LATER
    )
    FrequencyCount.objects.create(recipient=quagga, category=orders, day=NOW.date(), number=3)
    Preference.objects.create(recipient=quagga, category=orders, channel="sms", cadence="off")
    Mute.objects.create(recipient=quagga, about="zoo.quagga:2", created_at=NOW)
    make_endpoint(
        quagga, label="Quagga's phone", address={"endpoint": "https://push/quagga", "keys": {"auth": "s3cr3t"}}
    )
    ConsentChange.objects.create(recipient=quagga, subject="about:zoo.quagga:2", source="api", changed_at=NOW)
    for row in (quagga, Notification.objects.filter(recipient=quagga)[0], sent):
        LogEntry.objects.create(
            user=admin_user,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr="Zebra's",
            action_flag=CHANGE,
            change_message="changed for quagga",
        )
    return quagga


def written(row):
    """Return all there is in a row, as text."""
    values = {field.name: field.value_from_object(row) for field in row._meta.concrete_fields}
    return json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False).casefold()


def traces(user, models):
    """Return where something of a person is found: in words, as a key, or as a name among recipients."""
    found = set()
    for model in models:
        for row in model._default_manager.all():
            if any(mark.casefold() in written(row) for mark in MARKS):
                found.add(model.__name__)
            found |= {f"{model.__name__}.{name}" for name in keys_to_people(model) if getattr(row, name) == user.pk}
            found |= {"Event.recipients"} & (
                {"Event.recipients"} if str(user.pk) in getattr(row, "recipients", ()) else set()
            )
    return found


def keys_to_people(model):
    user = get_user_model()
    return [field.attname for field in model._meta.concrete_fields if field.related_model is user]


def erase(user, **options):
    erasure = erasing.request(user, by=None, note="Ticket 7", now=LATER, **options)
    erasing.hurry(erasure, now=LATER)
    return erasure


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_says_whether_it_holds_anything_about_people(model):
    lists = (personal_data.OWNED, personal_data.IMPERSONAL, {Event: "found by naming"})

    assert sum(model in known for known in lists) == 1, f"Put {model.__name__} into one list of personal_data."


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_to_a_user_is_a_recipient_or_who_did_it(model):
    for name in keys_to_people(model):
        field = name.removesuffix("_id")
        assert personal_data.OWNED.get(model) == field or f"{model.__name__}.{field}" in personal_data.ACTORS


def test_the_person_of_these_tests_is_in_every_table_that_can_hold_one(lived):
    """Otherwise the next test would look for nothing in some of them."""
    found = {name.partition(".")[0] for name in traces(lived, MODELS)}
    found |= {
        model.__name__ for model in personal_data.OWNED if personal_data.owned(model, personal_data.person(lived))
    }

    assert found == {model.__name__ for model in personal_data.OWNED} | {"Event"}


def test_nothing_of_them_is_left_anywhere(lived):
    erasure = erase(lived)

    assert erasure.finished_at == LATER
    assert traces(lived, [*MODELS, LogEntry]) == set()


def test_what_they_count_for_stays(lived, alice):
    def numbers():
        return sorted(map(str, Delivery.objects.values_list("channel", "state", "template"))), Attempt.objects.count()

    Delivery.objects.filter(state="pending").update(state="cancelled", finished_at=NOW)
    before = numbers()

    erase(lived)

    assert numbers() == before
    assert Notification.objects.count() == Notification.objects.filter(recipient=alice).count() == 2


def test_others_lose_nothing(lived, alice):
    Preference.objects.create(recipient=alice, category_id="orders", channel="sms", cadence="off")
    before = [written(row) for row in Notification.objects.filter(recipient=alice).order_by("pk")]
    waiting = Delivery.objects.filter(recipient=alice, state="pending").count()

    erase(lived)

    assert [written(row) for row in Notification.objects.filter(recipient=alice).order_by("pk")] == before
    assert Delivery.objects.filter(recipient=alice, state="pending").count() == waiting > 0
    assert Preference.objects.get().recipient == alice
    assert Delivery.objects.get(address="nobody@example.com").state == "pending"
    shared = Event.objects.filter(recipients=[str(alice.pk)])
    assert {event.variables["order_number"] for event in shared} == {"for both", "for both who wait"}


def test_what_waits_is_called_back_at_once(lived, traveller):
    erasing.request(lived, by=None, note="", now=LATER)

    waiting = Delivery.objects.filter(recipient=lived, state="pending")
    assert not waiting.exists()
    assert Delivery.objects.filter(recipient=lived, reason=Reason.RECIPIENT_ERASED, state="cancelled").exists()


def test_what_was_to_be_told_later_is_not_told(lived, alice, traveller):
    erase(lived)
    traveller.shift(timedelta(days=2))
    dispatch()

    assert not Notification.objects.exclude(recipient=alice).exists()
    assert Notification.objects.filter(recipient=alice, title__contains="who wait").exists()
    assert Event.objects.get(recipients=[], state=EventState.CANCELLED).variables == {}


def test_the_audit_finds_nothing_missing(lived):
    Delivery.objects.filter(state="failed").update(attempts=0)
    assert audit(now=LATER).findings == ()

    erase(lived)

    assert audit(now=LATER).findings == ()


def test_the_audit_is_content_with_somebody_who_was_told_by_no_channel(quagga, template):
    publish(quagga, "1", channels=["in_app"])
    dispatch()
    Delivery.objects.all().delete()
    Event.objects.update(planned_count=0)

    erase(quagga)

    assert audit(now=LATER).findings == ()


def test_what_failed_cannot_be_sent_round_again(lived):
    Delivery.objects.filter(recipient=lived, channel="email").update(state="failed", finished_at=NOW)
    erase(lived)

    redrive.redrive(Selection(), now=LATER)

    assert not Delivery.objects.filter(recipient=None, state="pending").exclude(address="nobody@example.com").exists()


def test_a_suppressed_address_stays_suppressed(lived):
    erase(lived)

    row = Suppression.objects.get()
    assert (row.recipient, row.address) == (None, "")
    assert suppressed([("email", "quagga@example.com")], now=LATER)


@pytest.mark.parametrize("never_write", [True, False])
def test_the_addresses_are_taken_out_of_use_if_asked_for(quagga, template, never_write):
    erase(quagga, never_write=never_write)

    places = [("email", "quagga@example.com"), ("sms", "+49309876543")]
    assert suppressed(places, now=LATER) == (frozenset(places) if never_write else frozenset())
    assert traces(quagga, MODELS) == set()


def test_what_a_provider_is_being_called_for_is_left_until_it_is_over(lived):
    held = Delivery.objects.filter(recipient=lived, channel="sms")[:1].get()
    Delivery.objects.filter(pk=held.pk).update(
        state="sending", finished_at=None, lease_token=ids.uuid7(), lease_until=LATER
    )
    erasure = erase(lived)

    held.refresh_from_db()
    assert held.lease_token is not None
    assert (held.state, held.address, held.recipient) == ("sending", "+49309876543", lived)
    assert erasure.step == ErasureStep.NOTIFICATIONS
    assert claiming.settle(Delivery, held.pk, held.lease_token, now=LATER, state=DeliveryState.SENT)

    erasing.hurry(erasure, now=LATER)

    assert erasure.step == ErasureStep.DONE
    assert traces(lived, MODELS) == set()


def test_an_event_that_is_being_dispatched_is_waited_for(lived):
    held = Event.objects.filter(state="pending")[:1].get()
    Event.objects.filter(pk=held.pk).update(state="dispatching", lease_token=ids.uuid7(), lease_until=LATER)
    erasure = erase(lived)

    assert erasure.step == ErasureStep.EVENTS
    claiming.reclaim(Event, now=LATER + timedelta(seconds=1), limit=10)
    erasing.hurry(erasure, now=LATER)

    assert traces(lived, MODELS) == set()


def test_it_is_done_bit_by_bit_and_goes_on_where_it_was(lived, monkeypatch):
    monkeypatch.setattr(personal_data, "WINDOW", 3)
    monkeypatch.setattr(personal_data, "FOUND", 1)
    erasure = erasing.request(lived, by=None, note="", now=LATER)
    rounds = 0
    while erasing.proceed(Erasure.objects.get(pk=erasure.pk), now=LATER, limit=1):
        rounds += 1

    assert rounds > 10
    assert traces(lived, MODELS) == set()


def test_asked_for_twice_it_is_one(quagga):
    erasing.request(quagga, by=None, note="", now=LATER)

    with pytest.raises(erasing.WrongErasure, match="already"):
        erasing.request(quagga, by=None, note="", now=LATER)


def test_it_goes_on_when_the_account_is_gone(lived):
    erasure = erasing.request(lived, by=None, note="", now=LATER)
    key = lived.pk
    lived.delete()
    erasing.hurry(erasure, now=LATER)
    lived.pk = key

    # A key of an event that names them cannot be known any more; everything else can.
    Event.objects.filter(idempotency_key="hi-quagga").update(idempotency_key=None)
    assert traces(lived, MODELS) == set()


def document(user):
    return json.loads("".join(export(user, now=LATER)))


def test_everything_is_exported(lived, alice):
    told = document(lived)

    assert told["recipient"] == {
        "id": str(lived.pk), "username": "quagga", "email": "Quagga@example.com", "name": "Zebra"
    }  # fmt: skip
    models: list[type[Model]] = [*personal_data.OWNED, Event]
    for model in models:
        if model in (Attempt, ProviderEvent):
            continue
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in model.__name__).strip("_")
        found = Event.objects.filter(recipients__icontains=f'"{lived.pk}"') if model is Event else personal_data.owned(
            model, personal_data.person(lived)
        )  # fmt: skip
        assert len(told[name]) == found.count() > 0, name
    tried = [row for row in told["delivery"] if row["tries"]]
    assert [row["tries"][0]["detail"] for row in tried] == ["550 quagga"]
    assert [row["provider_events"][0]["kind"] for row in tried] == ["bounced"]
    assert [row["content"] for row in told["direct_delivery"]] == [{"body": "Dear QUAGGA@example.com"}]


def test_the_export_tells_nothing_of_others_and_no_secrets(lived, alice):
    text = "".join(export(lived, now=LATER))

    assert all(event["recipients"] == [str(lived.pk)] for event in json.loads(text)["event"])
    assert "alice" not in text.casefold()
    assert "nobody@example.com" not in text
    assert "s3cr3t" not in text
    assert "push/quagga" not in text
    assert json.loads(text)["endpoint"][0]["host"] == "push"


def test_a_large_inbox_is_exported_in_bits(quagga, template, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr("notifications.services.personal_export.BATCH", 10)
    for number in range(25):
        publish(quagga, str(number))
    dispatch()
    parts = export(quagga, now=LATER)

    with django_assert_max_num_queries(6):
        while '"notification": [' not in next(parts):
            pass
        next(parts)

    assert len(document(quagga)["notification"]) == 25


def test_somebody_of_whom_there_is_nothing_is_exported_too(charlie):
    assert [name for name, rows in document(charlie).items() if isinstance(rows, list) and rows] == []


def test_what_would_go_is_counted(lived):
    counted = erasing.foresee(lived)

    assert counted["notifications"] == 3
    assert Endpoint.objects.filter(recipient=lived).count() == counted["endpoints"] == 1
