"""`manage.py explain_notification` says why, and what is wrong with the question."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from notifications.models import Delivery, Preference, RecipientSettings
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.types import Priority

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = "orders.order:42"


@pytest.fixture(autouse=True)
def told(alice, template):
    """Alice was told of an order; she wants no text messages, and lives in Berlin."""
    RecipientSettings.objects.update(time_zone="Europe/Berlin")
    Preference.objects.create(recipient=alice, category_id="orders", channel="sms", cadence="off")
    with time_machine.travel(NOW, tick=False):
        publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "1"}, about=ORDER)
        dispatch_batch(Priority.LOW, more=lambda: None)
        yield


def run(*args, user="alice", template="ORDER_CREATED"):
    out = StringIO()
    call_command("explain_notification", "--user", user, "--template", template, *args, stdout=out)
    return out.getvalue()


def test_what_is_on_record_and_what_would_be_now_are_told_apart():
    assert run("--about", ORDER).splitlines() == [
        "ORDER_CREATED to alice, about orders.order:42",
        "",
        "On record",
        "  Notified at 2026-03-01 13:00:00 CET about orders.order:42",
        "    in-app: sent, at 2026-03-01 13:00:00 CET",
        "    e-mail: pending, due at 2026-03-01 13:00:00 CET",
        "    text message: suppressed, the recipient switched this category off, at 2026-03-01 13:00:00 CET",
        "",
        "Re-evaluated now, with today's data",
        "  An event like the latest on record, of 2026-03-01 13:00:00 CET, published now:",
        "    in-app: sent at once (immediately, decided by: the default of the category)",
        "    e-mail: sent at once (immediately, decided by: the default of the category)",
        "    text message: not sent, because the recipient switched this category off (never, decided by: the recipient's wish for the category)",
    ]


@pytest.mark.parametrize("name", ["alice", "ALICE@example.com", "pk"])
def test_a_user_is_named_by_username_address_or_key(alice, name):
    said = run(user=str(alice.pk) if name == "pk" else name)

    assert said.startswith("ORDER_CREATED to alice\n")


def test_who_was_told_nothing_is_told_why(charlie):
    said = run("--about", ORDER, user="charlie")

    assert "Events about orders.order:42 of which this user is not a recipient: 1" in said


def test_json_is_for_programs(alice):
    said = json.loads(run("--json", "--about", ORDER))

    assert (said["user"], said["template"], said["about"]) == (str(alice.pk), "ORDER_CREATED", ORDER)
    assert said["lines"][3].pop("row") == {
        "kind": "delivery",
        "id": str(Delivery.objects.get(channel="sms").pk),
    }
    assert said["lines"][3] == {
        "text": "text message: suppressed, the recipient switched this category off, at 2026-03-01 13:00:00 CET",
        "basis": "recorded",
        "channel": "sms",
        "state": "suppressed",
        "reason": "category_off",
        "at": "2026-03-01 12:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"user": "alicia"}, r"No user 'alicia' \(did you mean 'alice'\?\); pass a username"),
        ({"user": ""}, "No user ''"),
        ({"user": "99999999999999999999999"}, "No user '9999"),
        ({"template": "ORDER_CRATED"}, r"No template 'ORDER_CRATED' \(did you mean 'ORDER_CREATED'\?\)"),
    ],
    ids=["user", "nobody", "a key beyond all keys", "template"],
)
def test_what_there_is_not_is_refused_by_name(given, message):
    with pytest.raises(CommandError, match=message):
        run(**given)


def test_an_object_that_cannot_be_is_refused():
    with pytest.raises(CommandError, match="`about` has 201 characters"):
        run("--about", "x" * 201)


def test_several_users_are_listed(alice, bob):
    get_user_model().objects.create_user(str(alice.pk), email="bob@example.com")

    with pytest.raises(CommandError, match=rf"Several users are '{alice.pk}': {alice.pk} \(alice\), "):
        run(user=str(alice.pk))
    with pytest.raises(CommandError, match=r"Several users are 'bob@example\.com'"):
        run(user="bob@example.com")


def test_of_many_users_only_some_are_listed():
    model = get_user_model()
    model.objects.bulk_create(model(username=f"twin{number}", email="twin@example.com") for number in range(6))

    with pytest.raises(CommandError, match=r"\(twin4\), …\. Pass what only one of them has"):
        run(user="twin@example.com")


def test_the_command_wants_a_user_and_a_template():
    with pytest.raises(CommandError, match="--template"):
        call_command("explain_notification", "--user", "alice")
