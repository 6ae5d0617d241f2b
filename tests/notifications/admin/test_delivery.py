"""The page of a delivery, the timeline, the box and what is done to many: who may, what is hidden, what is recorded."""

from __future__ import annotations

import html
import re
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone

from notifications.models import Delivery, Event
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import resend
from notifications.types import Priority
from tests.notifications.pipeline.test_claiming import make_delivery

SECRETS = ["alice@example.com", "ORD-77", "Hello Alice"]
FIND = reverse("admin:notifications_find")
VERBS = ["reveal", "retry", "cancel", "resend"]
NEEDED = {
    "reveal": "reveal_delivery", "retry": "redrive_delivery", "cancel": "cancel_delivery", "resend": "redrive_delivery",
}  # fmt: skip


@pytest.fixture
def mailed(alice, template):
    """An e-mail about order 42 that went out to Alice."""
    publish_notification(
        "ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-77"}, about="orders.order:42"
    )
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    deliver_batch("email", more=lambda: None)
    return Delivery.objects.get(channel="email")


@pytest.fixture
def support(log_in, db):
    """Return a function that logs in a member of staff who may look at deliveries, and these things."""

    def support(*codenames):
        kind = ContentType.objects.get_for_model(Delivery)
        for codename in codenames:
            Permission.objects.get_or_create(codename=codename, content_type=kind, defaults={"name": codename})
        return log_in("view_delivery", "view_event", "view_notification", *codenames)

    return support


@pytest.fixture
def verb(address):
    """Return a function that gives the address of what is done to a delivery."""

    def verb(name, row):
        return address("delivery", name, row.pk)

    return verb


def address_of(row):
    return reverse("admin:notifications_delivery_change", args=[row.pk])


def failed(row, **changes):
    """Let a delivery have failed."""
    Delivery.objects.filter(pk=row.pk).update(state="failed", reason="rejected", **changes)
    row.tries.update(outcome="permanent")
    row.refresh_from_db()
    return row


def messages(page):
    return [str(message) for message in page.context["messages"]]


def recorded():
    return list(LogEntry.objects.order_by("pk").values_list("object_id", "change_message"))


# --- The page -------------------------------------------------------------------------------------------------------


def test_the_page_tells_its_life_and_hides_whom_and_what(support, mailed, address):
    page = support().get(address("delivery", "change", mailed.pk))

    for text in ("Published", "Try 1: sent", "EmailChannel", "a***@example.com", "Your order {{ order_number }}"):
        assert text in page.text
    assert not [secret for secret in SECRETS if secret in page.text]
    for name in VERBS:
        assert address("delivery", name, mailed.pk) not in page.text


def test_what_is_revealed_is_shown_once_and_recorded(support, mailed, verb, address):
    client = support("reveal_delivery")

    page = client.post(verb("reveal", mailed))
    later = client.get(address("delivery", "change", mailed.pk))

    assert not [secret for secret in SECRETS if secret not in page.text]
    assert "no-store" in page.headers["Cache-Control"]
    assert not [secret for secret in SECRETS if secret in later.text]
    assert [pk for pk, _ in recorded()] == [str(mailed.pk)]


@pytest.mark.parametrize("name", VERBS)
def test_nothing_is_done_without_its_permission_or_by_looking(support, mailed, verb, name):
    others = set(NEEDED.values()) - {NEEDED[name]}
    client = support(*others)
    refused = client.post(verb(name, mailed), {"confirmed": "on", "token": str(uuid4())})
    client.staff.delete()
    looked = support(NEEDED[name]).get(verb(name, mailed))

    assert refused.status_code == 403
    assert looked.status_code == 302
    assert recorded() == []
    assert Event.objects.count() == 1


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("pk", ["x", "\x00", "00000000-0000-7000-8000-000000000000"])
def test_what_is_not_there_says_so(admin_client, db, address, name, pk):
    page = admin_client.post(address("delivery", name, pk), follow=True)

    assert page.status_code == 200
    assert "doesn’t exist. Perhaps it was deleted?" in page.text


def test_what_failed_is_sent_round_again_and_that_is_recorded(support, mailed, verb):
    client = support("redrive_delivery")
    failed(mailed)

    page = client.post(verb("retry", mailed), follow=True)
    again = client.post(verb("retry", mailed), follow=True)

    mailed.refresh_from_db()
    assert mailed.state == "pending"
    assert messages(page) == ["It is sent round again."]
    assert messages(again) == ["It was left alone: it is not failed any more."]
    assert len(recorded()) == 1


def test_what_keeps_it_from_being_sent_is_said(support, mailed, verb, address):
    client = support("redrive_delivery")
    failed(mailed)
    Event.objects.all().delete()

    page = client.get(address("delivery", "change", mailed.pk))
    done = client.post(verb("retry", mailed), follow=True)

    assert "It cannot be sent round again: its content is no longer kept." in " ".join(page.text.split())
    assert "Retry now" not in page.text
    assert messages(done) == ["It was left alone: its content is no longer kept."]


def test_what_may_have_been_sent_is_sent_again_only_if_that_is_confirmed(support, mailed, verb):
    client = support("redrive_delivery")
    failed(mailed)
    Delivery.objects.filter(pk=mailed.pk).update(state="unknown", reason="")

    refused = client.post(verb("retry", mailed), follow=True)
    client.post(verb("retry", mailed), {"although_unknown": "on"})

    mailed.refresh_from_db()
    assert messages(refused) == ["It was left alone: it may have been sent already."]
    assert mailed.state == "pending"


def test_what_waits_is_called_back_what_is_over_is_not(support, mailed, verb):
    client = support("cancel_delivery")
    waiting = make_delivery()

    page, late = (client.post(verb("cancel", row), follow=True) for row in (waiting, mailed))

    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("cancelled", "staff_cancelled")
    assert messages(page) == ["It was called back."]
    assert "too late" in messages(late)[0]
    assert [pk for pk, _ in recorded()] == [str(waiting.pk)]


def test_it_is_said_once_more_once_for_each_confirmation(support, mailed, verb):
    client = support("redrive_delivery")
    token = str(uuid4())
    for data in ({"token": token}, {"confirmed": "on", "token": "x"}):
        client.post(verb("resend", mailed), data)
    assert Event.objects.count() == 1

    page = client.post(verb("resend", mailed), {"confirmed": "on", "token": token}, follow=True)
    client.post(verb("resend", mailed), {"confirmed": "on", "token": token})

    new = Event.objects.latest("pk")
    assert resend.resent_from(new) == mailed.pk
    assert Event.objects.count() == 2
    assert page.redirect_chain[-1][0].endswith(f"{new.pk}/change/")
    assert str(mailed.pk) in page.text
    assert len(recorded()) == 1


def test_what_cannot_be_said_again_says_why(support, mailed, verb, address):
    client = support("redrive_delivery")
    Event.objects.all().delete()

    page = client.get(address("delivery", "change", mailed.pk))
    done = client.post(verb("resend", mailed), {"confirmed": "on", "token": str(uuid4())}, follow=True)

    assert "no longer kept" in page.text
    assert "It cannot be said once more: the variables of its event are no longer kept" in messages(done)[0]


def test_the_page_costs_the_same_whatever_happened(admin_client, mailed, address, django_assert_num_queries):
    here = address("delivery", "change", mailed.pk)
    admin_client.get(here)
    with django_assert_num_queries(25, exact=False) as before:
        admin_client.get(here)
    for number in range(20):
        try_ = mailed.tries.get(number=1)
        try_.pk, try_.number = None, number + 2
        try_.save()

    # One more where the process asks anew what is paused, as it does every few seconds; twenty would be one for each try.
    with django_assert_num_queries(len(before) + 1, exact=False):
        admin_client.get(here)


# --- Finding --------------------------------------------------------------------------------------------------------


def test_the_box_leads_to_the_timeline_and_from_there_to_the_delivery(support, mailed, address, alice):
    client = support()

    page = client.get(FIND, {"q": "alice@example.com"}, follow=True)

    assert page.redirect_chain == [(reverse("admin:notifications_timeline", args=[alice.pk]), 302)]
    assert address("delivery", "change", mailed.pk) in page.text
    assert "orders.order:42" in page.text
    assert not [secret for secret in SECRETS if secret in page.text]


def test_the_box_shows_what_goes_by_a_term(support, mailed):
    client = support()

    page, nothing = client.get(FIND, {"q": "orders.order:42"}), client.get(FIND, {"q": "<b>"})

    assert re.findall(r"<tr><td>(\w+)", page.text) == ["event", "notification"]
    assert "Nothing goes by this." in nothing.text
    assert "<b>" not in nothing.text
    assert client.get(FIND).status_code == 200


def test_what_goes_by_an_order_leads_to_the_timeline_of_whom_it_was_for(support, mailed, alice, bob, template):
    publish_notification("ORDER_CREATED", recipient=bob, variables={"order_number": "ORD-78"})
    timeline = reverse("admin:notifications_timeline", args=[alice.pk])
    client = support()

    page = client.get(FIND, {"q": "orders.order:42"})
    links = [html.unescape(link) for link in re.findall(rf'href="({timeline}[^"]*)">alice<', page.text)]

    assert len(links) == 2
    for link in links:
        assert address_of(mailed) in client.get(link).text


def test_of_an_event_for_many_some_are_named_beside_it(support, template, django_user_model):
    people = django_user_model.objects.bulk_create(django_user_model(username=f"user-{n}") for n in range(5))
    keys = [*(str(user.pk) for user in people), "x", "9" * 30]
    now = timezone.now()
    for number in range(2):
        Event.objects.create(
            template=template, recipients=keys[number * 4 :], about="orders.order:7", created_at=now, due_at=now
        )

    page = support().get(FIND, {"q": "orders.order:7"})

    assert re.findall(r">(user-\d)<", page.text) == ["user-4", "user-0", "user-1", "user-2"]
    assert "and 4 more" in page.text


def test_an_address_without_a_user_has_a_timeline(support):
    row = make_delivery(address="legacy@example.com")

    page = support().get(FIND, {"q": "legacy@example.com"}, follow=True)

    assert "Timeline of l***@example.com" in page.text
    assert str(row.pk) in page.text


@pytest.mark.parametrize("pk", ["x", "0", "9" * 40, "٣", "😀", " "])
def test_the_timeline_of_nobody_says_so(admin_client, db, pk):
    page = admin_client.get(reverse("admin:notifications_timeline", args=[pk]), follow=True)

    assert messages(page) == ["There is no user with this id."]


@pytest.mark.parametrize("query", ["before=x", "after=%00", "before=" + "9" * 400, "address=%00"])
def test_garbage_in_the_address_of_a_timeline_is_ignored(admin_client, alice, query):
    for here in (
        reverse("admin:notifications_timeline", args=[alice.pk]),
        reverse("admin:notifications_timeline_address"),
    ):
        assert admin_client.get(f"{here}?{query}").status_code == 200


@pytest.mark.parametrize("name", ["notifications_find", "notifications_timeline_address"])
def test_who_may_not_look_at_deliveries_finds_nothing(log_in, alice, name):
    client = log_in("view_template")

    assert client.get(reverse(f"admin:{name}")).status_code == 403
    assert client.get(reverse("admin:notifications_timeline", args=[alice.pk])).status_code == 403


# --- Many -----------------------------------------------------------------------------------------------------------


def bulk(verb, query=""):
    return reverse(f"admin:notifications_delivery_bulk_{verb}") + query


@pytest.fixture
def several(mailed, alice):
    """Three e-mails that failed, one of which must not go out; two text messages that wait."""
    event = Event.objects.get()
    rows = [failed(mailed)]
    for number in range(2):
        address = f"{number}@example.com"
        rows.append(failed(make_delivery(state="failed", address=address, event_id=event.pk, template=event.template)))
    rows[2].tries.create(
        number=1, started_at=event.created_at, duration=event.created_at - event.created_at, outcome="sent"
    )
    Delivery.objects.filter(channel="sms").delete()
    for _ in range(2):
        make_delivery(channel="sms")
    return rows


def test_many_are_counted_by_group_before_anything_is_done(support, several):
    page = support("redrive_delivery").get(bulk("retry", "?state__exact=failed&channel__exact=email"))

    text = " ".join(html.unescape(re.sub("<[^>]+>", " ", page.text)).split())
    assert "e-mail the provider refused it 2" in text
    assert "e-mail the provider refused it one of its tries was accepted 1" in text
    assert "Type 2 to confirm" in text
    assert Delivery.objects.filter(state="failed").count() == 3


def test_many_are_sent_round_again_once_the_number_is_typed(support, several):
    client = support("redrive_delivery")
    here = bulk("retry", "?state__exact=failed&channel__exact=email")

    refused = [client.post(here, {"shown": "2", "typed": typed}, follow=True) for typed in ("", "3", "yes")]
    assert [messages(page) for page in refused] == [
        ["Nothing was changed: type the number of deliveries to confirm."]
    ] * 3
    page = client.post(here, {"shown": "2", "typed": "2"}, follow=True)

    assert messages(page) == ["Sent round again: 2"]
    assert Delivery.objects.filter(state="failed").count() == 1
    ((pk, message),) = recorded()
    assert pk in {str(row.pk) for row in several}
    assert "2 in all" in message
    assert "channel__exact=email" in message


def test_no_more_are_called_back_than_were_shown(support, several):
    client = support("cancel_delivery")
    here = bulk("cancel", "?channel__exact=sms")
    assert "Type 2 to confirm" in client.get(here).text
    newcomer = make_delivery(channel="sms")

    page = client.post(here, {"shown": "2", "typed": "2"}, follow=True)

    newcomer.refresh_from_db()
    assert messages(page) == ["Called back: 2"]
    assert newcomer.state == "pending"


def test_nothing_to_do_is_said(support, several):
    page = support("cancel_delivery").get(bulk("cancel", "?state__exact=failed"))

    assert "There is nothing to be done." in page.text


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_who_may_not_do_it_to_many_may_not_see_it(support, several, verb):
    assert support("reveal_delivery").get(bulk(verb)).status_code == 403


def test_garbage_about_many_is_answered(admin_client, several):
    page = admin_client.post(bulk("retry", "?state__exact=%00&since=x"), {"shown": "1", "typed": "1"}, follow=True)
    assert page.status_code == 200
    assert Delivery.objects.filter(state="failed").count() == 3


def test_the_list_leads_to_it_with_what_it_is_asked_for(admin_client, several, address):
    page = admin_client.get(address("delivery", "changelist"), {"state__exact": "failed", "channel__exact": ""})

    links = re.findall(r'href="([^"]+/bulk/[^"]+)"', page.text)
    assert [link.split("?") for link in links] == [
        [bulk("retry"), "state__exact=failed"],
        [bulk("cancel"), "state__exact=failed"],
    ]
