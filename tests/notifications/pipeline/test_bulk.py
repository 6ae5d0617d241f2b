"""Set-wise reading and writing, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction

from notifications import ids
from notifications.models import Attempt, Delivery, Event, Notification
from notifications.pipeline import bulk, claiming
from notifications.types import DeliveryState, Outcome, Priority
from tests.factories import make_item

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def deliveries(number, **changes):
    blank = bulk.Blank(Delivery)
    fields = {"channel": "email", "created_at": NOW, "due_at": NOW, **changes}
    return [blank.filled_in(address=f"a{index}@example.com", **fields) for index in range(number)]


def claimed(number):
    bulk.insert(deliveries(number))
    return claiming.claim(
        Delivery, priorities=list(Priority), now=NOW, lease=NOW - NOW.replace(hour=11), limit=number, channel="email"
    )


@pytest.mark.parametrize("model", [Delivery, Event, Notification])
def test_a_form_has_the_defaults_of_the_model(model):
    by_form, by_model = bulk.Blank(model).filled_in(), model()

    # What is new with every row, and what only the database fills in.
    apart = {"id", "sort_key", "digest_key"}
    fields = [field.attname for field in model._meta.concrete_fields if field.attname not in apart]
    assert {name: getattr(by_form, name) for name in fields} == {name: getattr(by_model, name) for name in fields}


def test_rows_of_a_form_share_nothing_that_can_be_changed():
    blank = bulk.Blank(Event)
    first, second = blank.filled_in(), blank.filled_in()

    first.recipients.append("1")

    assert (second.recipients, first.pk == second.pk) == ([], False)


def test_rows_are_inserted_as_they_are(db, alice, template):
    [row] = deliveries(
        1, content={"title": 'Zoë\\ "\t"\n', "body": "\\N"}, recipient_id=alice.pk, priority=Priority.HIGH
    )
    row.last_error = "\\N"

    bulk.insert([row])

    found = Delivery.objects.get()
    assert (found.pk, found.content, found.last_error) == (row.pk, row.content, "\\N")
    assert (found.recipient, found.priority, found.state) == (alice, Priority.HIGH, DeliveryState.PENDING)
    assert (found.sent_at, found.due_at, found.started_at) == (None, NOW, None)


def test_what_the_database_numbers_is_numbered_by_it(db):
    bulk.insert(deliveries(2))
    blank = bulk.Blank(Attempt)
    tries = [
        blank.filled_in(delivery_id=pk, number=1, started_at=NOW, duration=NOW - NOW, outcome=Outcome.SENT)
        for pk in Delivery.objects.values_list("pk", flat=True)
    ]

    bulk.insert(tries)

    assert len(set(Attempt.objects.values_list("pk", flat=True))) == 2


def test_nothing_is_written_of_no_rows(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        bulk.insert([])
        assert bulk.update([], ["state"], token=uuid4()) == set()


def test_an_error_of_the_database_is_djangos(db, alice, template):
    item = make_item(alice, template)
    again = bulk.Blank(Notification).filled_in(
        event_id=item.event_id,
        recipient_id=alice.pk,
        template_id=template.pk,
        category_id=template.category_id,
        created_at=NOW,
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([again])


def test_one_row_is_inserted_as_by_save(db, template):
    blank = bulk.Blank(Event)
    event = blank.filled_in(
        template_id=template.pk, variables={"a": [1, None, "é"]}, created_at=NOW, due_at=NOW, digest_key=""
    )

    bulk.insert_one(event)

    found = Event.objects.get(pk=event.pk)
    assert (found.variables, found.channels, found.due_at) == ({"a": [1, None, "é"]}, None, NOW)
    # Known as stored: saving it again would be an update.
    assert not event._state.adding


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"priority": Priority.URGENT, "about": "orders.order:7", "action_url": "/100%/", "claims": 2},
        {"expires_at": NOW, "channels": ["email"], "duplicate_count": 3, "last_error": "It's %s."},
    ],
)
def test_one_row_has_what_is_usual_and_what_is_not(db, template, changes):
    given = {"template_id": template.pk, "created_at": NOW, "due_at": NOW, "digest_key": "", **changes}
    event, saved = bulk.Blank(Event).filled_in(**given), Event(**given)

    bulk.insert_one(event)
    saved.save(force_insert=True)

    rows = Event.objects.values()
    assert {**rows.get(pk=event.pk), "id": None} == {**rows.get(pk=saved.pk), "id": None}


def test_one_row_may_have_a_truth_that_is_not_usual(db):
    usual, test = deliveries(1) + deliveries(1, is_test=True)
    for row in (usual, test):
        bulk.insert_one(row)

    assert dict(Delivery.objects.values_list("pk", "is_test")) == {usual.pk: False, test.pk: True}


def test_of_the_rows_only_those_held_are_written_each_as_it_is(db, django_assert_num_queries):
    claim = claimed(3)
    mine, theirs, also_mine = claim.rows
    Delivery.objects.filter(pk=theirs.pk).update(lease_token=uuid4())
    for number, row in enumerate(claim.rows):
        row.state, row.sent_at, row.finished_at = DeliveryState.SENT, NOW, NOW
        row.provider_message_id, row.attempts = f"id-{number}", number + 1
        row.lease_token = row.lease_until = None
    names = ("state", "sent_at", "finished_at", "provider_message_id", "attempts", "lease_token", "lease_until")

    with django_assert_num_queries(1):
        written = bulk.update(claim.rows, names, token=claim.token)

    assert written == {mine.pk, also_mine.pk}
    found = {row.pk: row for row in Delivery.objects.all()}
    assert [(found[row.pk].provider_message_id, found[row.pk].attempts) for row in (mine, also_mine)] == [
        ("id-0", 1),
        ("id-2", 3),
    ]
    assert (found[theirs.pk].state, found[theirs.pk].provider_message_id) == (DeliveryState.SENDING, "")


def test_instants_and_nothing_differ_from_row_to_row(db):
    claim = claimed(2)
    first, second = claim.rows
    first.state, first.due_at, first.started_at = DeliveryState.PENDING, NOW.replace(hour=13), None
    second.state, second.due_at, second.started_at = DeliveryState.PENDING, NOW.replace(hour=14), NOW
    for row in claim.rows:
        row.lease_token = row.lease_until = None

    bulk.update(claim.rows, ("state", "due_at", "started_at", "lease_token", "lease_until"), token=claim.token)

    found = {row.pk: (row.due_at.hour, row.started_at) for row in Delivery.objects.all()}
    assert found == {first.pk: (13, None), second.pk: (14, NOW)}


@pytest.mark.parametrize("number", [0, 1, 3000])
def test_any_number_of_keys_is_one_parameter_where_there_are_arrays(db, number):
    keys = [ids.uuid7() for _ in range(number)]
    bulk.insert(deliveries(3, event_id=keys[0] if keys else ids.uuid7()))

    rows = Delivery.objects.filter(event_id__in=bulk.among(Delivery._meta.get_field("event_id"), keys))

    assert rows.count() == (3 if keys else 0)
    if connection.vendor == "postgresql":
        assert len(rows.query.sql_with_params()[1]) == 1


@pytest.mark.parametrize("number", [0, 2])
def test_of_what_is_fetched_only_the_columns_asked_for_are_there(db, template, number, django_assert_num_queries):
    blank = bulk.Blank(Event)
    said = [{"variables": {"n": index}, "created_at": NOW, "due_at": NOW, "digest_key": ""} for index in range(number)]
    made = [blank.filled_in(template_id=template.pk, **fields) for fields in said]
    bulk.insert(made)
    keys = bulk.among(Event._meta.pk, [event.pk for event in made])

    found = bulk.fetch(Event.objects.filter(pk__in=keys), ("variables", "created_at", "template_id"))

    with django_assert_num_queries(0):
        read = {event.pk: (event.variables, event.created_at, event.template_id) for event in found}
    assert read == {event.pk: (event.variables, NOW, template.pk) for event in made}
    with django_assert_num_queries(number):
        assert [event.due_at for event in found] == [NOW] * number


def test_users_are_found_by_their_keys(alice, bob):
    model = get_user_model()

    assert list(model.objects.filter(pk__in=bulk.among(model._meta.pk, {bob.pk}))) == [bob]
