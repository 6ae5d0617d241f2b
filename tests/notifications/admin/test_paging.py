"""Lists of large tables: no page waits for a question that reads everything."""

from __future__ import annotations

import pytest
from django.urls import reverse

from notifications.admin import paging
from notifications.models import Delivery
from tests.notifications.pipeline.test_claiming import make_delivery

pytestmark = pytest.mark.django_db

DELIVERIES = reverse("admin:notifications_delivery_changelist")


@pytest.fixture
def many():
    make_delivery()
    template = Delivery.objects.get()
    rows = [Delivery(channel="email", created_at=template.created_at, due_at=template.due_at) for _ in range(3000)]
    Delivery.objects.bulk_create(rows)


@pytest.mark.skipif("__import__('django.db').db.connection.vendor != 'postgresql'", reason="SQLite gives nothing up")
def test_what_takes_too_long_is_given_up_and_said(admin_client, many, monkeypatch):
    monkeypatch.setattr(paging, "MAX_SECONDS", 0.001)

    response = admin_client.get(DELIVERIES, {"reason__exact": "render_error"})

    assert response.status_code == 302
    assert response.url == DELIVERIES
    monkeypatch.undo()
    assert "This would take too long" in admin_client.get(DELIVERIES).content.decode()


def test_a_question_in_time_is_answered(admin_client, many):
    page = admin_client.get(DELIVERIES, {"state__exact": "pending"}).content.decode()

    assert "more than 50 deliveries" in page


@pytest.mark.parametrize(
    ("asked", "number"), [("1", 1), ("-3", 1), ("x", 1), ("7", 7), ("99999", paging.MAX_PAGE)], ids=str
)
def test_a_page_is_one_that_can_be_read(rf, asked, number):
    assert paging.page_asked(rf.get("/", {"p": asked})) == number


def test_an_error_that_is_not_ours_to_explain_goes_on():
    from django.db import OperationalError

    with pytest.raises(OperationalError), paging.limited_time():
        raise OperationalError
