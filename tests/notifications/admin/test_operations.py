"""Pauses, failures by cause and retention, as staff use them: each change asked for, permitted and written down."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection  # noqa: F401 - the conditions of skipif name it
from django.utils import timezone, translation
from django.utils.translation import gettext

from notifications.admin import paging, retention
from notifications.maintenance import pruner
from notifications.maintenance.pruner import Kept
from notifications.models import Delivery, Event, Pause
from notifications.services import pauses, table_sizes
from notifications.types import DeliveryState, EventState, PauseOrigin, PauseScope, Reason
from tests.notifications.pipeline.test_claiming import make_delivery, make_event
from tests.notifications.services.test_failure_groups import make_failure
from tests.plans import plans_of, reads_all

pytestmark = pytest.mark.django_db

PAUSES, FAILURES = "/admin/notifications/pause/", "/admin/notifications/pause/failures/"
RETENTION = "/admin/notifications/pause/retention/"
HOUR = timedelta(hours=1)


def text(answer):
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def begin(client, **given):
    return client.post(f"{PAUSES}begin/", {"what": "channel:sms", "note": "Provider is down", **given}, follow=True)


def test_a_channel_is_held_with_a_reason_and_written_down(admin_client, admin_user):
    make_delivery(channel="sms")

    page = text(begin(admin_client))

    held = Pause.objects.get()
    assert (held.scope, held.key, held.note, held.created_by) == ("channel", "sms", "Provider is down", admin_user)
    assert held.until is None
    assert "Held: text message." in page
    assert "1 × text message" in page
    assert "Provider is down" in LogEntry.objects.get().change_message


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"note": ""}, "This field is required."),
        ({"what": "channel:smss"}, "smss is not one of the available choices"),
        ({"what": ""}, "This field is required."),
        ({"until": "2020-01-01T12:00"}, "This is over already."),
        ({"until": "2099-01-01T12:00", "length": "60"}, "Say either how long or until when."),
        ({"until": "soon"}, "A time looks like"),
        ({"length": "7"}, "7 is not one of the available choices"),
        ({"note": "x" * 201}, "at most 200 characters"),
        ({"note": "\x00"}, "Null characters are not allowed"),
    ],
    ids=["no reason", "no such channel", "nothing", "over", "two ends", "no time", "no length", "long", "NUL"],
)
def test_what_cannot_be_is_said_at_the_field(admin_client, given, complaint):
    assert complaint in text(begin(admin_client, **given))
    assert not Pause.objects.exists()


@pytest.mark.parametrize(
    ("given", "minutes"), [({"length": "60"}, 60), ({"length": "1440"}, 1440)], ids=["an hour", "a day"]
)
def test_it_ends_by_itself_if_asked_to(admin_client, given, minutes):
    begin(admin_client, **given)

    now, end = timezone.now(), Pause.objects.get().until
    assert end is not None
    assert now + timedelta(minutes=minutes - 1) < end <= now + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "what",
    ["everything:", "template:ORDER_CREATED", "category:orders", "backend:notifications.channels.email.EmailChannel"],
)
def test_everything_that_has_a_name_can_be_held(admin_client, template, what):
    begin(admin_client, what=what)

    held = Pause.objects.get()
    assert f"{held.scope}:{held.key}" == what


def test_what_is_held_already_stays_as_it_is(admin_client):
    begin(admin_client)

    assert "It is held already: text message." in text(begin(admin_client, note="Another reason"))
    assert Pause.objects.get().note == "Provider is down"


def test_resuming_says_what_goes_out_and_asks_first(admin_client, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RATES": {"default": 1}}
    begin(admin_client)
    for _ in range(90):
        make_delivery(channel="sms")
    held = Pause.objects.get()

    page = text(admin_client.get(f"{PAUSES}{held.pk}/resume/"))
    assert Pause.objects.get().lifted_at is None
    assert "90 × text message" in page
    assert "about 1 min 30 s" in page

    admin_client.post(f"{PAUSES}{held.pk}/resume/")
    assert Pause.objects.get().lifted_at is not None
    assert LogEntry.objects.filter(change_message__startswith="Resumed channel sms").exists()


def test_a_breaker_is_closed_by_hand(admin_client):
    now = timezone.now()
    key = "notifications.channels.email.EmailChannel"
    row = Pause.objects.create(
        scope=PauseScope.BACKEND, key=key, origin=PauseOrigin.BREAKER, created_at=now, until=now + HOUR
    )
    page = text(admin_client.get(PAUSES))
    assert "open: it failed too often" in page
    assert f"{PAUSES}{row.pk}/resume/" in page

    admin_client.post(f"{PAUSES}{row.pk}/resume/")

    assert "open: it failed too often" not in text(admin_client.get(PAUSES))


def test_a_breaker_is_opened_by_hand_from_a_form_that_knows_which(admin_client):
    page = text(admin_client.get(f"{PAUSES}?what=backend:notifications.channels.email.EmailChannel"))

    assert '<option value="backend:notifications.channels.email.EmailChannel" selected>' in page


def test_a_pause_that_is_over_cannot_be_resumed(admin_client):
    now = timezone.now()
    pauses.pause(PauseScope.CHANNEL, "sms", now=now)
    pauses.resume(PauseScope.CHANNEL, "sms", now=now)

    answer = admin_client.post(f"{PAUSES}{Pause.objects.get().pk}/resume/", follow=True)

    assert "This pause is over already." in text(answer)


@pytest.mark.parametrize(
    ("rights", "path", "method", "status"),
    [
        ([], PAUSES, "get", 403),
        (["view_pause"], PAUSES, "get", 200),
        (["view_pause"], f"{PAUSES}begin/", "post", 403),
        (["view_pause"], f"{PAUSES}1/resume/", "get", 403),
        (["view_pause"], f"{PAUSES}1/resume/", "post", 403),
        (["view_pause"], FAILURES, "get", 403),
        (["view_dashboard"], FAILURES, "get", 200),
        (["view_dashboard"], f"{FAILURES}again/", "post", 403),
        (["view_pause"], RETENTION, "get", 403),
        (["view_dashboard"], RETENTION, "post", 200),
    ],
)
def test_each_page_is_for_those_who_may(log_in, rights, path, method, status):
    assert getattr(log_in(*rights), method)(path).status_code == status


def test_who_may_only_look_sees_no_switch(log_in):
    pauses.pause(PauseScope.CHANNEL, "sms", now=timezone.now())

    page = text(log_in("view_pause").get(PAUSES))

    assert "resume/" not in page
    assert "begin/" not in page


def test_a_group_is_sent_round_again_after_a_look(admin_client, template):
    event = make_event(template, state=EventState.DISPATCHED)
    rows = [make_failure("550", event_id=event.pk) for _ in range(3)]
    other = make_failure("554", event_id=event.pk)
    page = text(admin_client.get(FAILURES))
    again = next(bit.partition('"')[0] for bit in page.split('href="') if "code=550" in bit).replace("&amp;", "&")

    asked = text(admin_client.get(again))
    assert "3 would be sent round again" in asked
    assert Delivery.objects.filter(state=DeliveryState.PENDING).count() == 0

    address, _, query = again.partition("?")
    answer = admin_client.post(address, dict(pair.split("=") for pair in query.split("&")), follow=True)
    assert "3 are sent round again." in text(answer)
    assert set(Delivery.objects.filter(state=DeliveryState.PENDING)) == set(rows)
    other.refresh_from_db()
    assert other.state == DeliveryState.FAILED
    entry = LogEntry.objects.get()
    assert "(email, rejected, 550): 3." in entry.change_message
    assert entry.object_id in {str(row.pk) for row in rows}


def test_what_nobody_knows_goes_only_if_that_is_said(admin_client, template):
    event = make_event(template, state=EventState.DISPATCHED)
    row = make_failure(state=DeliveryState.UNKNOWN, reason="", event_id=event.pk)
    given = {"stage": "delivery", "channel": "email", "backend": "Smtp"}
    assert "None can be sent round again" in text(admin_client.get(f"{FAILURES}again/", given))

    admin_client.post(f"{FAILURES}again/", given)
    row.refresh_from_db()
    assert row.state == DeliveryState.UNKNOWN

    admin_client.post(f"{FAILURES}again/", {**given, "include_unknown": "1"})
    row.refresh_from_db()
    assert row.state == DeliveryState.PENDING


def test_why_some_are_left_alone_is_said(admin_client):
    make_failure("550")

    page = text(
        admin_client.get(
            f"{FAILURES}again/?stage=delivery&channel=email&reason=rejected&backend=Smtp&code=550",
        )
    )

    assert "None can be sent round again" in page
    assert "1: its content is no longer kept" in page


def test_events_that_failed_are_dead_until_sent_round_again(admin_client, template):
    row = make_event(template, state=EventState.FAILED, last_error="boom")
    assert "dead" in text(admin_client.get(FAILURES))

    admin_client.post(f"{FAILURES}again/", {"stage": "event", "reason": Reason.DISPATCH_ERROR})

    assert Event.objects.get(pk=row.pk).state == EventState.PENDING


@pytest.mark.parametrize(
    "query", ["", "stage=x", "stage=delivery&channel=pigeon", "stage=delivery&reason=x", "stage=%00"]
)
def test_an_address_that_names_no_failures_leads_back(admin_client, query):
    answer = admin_client.get(f"{FAILURES}again/?{query}", follow=True)

    assert "The address names no failures." in text(answer)


def test_retention_says_what_the_next_round_takes_and_changes_nothing(admin_client, template):
    row = make_event(template, state=EventState.DISPATCHED)
    Event.objects.filter(pk=row.pk).update(finished_at=timezone.now() - timedelta(days=2))

    page = text(admin_client.get(RETENTION))
    assert '<tr><th scope="row">events</th><td class="d-nowrap">1 day</td>' in page
    assert '<td class="n-number">1</td></tr><tr><th scope="row">events that lose' in page
    assert "Dry run: 1" not in page

    page = text(admin_client.post(RETENTION))
    assert "Dry run: 1 are over by now. Nothing was changed." in page
    assert Event.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_retention_that_is_too_far_behind_to_be_counted_still_shows_the_tables(admin_client, monkeypatch, method):
    def ask(*args):
        raise paging.TookTooLong

    monkeypatch.setattr(pruner, "next_round", ask)
    monkeypatch.setattr(pruner, "count", ask)

    page = text(getattr(admin_client, method)(RETENTION))

    assert "There is too much to count now" in page
    assert "deliveries</th>" in page


def test_every_class_of_retention_has_its_words_and_its_time(admin_client):
    page = text(admin_client.get(RETENTION))

    assert set(retention.CLASSES) == set(Kept)
    for words, days in (
        ("drafts of broadcasts that nobody started", "30 days"),
        ("deliveries", "90 days"),
        ("inbox items", "for good"),
        ("mutes that ended", "until it is over"),
    ):
        assert f'<th scope="row">{words}</th><td class="d-nowrap">{days}</td>' in page


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the planner goes by the size of the tables")
def test_a_look_at_retention_reads_no_whole_log(admin_client):
    """What the next rounds take is read off the indexes that the rounds themselves need; a dry run is asked for."""

    def look():
        assert pruner.next_round(timezone.now(), 10) is not None

    for table in ("notifications_delivery", "notifications_event"):
        for statement, plan in plans_of(look, table=table):
            assert not reads_all(plan, table=table), statement


def test_nothing_is_chosen_to_be_held_before_somebody_chooses(admin_client):
    page = text(admin_client.get(PAUSES))

    choices = page[page.index('<select name="what"') :].partition("</select>")[0]
    assert re.findall(r'<option value="(.*?)"( selected)?', choices)[:2] == [("", " selected"), ("everything:", "")]


def test_the_newest_of_a_group_is_for_those_who_may_read_the_log(log_in):
    row = make_failure("550")
    client = log_in("view_dashboard")
    assert str(row.pk) not in text(client.get(FAILURES))

    client.staff.user_permissions.add(Permission.objects.get(codename="view_delivery"))

    assert f"/delivery/{row.pk}/change/" in text(client.get(FAILURES))


def test_tables_are_told_with_their_rows(template):
    for _ in range(3):
        make_delivery()

    sizes = {table.name: table for table in table_sizes.sizes()}

    assert {"deliveries", "events", "attempts"} <= set(sizes)
    if not sizes["deliveries"].is_estimate:
        assert sizes["deliveries"].rows == 3
    else:
        assert sizes["deliveries"].size


def test_tables_have_their_names_in_german():
    with translation.override("de"):
        names = {table.name: gettext(table.name) for table in table_sizes.sizes()}

    assert [name for name, german in names.items() if name == german] == []


def test_counting_rows_stops(monkeypatch, template):
    monkeypatch.setattr(table_sizes, "COUNTED", 2)
    for _ in range(3):
        make_delivery()

    (table,) = (table for table in table_sizes.sizes() if table.name == "deliveries")

    assert table.is_estimate or (table.rows, table.at_least) == (2, True)
