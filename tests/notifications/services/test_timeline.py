"""All one person was told: newest first, page by page, whatever the channel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Attempt, Delivery
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import timeline
from notifications.services.keyset import Cursor
from notifications.types import Priority
from tests.notifications.pipeline.test_claiming import make_delivery

pytestmark = pytest.mark.django_db


def tell(user, number=1):
    for index in range(number):
        about = f"orders.order:{index}"
        publish_notification("ORDER_CREATED", recipient=user, variables={"order_number": "ORD-1"}, about=about)
        while dispatch_batch(Priority.LOW, more=lambda: None):
            pass


def test_an_entry_has_all_its_ways_and_what_became_of_them_in_words(alice, bob, charlie, template):
    tell(charlie)
    tell(bob)
    deliver_batch("email", more=lambda: None)
    sent = Delivery.objects.get(recipient=charlie, channel="email")
    sent.bounced_at = timezone.now()
    sent.save()
    Attempt.objects.filter(delivery=sent).update(outcome="transient", code="451")

    (entry,) = timeline.of_user(charlie, Cursor()).entries

    assert (entry.template, entry.about) == ("ORDER_CREATED", "orders.order:0")
    assert [(way.channel, way.state, way.words) for way in entry.ways] == [
        ("in_app", "sent", ()),
        ("email", "sent", ("tries: 1", "the last one: failed, will be tried again (451)", "bounced")),
        ("sms", "suppressed", ("the recipient has no address on this channel",)),
    ]


def test_pages_lead_over_all_of_it_and_back_with_direct_deliveries_among_it(alice, bob, template):
    for _ in range(4):
        tell(alice)
        make_delivery(recipient=alice)
    tell(bob)

    pages: list = []
    cursor: Cursor | None = Cursor()
    while cursor is not None:
        pages.append(timeline.of_user(alice, cursor, size=3))
        cursor = pages[-1].older
    kinds = [[bool(entry.notification_id) for entry in page.entries] for page in pages]
    back = timeline.of_user(alice, pages[-1].newer, size=3)

    assert kinds == [[False, True, False], [True, False, True], [False, True]]
    assert back.entries == pages[1].entries
    assert [bool(page.newer) for page in pages] == [False, True, True]


def test_a_page_costs_the_same_whatever_is_on_it(alice, template, django_assert_num_queries):
    tell(alice)
    with django_assert_num_queries(4) as before:
        timeline.of_user(alice, Cursor())
    tell(alice, 30)

    with django_assert_num_queries(len(before)):
        page = timeline.of_user(alice, Cursor())

    assert len(page.entries) == 25


def test_what_went_to_an_address_without_a_user_is_found_by_it(alice):
    long = "x" * 150
    older = make_delivery(address="legacy@example.com")
    newer = make_delivery(address="legacy@example.com", channel="sms")
    make_delivery(address="legacy@example.com", recipient=alice)
    make_delivery(address=long + "1")
    other = make_delivery(address=long + "2")

    def ids_of(address):
        return [way.id for entry in timeline.of_address(address, Cursor()).entries for way in entry.ways]

    assert ids_of("legacy@example.com") == [newer.pk, older.pk]
    assert ids_of(long + "2") == [other.pk]
    assert ids_of("") == []


def test_nothing_is_nothing(alice):
    assert timeline.of_user(alice, Cursor()) == timeline.Page(entries=[], newer=None, older=None)


def test_entries_are_in_the_order_of_time(alice, template):
    tell(alice, 3)

    times = [entry.at for entry in timeline.of_user(alice, Cursor()).entries]

    assert times == sorted(times, reverse=True)
    assert timezone.now() - times[0] < timedelta(minutes=1)
