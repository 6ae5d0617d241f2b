"""The wizard of broadcasts: what, to whom, how many, when; and the buttons of one under way."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from notifications import registry
from notifications.maintenance import pruner
from notifications.models import Broadcast, BroadcastDraft, Delivery, Event, Notification, Pause
from notifications.pipeline import broadcasting
from notifications.pipeline.dispatch import dispatch_batch
from notifications.services import broadcast_drafts, broadcasts, erasing, pauses, queue
from notifications.types import BroadcastState, DeliveryState, EventState, PauseScope, Priority

pytestmark = pytest.mark.django_db
MESSAGE = {"variable-order_number": "ORD-1", "channels": ["in_app", "email"], "priority": "2"}


def at(name, *args):
    return reverse(f"admin:notifications_broadcast_{name}", args=args)


@pytest.fixture
def people(monkeypatch, template):
    model = get_user_model()
    monkeypatch.setattr(registry, "_audiences", {})
    registry.audience("everybody")(model.objects.filter(username__startswith="user").all)
    rows = [model(username=f"user{number}", email=f"u{number}@example.com") for number in range(20)]
    return model.objects.bulk_create(rows)


@pytest.fixture
def drafted(admin_client, people):
    """Write a draft to everybody, up to the count."""
    admin_client.post(at("compose"), {"template": "ORDER_CREATED"})
    pk = BroadcastDraft.objects.get().pk
    admin_client.post(at("message", pk), {**MESSAGE, "next": "1"})
    admin_client.post(at("audience", pk), {"audience": "everybody"})
    return pk


@pytest.fixture
def start(admin_client, drafted):
    def start(**changes):
        admin_client.post(at("count", drafted))
        revision = BroadcastDraft.objects.get().revision
        return admin_client.post(at("review", drafted), {"revision": revision, **changes})

    return start


def work():
    while broadcasting.expand_batch(more=lambda: None):
        pass
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass


def test_from_a_template_to_everybody_who_is_told_once(admin_client, admin_user, start, people):
    answer = start()
    work()

    row = Broadcast.objects.get()
    assert answer.url == at("progress", row.pk)
    assert (row.source, row.started_by, row.audience) == ("admin", admin_user, "everybody")
    assert sorted(Notification.objects.values_list("recipient", flat=True)) == [user.pk for user in people]
    said = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert [text.split(".")[0] for text in said] == [
        "Began a broadcast",
        "Changed the draft of a broadcast",
        "Changed the draft of a broadcast",
        "Started the broadcast",
    ]


def test_the_button_pressed_twice_makes_one_broadcast(start):
    first, second = start(), start()

    assert (first.url, Broadcast.objects.count()) == (second.url, 1)


def test_a_draft_survives_a_reload_and_is_previewed(admin_client, drafted):
    page = admin_client.get(at("message", drafted))

    assert b'value="ORD-1"' in page.content
    assert [preview["error"] for preview in page.context["previews"]] == [""] * len(page.context["previews"])
    assert any("ORD-1" in preview["rendered"].title + preview["rendered"].body for preview in page.context["previews"])


def test_what_is_not_said_is_refused_at_the_form(admin_client, drafted):
    page = admin_client.post(at("message", drafted), {"channels": ["in_app"], "priority": "2"})

    assert (page.status_code, "variable-order_number" in page.context["form"].errors) == (422, True)


def test_the_count_is_exact_and_says_why_not(admin_client, drafted, people):
    get_user_model().objects.filter(pk__in=[user.pk for user in people[:3]]).update(email="")
    get_user_model().objects.filter(pk=people[5].pk).update(is_active=False)

    admin_client.post(at("count", drafted))
    tally = admin_client.get(at("review", drafted)).context["tally"]

    assert (tally["recipients"], tally["reached"], tally["unreached"]) == (20, 19, 1)
    assert {row["label"]: (row["going"], row["suppressed"]) for row in tally["channels"]} == {
        "in-app": (19, 1),
        "e-mail": (16, 4),
    }
    assert not Event.objects.exists()
    assert not Notification.objects.exists()


def test_a_list_is_looked_up_line_by_line(admin_client, drafted, people):
    lines = f"{people[0].pk}\n\nnobody@example.com\nU1@EXAMPLE.com\nuser2  # the third\n99999999999999999999\n{people[0].pk}"

    page = admin_client.post(at("audience", drafted), {"people": lines})
    assert page.context["form"].errors["people"] == [
        "Line 3: there is no user “nobody@example.com”.",
        "Line 6: there is no user “99999999999999999999”.",
    ]
    admin_client.post(
        at("audience", drafted), {"people": lines.replace("nobody@example.com", "").replace("9" * 20, "")}
    )

    assert BroadcastDraft.objects.get().recipients == [str(user.pk) for user in people[:3]]


def test_a_list_is_taken_as_it_is_pasted(admin_client, drafted, people):
    pasted = f"User One <U1@example.com>; {people[2].pk},\tuser3\n\"u4@example.com\", 'user5',,\n"

    admin_client.post(at("audience", drafted), {"people": pasted})

    assert BroadcastDraft.objects.get().recipients == [str(user.pk) for user in people[1:6]]


def test_what_names_nobody_is_left_out_on_wish_and_told(admin_client, drafted, people):
    asked = {"people": "user0\nnobody@example.com\nfoo, user1", "leave_out": "on"}

    answer = admin_client.post(at("audience", drafted), asked, follow=True)

    assert BroadcastDraft.objects.get().recipients == [str(user.pk) for user in people[:2]]
    told = [str(message) for message in answer.context["messages"]]
    assert told == ["2 entries were left out: they name nobody, or more than one."]


def test_a_list_of_nobody_known_is_refused_in_any_case(admin_client, drafted):
    page = admin_client.post(at("audience", drafted), {"people": "foo", "leave_out": "on"})

    assert page.context["form"].errors["people"] == ["Line 1: there is no user “foo”."]


def test_a_file_with_mistakes_is_mended_in_the_text(admin_client, drafted):
    page = admin_client.post(at("audience", drafted), {"upload": SimpleUploadedFile("a.csv", b"user0\nfoo")})

    assert page.context["form"].errors["people"] == ["Line 2: there is no user “foo”."]
    assert "user0\nfoo" in page.context["form"]["people"].as_widget()


def test_a_list_of_before_is_kept_when_nothing_is_given(admin_client, drafted, listed, people):
    before = BroadcastDraft.objects.values().get()

    answer = admin_client.post(at("audience", drafted), {"people": "", "audience": ""})

    assert answer.url == at("review", drafted)
    assert BroadcastDraft.objects.values().get() == before


def test_without_a_list_something_must_be_chosen(admin_client, drafted):
    page = admin_client.post(at("audience", drafted), {"people": "", "audience": ""})

    assert page.context["form"].non_field_errors() == ["Choose one: an audience, a list or a file."]


def test_it_is_counted_again_when_people_have_changed(admin_client, drafted, people):
    admin_client.post(at("count", drafted))
    people[0].delete()

    admin_client.post(at("recount", drafted))
    assert BroadcastDraft.objects.get().counted_at is None
    admin_client.post(at("count", drafted))

    assert BroadcastDraft.objects.get().tally["recipients"] == 19


def test_a_list_is_told_once_each_and_kept_no_longer(admin_client, drafted, start, people):
    admin_client.post(at("audience", drafted), {"people": "\n".join(user.username for user in people[:7])})

    start()
    work()

    assert sorted(Notification.objects.values_list("recipient", flat=True)) == [user.pk for user in people[:7]]
    assert Broadcast.objects.get().recipients is None
    assert BroadcastDraft.objects.get().recipients == []


@pytest.mark.parametrize("typed", ["", "19"])
def test_many_recipients_are_confirmed_by_their_number(start, typed, monkeypatch):
    monkeypatch.setattr(broadcast_drafts, "CONFIRM_FROM", 20)

    answer = start(confirmed=typed)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["confirmed"])
    assert start(confirmed="20").status_code == 302


def test_what_was_changed_in_another_window_is_not_started(admin_client, drafted, start):
    admin_client.post(at("count", drafted))
    seen = BroadcastDraft.objects.get().revision
    admin_client.post(at("message", drafted), {**MESSAGE, "variable-order_number": "ORD-2"})

    answer = admin_client.post(at("review", drafted), {"revision": seen})

    assert (answer.status_code, Broadcast.objects.count()) == (422, 0)


def test_it_is_sent_when_it_was_said_in_the_zone_that_is_shown(start, settings):
    settings.TIME_ZONE = "Europe/Vienna"
    with timezone.override("Europe/Vienna"):
        start(send_at="2038-07-01T09:00")

    assert Broadcast.objects.get().due_at.isoformat() == "2038-07-01T07:00:00+00:00"


@pytest.mark.parametrize(
    "wrong", ["2020-01-01T09:00", "2038-03-28T02:30", "2038-10-31T02:30"], ids=["past", "never", "twice"]
)
def test_a_time_that_is_none_is_refused(start, settings, wrong):
    settings.TIME_ZONE = "Europe/Vienna"

    answer = start(send_at=wrong)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["send_at"])
    assert not Broadcast.objects.exists()


def test_the_first_few_are_told_then_it_waits_then_the_rest(admin_client, start, people):
    start(canary_percent=11)
    work()
    row = Broadcast.objects.get()
    assert (row.state, row.slot, row.finished_at, Notification.objects.count()) == (
        BroadcastState.CANARY,
        None,
        None,
        3,
    )
    assert b"Tell the rest" in admin_client.get(at("progress", row.pk)).content

    for _ in range(2):
        admin_client.post(at("control", row.pk, "go_on"))
        work()

    assert sorted(Notification.objects.values_list("recipient", flat=True)) == [user.pk for user in people]
    assert Broadcast.objects.get().state == BroadcastState.EXPANDED


def test_cancelled_after_the_first_few_nobody_else_is_told(admin_client, start):
    start(canary_percent=10)
    work()
    row = Broadcast.objects.get()

    admin_client.post(at("control", row.pk, "cancel"))
    admin_client.post(at("control", row.pk, "go_on"))
    work()

    assert (Broadcast.objects.get().state, Notification.objects.count()) == (BroadcastState.CANCELLED, 2)
    states = set(Delivery.objects.filter(channel="email").values_list("state", flat=True))
    assert states == {DeliveryState.CANCELLED}


def test_paused_it_waits_and_resumed_it_goes_on(admin_client, start):
    start()
    row = Broadcast.objects.get()

    admin_client.post(at("control", row.pk, "pause"))
    work()
    assert (Event.objects.exclude(state=EventState.DISPATCHED).count(), Notification.objects.count()) == (0, 0)
    assert Pause.objects.get().key == str(row.pk)
    admin_client.post(at("control", row.pk, "resume"))
    work()

    assert Notification.objects.count() == 20


def test_what_holds_it_besides_is_named_and_not_resumed_there(admin_client, start):
    start()
    row, now = Broadcast.objects.get(), timezone.now()
    pauses.pause(PauseScope.TEMPLATE, "ORDER_CREATED", now=now)
    pauses.pause(PauseScope.CHANNEL, "email", now=now)

    page = admin_client.get(at("progress", row.pk))

    assert page.context["standing"] == "paused"
    assert [str(label) for label in page.context["holds_above"]] == ["a template"]
    assert [str(label) for label in page.context["channels_held"]] == ["e-mail"]
    assert at("control", row.pk, "resume") not in page.content.decode()


def test_one_whose_audience_failed_is_tried_again_or_cancelled(admin_client, start, monkeypatch, people):
    audiences = dict(registry._audiences)
    start()
    monkeypatch.setattr(registry, "_audiences", {})
    work()
    row = Broadcast.objects.get()
    monkeypatch.setattr(registry, "_audiences", audiences)

    page = admin_client.get(at("progress", row.pk))
    assert (row.state, page.context["standing"]) == (BroadcastState.FAILED, "failed")
    assert at("control", row.pk, "cancel") in page.content.decode()
    for _ in range(2):
        admin_client.post(at("control", row.pk, "again"))
        work()

    assert Notification.objects.count() == len(people)
    assert LogEntry.objects.filter(change_message__startswith="Tried the broadcast again").count() == 1


def test_a_cancelled_one_is_watched_until_its_last_message_is_over(admin_client, start):
    start()
    work()
    row = Broadcast.objects.get()
    admin_client.post(at("control", row.pk, "cancel"))
    page = admin_client.get(at("progress", row.pk))
    assert (page.context["may_steer"], page.context["is_over"]) == (False, False)

    broadcasts.measure(Broadcast.objects.get(), now=timezone.now())

    page = admin_client.get(at("progress", row.pk))
    assert (page.context["standing"], page.context["is_over"]) == ("cancelled", True)


def test_scheduled_and_cancelled_nobody_is_told(admin_client, start):
    start(send_at=(timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT12:00"))
    row = Broadcast.objects.get()

    admin_client.post(at("control", row.pk, "cancel"))
    work()

    assert (Broadcast.objects.get().state, Notification.objects.count()) == (BroadcastState.CANCELLED, 0)


@pytest.mark.parametrize("name", ["message", "audience", "review", "count", "recount", "discard"])
def test_who_may_not_send_sees_no_page_of_the_wizard(log_in, drafted, name):
    client = log_in("view_broadcast")

    assert client.post(at(name, drafted)).status_code == 403
    assert client.get(at("compose")).status_code == 403
    assert b"New broadcast" not in client.get(at("changelist")).content


def test_who_may_not_send_steers_nothing(log_in, start):
    start()
    row, client = Broadcast.objects.get(), log_in("view_broadcast")

    assert client.get(at("progress", row.pk)).status_code == 200
    assert client.post(at("control", row.pk, "cancel")).status_code == 403
    assert Broadcast.objects.get().cancelled_at is None


@pytest.mark.parametrize("name", ["count", "recount", "discard"])
def test_looking_changes_nothing(admin_client, drafted, name):
    assert admin_client.get(at(name, drafted)).status_code == 405


def test_the_list_leads_to_the_progress(admin_client, start):
    start()

    page = admin_client.get(at("changelist")).content.decode()
    assert at("progress", Broadcast.objects.get().pk) in page
    assert at("compose") in page


def test_a_draft_is_opened_by_its_author_or_a_superuser_only(admin_client, log_in, drafted):
    other = log_in("send_broadcast")

    assert {other.get(at(name, drafted)).status_code for name in ("message", "audience", "review")} == {404}
    assert {other.post(at(name, drafted)).status_code for name in ("count", "recount", "discard")} == {404}
    assert admin_client.get(at("message", drafted)).status_code == 200


def test_a_draft_that_nobody_starts_goes_after_thirty_days(drafted):
    now = timezone.now()

    assert pruner.prune(now + timedelta(days=29), 10)[pruner.Kept.DRAFTS] == 0
    assert pruner.prune(now + timedelta(days=31), 10)[pruner.Kept.DRAFTS] == 1
    assert not BroadcastDraft.objects.exists()


@pytest.fixture
def listed(admin_client, drafted, people):
    """The draft goes to the first three, one by one."""
    admin_client.post(at("audience", drafted), {"people": "\n".join(user.username for user in people[:3])})


def test_whoever_is_erased_is_taken_off_a_draft(admin_client, admin_user, drafted, listed, people):
    admin_client.post(at("message", drafted), {**MESSAGE, "variable-order_number": "For user1"})
    admin_client.post(at("count", drafted))

    erasing.request(people[1], by=admin_user, note="", now=timezone.now())

    row = BroadcastDraft.objects.get()
    assert (row.recipients, row.variables, row.counted_at) == ([str(people[0].pk), str(people[2].pk)], {}, None)


def test_whoever_is_erased_is_taken_off_a_broadcast_that_waits(admin_user, listed, start, people):
    start()

    erasing.request(people[1], by=admin_user, note="", now=timezone.now())
    work()

    assert sorted(Notification.objects.values_list("recipient", flat=True)) == [people[0].pk, people[2].pk]


def test_the_queue_counts_a_list_that_is_told_bit_by_bit(listed, start):
    def expanding():
        (found,) = [row for row in queue.queues(now=timezone.now()) if row.actor == "expand_broadcast"]
        return found.waiting, found.completed

    start()
    assert expanding() == (1, 0)
    work()
    assert expanding() == (0, 1)


def test_a_draft_is_discarded(admin_client, drafted):
    admin_client.post(at("discard", drafted))

    assert not BroadcastDraft.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_start_it_at_the_same_moment_start_one(admin_client, admin_user, drafted):
    admin_client.post(at("count", drafted))
    revision = BroadcastDraft.objects.get().revision
    together = threading.Barrier(2)
    started: list[object] = []

    def begin():
        try:
            together.wait(10)
            row = broadcast_drafts.start(drafted, by=admin_user, now=timezone.now(), revision=revision)
            started.append(row.pk)
        except Exception as e:  # noqa: BLE001 - a thread's error would be lost
            started.append(e)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert started == [Broadcast.objects.get().pk] * 2
