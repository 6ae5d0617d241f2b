"""The first page: what it says, to whom, and that it says it without a script."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.utils import timezone, translation

from notifications import ids
from notifications.admin import charts, figures, paging
from notifications.maintenance import rollup
from notifications.models import Attempt, DailyStat, Pause, WorkerHeartbeat
from notifications.services import monitor, pauses
from notifications.services.statistics import Volume
from notifications.types import DeliveryState, EventState, Outcome, PauseOrigin, PauseScope, Priority, Reason
from tests.notifications.pipeline.test_claiming import make_delivery, make_event

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def english():
    """The last page of the test before may have been German."""
    with translation.override("en"):
        yield


def look(client, path="/admin/", **headers):
    monitor.forget()
    answer = client.get(path, **headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def part(page, heading, end="</section>"):
    return page[page.index(heading) :].partition(end)[0]


def test_the_age_of_the_oldest_due_comes_first(admin_client):
    make_delivery(priority=Priority.URGENT, due_at=timezone.now() - 2 * MINUTE)

    page = look(admin_client)

    first = part(page, "The oldest that is due, by priority")
    assert 'urgent</span> <strong class="d-value">2 min' in first
    assert "very late, e-mail" in first
    assert page.index("The oldest that is due") < page.index("Now <") < page.index("Queue</h2>")
    assert 'data-summary="Late: urgent; 0 workers are alive."' in page


def test_numbers_charts_and_tables_need_no_script(admin_client, template):
    for state in (DeliveryState.SENT, DeliveryState.FAILED):
        make_delivery(template=template, state=state, reason=Reason.REJECTED if state == "failed" else "")
    rollup.run_once(timezone.now(), 1)

    page = look(admin_client)

    assert page.count('class="d-fill-sent" x="') == 1
    assert "1 sent, 1 failed</title>" in page
    table = part(page, 'id="d-table-email"', "</details>")
    assert table.count("<tr>") == 25
    assert "50.0 %" in page
    why = part(page, "Why deliveries failed")
    assert "state__exact=failed" in why
    assert "reason__exact=rejected" in why
    assert "the provider refused it" in why


def links(page):
    """Return [(text, address)] of what is linked."""
    return [(text, unescape(address)) for address, text in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', page)]


def test_a_reason_leads_to_the_filtered_list(admin_client):
    row = make_delivery(state=DeliveryState.FAILED, reason=Reason.REJECTED)
    other = make_delivery(state=DeliveryState.FAILED, reason=Reason.TOO_LONG)
    rollup.run_once(timezone.now(), 1)
    why = part(look(admin_client), "Why deliveries failed")

    listed = look(admin_client, next(link for _, link in links(why) if "rejected" in link))

    assert str(row.pk) in listed
    assert str(other.pk) not in listed


def test_each_figure_of_the_queue_leads_to_its_rows(admin_client, template):
    now = timezone.now()
    make_event(template, state=EventState.FAILED, last_error="boom")
    rows = {
        "due": make_delivery(due_at=now),
        "active": make_delivery(state=DeliveryState.SENDING, lease_token=uuid4(), lease_until=now + MINUTE),
        "completed": make_delivery(state=DeliveryState.SENT, priority=Priority.URGENT),
        "failed": make_delivery(state=DeliveryState.FAILED, reason=Reason.REJECTED),
        "sms": make_delivery(channel="sms", due_at=now),
    }
    rollup.run_once(now, 1)
    page = look(admin_client)
    queue = part(page, '<h2 id="d-queue">')

    of_mail = part(queue, "e-mail</th>", "</tr>")
    shown = [look(admin_client, link) for _, link in links(of_mail)]
    assert [[name for name, row in rows.items() if str(row.pk) in listed] for listed in shown] == [
        ["due"], ["active"], ["completed"], ["failed"],
    ]  # fmt: skip
    urgent = links(part(queue, "urgent</th>", "</tr>"))
    assert [text for text, _ in urgent] == ["1"]
    assert "priority__exact=0" in urgent[0][1]
    of_events = links(part(queue, "dispatch of events</th>", "</tr>"))
    assert [address.partition("&")[0] for _, address in of_events] == [
        "/admin/notifications/event/?state__exact=failed"
    ]
    assert look(admin_client, of_events[0][1])


def test_large_figures_lead_on_as_well_and_say_all_of_it(admin_client):
    make_delivery(priority=Priority.URGENT, due_at=timezone.now() - 2 * MINUTE)
    make_delivery(channel="sms", due_at=timezone.now() - MINUTE)
    make_delivery(state=DeliveryState.FAILED, reason=Reason.REJECTED)
    pauses.pause(PauseScope.CHANNEL, "sms", now=timezone.now())
    rollup.run_once(timezone.now(), 1)

    page = look(admin_client)

    assert links(part(page, '<h2 id="d-late">')) == [
        (
            "very late, e-mail",
            "/admin/notifications/delivery/?state__exact=pending&channel__exact=email&priority__exact=0",
        )
    ]
    assert 'aria-label="urgent: 2 min, very late, e-mail"' in page
    assert links(part(page, '<h2 id="d-now">')) == [
        ("wait for a pause to end", "/admin/notifications/pause/"),
        ("of the last 24 hours", "/admin/notifications/pause/failures/"),
    ]


@pytest.mark.parametrize(
    ("window", "shown"), [("7d", "1,000"), ("30d", "1,010"), ("nonsense", "0")], ids=["week", "month", "unknown"]
)
def test_the_window_is_chosen_in_the_address(admin_client, window, shown):
    today = timezone.now().date()
    for ago, number in ((0, 1000), (20, 10)):
        DailyStat.objects.create(day=today - timedelta(days=ago), channel="email", state="sent", number=number)

    page = look(admin_client, f"/admin/?window={window}")

    assert f"<dd>{shown}</dd>" in page or (window == "nonsense" and "Nothing was made in this time" in page)
    assert page.count('aria-current="true"') == 1


def test_numbers_in_the_drawing_stay_numbers_in_german(admin_client):
    DailyStat.objects.create(day=timezone.now().date(), channel="email", state="sent", number=3)
    DailyStat.objects.create(day=timezone.now().date(), channel="email", state="failed", number=1)

    page = look(admin_client, "/admin/?window=7d", headers={"accept-language": "de"})

    assert 'y="25.0"' in page
    assert "gesendet" in page


def test_it_says_that_nobody_works_and_what_is_held(admin_client):
    pauses.pause(PauseScope.CHANNEL, "sms", now=timezone.now(), note="Provider is down")

    page = look(admin_client)

    assert "No worker is alive." in page
    assert "text message (Provider is down)" in page


def test_what_is_held_is_told_with_its_kind_and_who_holds_it(admin_client, template):
    now = timezone.now()
    pauses.pause(PauseScope.TEMPLATE, template.pk, now=now, note="Wrong price")
    Pause.objects.create(
        scope=PauseScope.BACKEND, key="a.Backend", origin=PauseOrigin.BREAKER, created_at=now, until=now + MINUTE
    )

    page = look(admin_client)

    assert "a template: ORDER_CREATED (Wrong price)" in page
    assert "a backend: a.Backend (circuit breaker)" in page


def test_the_pace_of_a_channel_is_told_beside_what_it_may_have(admin_client, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RATES": {"default": 50}}
    now = timezone.now()
    for _ in range(3):
        Attempt.objects.create(
            delivery=make_delivery(state=DeliveryState.SENT),
            number=1,
            started_at=now,
            duration=MINUTE,
            outcome=Outcome.SENT,
        )

    row = part(look(admin_client), "e-mail</th>", "</tr>")

    assert re.search(r"[\d.]+ of at most 50/s <span [^>]*>95 % within", row)


def test_workers_are_told_with_their_last_heartbeat(admin_client):
    now = timezone.now()
    for process, ago in ((1, 1), (2, 90)):
        WorkerHeartbeat.objects.create(
            id=ids.uuid7(), host="w", process=process, threads=10, started_at=now, seen_at=now - timedelta(seconds=ago)
        )

    workers = part(look(admin_client), 'id="d-workers"')

    assert "alive</span>" in part(workers, "w:1", "</tr>")
    assert "gone</span>" in part(workers, "w:2", "</tr>")
    assert "1 min 30 s ago" in part(workers, "w:2", "</tr>")


def test_the_part_that_changes_is_the_same_and_no_page(admin_client):
    page = look(admin_client, "/admin/notifications/workerheartbeat/dashboard/?window=7d")

    assert "<html" not in page
    assert "The oldest that is due, by priority" in page
    assert "7 days" in page


def test_without_the_right_the_first_page_is_the_list_of_models(log_in):
    client = log_in("view_template")

    assert "The oldest that is due" not in look(client)
    assert client.get("/admin/notifications/workerheartbeat/dashboard/").status_code == 403


def test_with_the_right_alone_it_shows_and_leads_nowhere_else(log_in):
    make_delivery(state=DeliveryState.FAILED, reason=Reason.REJECTED)
    make_delivery(priority=Priority.URGENT, due_at=timezone.now() - 2 * MINUTE)
    make_delivery(channel="sms")
    pauses.pause(PauseScope.CHANNEL, "sms", now=timezone.now())
    rollup.run_once(timezone.now(), 1)
    client = log_in("view_dashboard")

    page = look(client)

    assert "The oldest that is due" in page
    assert "the provider refused it" in page
    # Without what belongs to the look, and what every member of staff may do.
    figures = {address for _, address in links(page[page.index('id="dashboard"') :].partition('id="footer"')[0])}
    assert {client.get(address).status_code for address in figures if address.startswith("/admin/notifications/")} == {
        200
    }
    assert '/admin/notifications/pause/"' not in page
    assert "/admin/notifications/delivery/" not in page


def test_a_database_that_is_too_busy_is_an_answer(admin_client, monkeypatch):
    def ask(now):
        raise paging.TookTooLong

    monkeypatch.setattr(monitor, "present", ask)

    assert "too busy" in look(admin_client)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.25, "0.25 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_lengths_of_time_have_two_units(seconds, words):
    assert figures.duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (0.007, "0.01"), (0.25, "0.2"), (9.96, "10.0"), (1234.5, "1,234")]
)
def test_few_per_second_are_not_none(value, words):
    assert figures.rate(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (5 * 1024**4, "5.0 TB")]
)
def test_sizes_have_the_unit_that_fits(value, words):
    assert figures.size(value) == words


def test_a_small_part_of_a_bar_can_be_seen():
    chart = charts.stacked([("now", Volume(sent=100_000, failed=1))], top=100_000)

    sent, failed = chart.bars[0].parts
    assert (sent.height, failed.height) == (charts.HEIGHT, charts.LEAST)


@pytest.mark.parametrize(("value", "top"), [(0, 1), (7, 8), (9, 10), (11, 12), (31, 40), (100_001, 120_000)])
def test_a_scale_ends_at_a_number_that_is_easy_to_read(value, top):
    assert charts.round_number(value) == top
