"""Pages from a cursor on: nothing twice, nothing left out, and no more looked at than a page may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifications import ids
from notifications.models import Delivery
from notifications.services import keyset
from notifications.services.keyset import Cursor
from tests.notifications.pipeline.test_claiming import make_delivery

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ten(template):
    """Deliveries a minute apart, the oldest first; every fifth is urgent."""
    return [
        make_delivery(id=ids.uuid7_at(START + timedelta(minutes=number)), priority=0 if number % 5 == 0 else 2)
        for number in range(10)
    ]


def forth(rows, size, **options):
    """Return all pages, from the newest on."""
    pages: list = []
    cursor: Cursor | None = Cursor()
    while cursor is not None:
        pages.append(keyset.page(rows, cursor, size=size, **options))
        cursor = pages[-1].older
        assert len(pages) < 20
    return pages


def back(rows, size, cursor, **options):
    """Return all pages on the way back to the newest."""
    pages = []
    while cursor is not None:
        pages.append(keyset.page(rows, cursor, size=size, **options))
        cursor = pages[-1].newer
        assert len(pages) < 20
    return pages


def on(rows, cursor, size):
    """Return the page that another one leads to."""
    assert cursor is not None
    return keyset.page(rows, cursor, size=size)


def pks(pages):
    return [[row.pk for row in page.rows] for page in pages]


@pytest.mark.parametrize("size", [1, 3, 5, 9, 10, 11])
def test_all_is_shown_once_newest_first_and_the_way_back_leads_over_the_same(ten, size):
    expected = [row.pk for row in reversed(ten)]

    pages = forth(Delivery.objects.all(), size)
    returned = back(Delivery.objects.all(), size, pages[-1].newer) if len(pages) > 1 else []

    assert [pk for page in pks(pages) for pk in page] == expected
    assert pages[0].newer is None
    assert pages[-1].older is None
    assert [pk for page in reversed(pks(returned)) for pk in page] == expected[: -len(pages[-1].rows)] * bool(returned)


def test_what_comes_in_meanwhile_changes_no_page(ten):
    first = keyset.page(Delivery.objects.all(), Cursor(), size=4)
    before = on(Delivery.objects.all(), first.older, 4)
    new = make_delivery(id=ids.uuid7_at(START + timedelta(hours=1)))

    after = on(Delivery.objects.all(), first.older, 4)

    assert pks([after]) == pks([before])
    assert [row.pk for row in keyset.page(Delivery.objects.all(), Cursor(after=first.rows[0].pk), size=4).rows] == [
        new.pk
    ]


@pytest.mark.parametrize("looked_at", [1, 2, 3, 4, 9, 10, 11])
def test_few_of_many_are_all_found_and_no_page_looks_at_more_than_it_may(ten, looked_at, monkeypatch):
    monkeypatch.setattr(keyset, "SWEPT", looked_at)
    urgent = Delivery.objects.filter(priority=0)

    pages = forth(urgent, 5, swept=Delivery.objects.all())
    returned = back(urgent, 5, Cursor(after=ids.uuid7_at(START - timedelta(days=1))), swept=Delivery.objects.all())

    assert [pk for page in pks(pages) for pk in page] == [ten[5].pk, ten[0].pk]
    assert [pk for page in reversed(pks(returned)) for pk in page] == [ten[5].pk, ten[0].pk]
    assert len(pages) == -(-10 // looked_at)


def test_it_is_said_how_far_was_looked(ten, monkeypatch):
    monkeypatch.setattr(keyset, "SWEPT", 3)

    pages = forth(Delivery.objects.filter(priority=3), 5, swept=Delivery.objects.all())

    assert [page.looked_until for page in pages] == [
        START + timedelta(minutes=7), START + timedelta(minutes=4), START + timedelta(minutes=1), None
    ]  # fmt: skip


def test_beyond_the_ends_there_is_a_way_back(ten):
    oldest, newest = ten[0].pk, ten[-1].pk

    below = keyset.page(Delivery.objects.all(), Cursor(before=oldest), size=5)
    above = keyset.page(Delivery.objects.all(), Cursor(after=newest), size=5)

    assert (below.rows, below.older, above.rows, above.newer) == ([], None, [], None)
    assert pks([on(Delivery.objects.all(), below.newer, 2)]) == [[ten[1].pk, oldest]]
    assert pks([on(Delivery.objects.all(), above.older, 2)]) == [[newest, ten[8].pk]]
