"""`manage.py dry_run_notification` says whom it would reach, when, and in which words; and what is wrong with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from notifications import registry
from notifications.management.commands import dry_run_notification
from notifications.models import Event, RecipientSettings
from notifications.services import pauses
from notifications.types import PauseScope
from tests.factories import publish_version

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def customers(alice, bob, template, monkeypatch):
    """Register an audience of Alice, and Bob, whose evening has begun."""
    monkeypatch.setattr(registry, "_audiences", {})
    registry.audience("customers")(get_user_model().objects.all)
    RecipientSettings.objects.filter(recipient=bob).update(
        time_zone="Asia/Tokyo", quiet_hours={"daily": ["20:00-07:00"]}
    )
    with time_machine.travel(NOW, tick=False):
        yield


def run(*args, template="ORDER_CREATED"):
    out = StringIO()
    call_command("dry_run_notification", template, *args, stdout=out)
    return out.getvalue()


def test_it_says_whom_when_and_in_which_words(alice, bob):
    assert run("--audience", "customers", "--variables", '{"order_number": "7"}').splitlines() == [
        "ORDER_CREATED: 2 recipients, at 2026-03-01 12:00:00 UTC",
        "In 1 event; duplicates: 0, unknown: 0, inactive: 0",
        "channel   now   later   suppressed   failing   segments",
        "in_app      2       0            0         0          -",
        "email       1       1            0         0          -",
        "sms         1       0            1         0          1",
        "email, 2026-03-01 22:00:00 UTC: 1: waiting for the end of the recipient's quiet hours",
        "sms, suppressed: 1, the recipient has no address on this channel",
        "",
        f"in_app, en, to {alice.pk}",
        "  Order 7",
        "  We have it.",
        "",
        f"in_app, de-AT, to {bob.pk}",
        "  Bestellung 7",
        "  Sie ist da.",
        "",
        f"email, en, to {alice.pk}",
        "  Your order 7",
        "  Hello Alice, we have it.",
        "",
        f"email, de-AT, to {bob.pk}",
        "  Your order 7",
        "  Hello Bob, we have it.",
        "",
        f"sms, en, to {alice.pk}",
        "  Order 7 is here.",
        "",
        "Dry run: nothing was written. Caps and digests are estimates.",
    ]
    assert not Event.objects.exists()


def test_users_are_named_and_the_samples_stand_for_variables(bob):
    said = run("--user", "alice", "bob@example.com", str(bob.pk), "--channels", "email", "--priority", "urgent")

    assert "2 recipients" in said
    assert "duplicates: 1" in said
    assert "Your order ORD-1" in said
    assert "quiet hours" not in said


def test_json_is_for_programs(alice):
    said = json.loads(run("--user", "alice", "--json"))

    assert (said["template"], said["recipient_count"], said["repeats"]) == ("ORDER_CREATED", 1, None)
    assert said["channels"][1] == {
        "channel": "email",
        "going": [{"at": "2026-03-01 12:00:00+00:00", "reason": None, "number": 1}],
        "suppressed": {},
        "unworded": 0,
        "segments": 0,
        "paused": [],
    }
    assert said["samples"][2]["rendered"]["body"] == "Order ORD-1 is here."


def test_many_instants_are_summed_up(alice, bob, monkeypatch):
    monkeypatch.setattr(dry_run_notification, "SHOWN", 1)
    RecipientSettings.objects.filter(recipient=alice).update(quiet_hours={"daily": ["11:00-13:00"]})

    said = run("--audience", "customers", "--channels", "email")

    assert "email, 2026-03-01 13:00:00 UTC: 1: waiting" in said
    assert "email, after that: 1\n" in said


def test_pauses_are_told():
    pauses.pause(PauseScope.EVERYTHING, now=NOW)
    pauses.pause(PauseScope.CHANNEL, "email", now=NOW)

    said = run("--user", "alice")

    assert "Everything of it is paused at the moment: everything" in said
    assert "email is paused at the moment: a channel" in said


def test_words_that_cannot_be_rendered_are_told(template):
    publish_version(template, {("sms", ""): {"body": "{{ order_number|floatformat:'x' }}"}})

    said = run("--user", "alice")

    assert "sms         0       0            0         1          0" in said
    assert "The body (sms" in said


def test_nobody_is_no_error():
    registry.audience("nobody")(get_user_model().objects.none)

    assert run("--audience", "nobody").splitlines()[0] == "ORDER_CREATED: 0 recipients, at 2026-03-01 12:00:00 UTC"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--audience", "customer"], "No audience 'customer' .did you mean 'customers'"),
        (["--user", "alicia"], "No user 'alicia'"),
        (["--user", "alice", "--variables", "{order}"], "--variables is no JSON"),
        (["--user", "alice", "--variables", "[]"], "'order_number' is missing"),
        (["--user", "alice", "--variables", "[1]"], "`variables` is a list"),
        (["--user", "alice", "--variables", "{}"], "'order_number' is missing"),
        (["--user", "alice", "--channels", "emial"], "did you mean 'email'"),
        (["--user", "alice", "--priority", "soon"], "No priority 'soon'"),
        (["--user", "alice", "--audience", "customers"], "not allowed with"),
        ([], "--audience --user"),
    ],
    ids=["audience", "user", "json", "empty list", "list", "variables", "channel", "priority", "both", "neither"],
)
def test_what_cannot_be_published_is_refused_by_name(args, message):
    with pytest.raises(CommandError, match=message):
        run(*args)


def test_an_unknown_template_is_refused_by_name():
    with pytest.raises(CommandError, match="did you mean 'ORDER_CREATED'"):
        run("--user", "alice", template="ORDER_CRATED")
