"""Lists of large tables: no page waits for a question that reads everything."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.urls import reverse

from notifications.admin import paging
from notifications.models import Delivery
from tests.notifications.pipeline.test_claiming import make_delivery

pytestmark = pytest.mark.django_db

DELIVERIES = reverse("admin:notifications_delivery_changelist")


only_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="on SQLite nothing is given up")


@pytest.fixture
def many():
    make_delivery()
    columns = ", ".join(field.column for field in Delivery._meta.concrete_fields if not field.primary_key)
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
    made = "gen_random_uuid()" if connection.vendor == "postgresql" else "hex(randomblob(16))"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO notifications_delivery (id, {columns}) {numbers} "  # noqa: S608 - names are ours
            f"SELECT {made}, {columns} FROM notifications_delivery, n"
        )


@only_postgresql
def test_what_takes_too_long_is_given_up_and_said(admin_client, many, monkeypatch):
    monkeypatch.setattr(paging, "MAX_SECONDS", 0.001)

    response = admin_client.get(DELIVERIES, {"reason__exact": "render_error"})

    assert response.status_code == 302
    assert response.url == DELIVERIES
    monkeypatch.undo()
    assert "This would take too long" in admin_client.get(DELIVERIES).content.decode()


@only_postgresql
def test_the_limit_ends_with_the_page():
    with connection.cursor() as cursor:
        with paging.limited_time():
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone()[0] == "5s"
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "0"


def test_a_question_in_time_is_answered(admin_client, many):
    page = admin_client.get(DELIVERIES, {"state__exact": "pending"}).content.decode()

    assert 'rel="next"' in page


@pytest.mark.parametrize(
    ("asked", "number"), [("1", 1), ("-3", 1), ("x", 1), ("7", 7), ("99999", paging.MAX_PAGE)], ids=str
)
def test_a_page_is_one_that_can_be_read(rf, asked, number):
    assert paging.page_asked(rf.get("/", {"p": asked})) == number


def test_an_error_that_is_not_ours_to_explain_goes_on():
    with pytest.raises(OperationalError), paging.limited_time():
        raise OperationalError
