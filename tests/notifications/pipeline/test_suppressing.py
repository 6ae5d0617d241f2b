"""Addresses that must not be used: one row each while it is in force, whoever says so and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifications.models import Suppression
from notifications.models.suppressions import address_hash
from notifications.pipeline.suppressing import Unusable, suppress, suppressed
from notifications.types import Reason, SuppressionSource
from tests.factories import make_endpoint

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def unusable(address="alice@example.com", *, channel="email", reason=Reason.RETRIES_EXHAUSTED, **given):
    return Unusable(channel=channel, address=address, reason=reason, **given)


def adapter_says(*found, now=NOW):
    return suppress(found, source=SuppressionSource.ADAPTER, now=now)


def is_suppressed(address, *, channel="email", now=NOW):
    return bool(suppressed([(channel, address)], now=now))


def test_an_address_that_was_found_out_is_suppressed_with_its_cause(alice):
    assert adapter_says(unusable(code="550", recipient=alice.pk)) == 1

    row = Suppression.objects.get()
    assert (row.channel, row.address, row.recipient) == ("email", "alice@example.com", alice)
    assert (row.reason, row.source, row.code, row.created_at) == ("retries_exhausted", "adapter", "550", NOW)
    assert is_suppressed("alice@example.com")
    assert not is_suppressed("bob@example.com")


@pytest.mark.parametrize(
    ("channel", "said", "asked"),
    [
        ("email", "Alice@Example.COM", "alice@example.com"),
        ("email", "alice@example.com", " ALICE@example.com "),
        ("sms", "+1 (202) 555-0123", "+12025550123"),
    ],
    ids=["case", "spaces", "how a phone is written"],
)
def test_however_it_is_written_it_is_the_same_address(channel, said, asked):
    adapter_says(unusable(said, channel=channel))

    assert suppressed([(channel, asked)], now=NOW) == {(channel, asked)}


def test_it_is_suppressed_on_its_channel_alone():
    adapter_says(unusable("+12025550123", channel="sms"))

    assert not is_suppressed("+12025550123")


def test_one_address_is_one_row_however_often_it_is_said():
    assert adapter_says(unusable(), unusable("ALICE@example.com")) == 1
    assert adapter_says(unusable(reason=Reason.REJECTED)) == 0

    assert [row.reason for row in Suppression.objects.all()] == ["retries_exhausted"]


def test_nothing_is_suppressed_without_an_address(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert suppressed([("email", ""), ("web_push", "0" * 32)], now=NOW) == frozenset()
    assert adapter_says(unusable("")) == 0


def test_it_expires_and_can_come_again(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "SUPPRESSION_DAYS": {"retries_exhausted": 2}}
    adapter_says(unusable())

    assert is_suppressed("alice@example.com", now=NOW + DAY)
    assert not is_suppressed("alice@example.com", now=NOW + 2 * DAY)

    assert adapter_says(unusable(), now=NOW + 3 * DAY) == 1
    assert is_suppressed("alice@example.com", now=NOW + 4 * DAY)
    first, second = Suppression.objects.order_by("created_at")
    assert (first.lifted_at, first.lifted_by) == (NOW + 2 * DAY, None)
    assert second.lifted_at is None


@pytest.mark.parametrize(
    ("days", "after"),
    [({"rejected": 9}, NOW + 10 * DAY), ({}, None), ({"rejected": 1}, NOW + 5 * DAY)],
    ids=["longer", "for good", "shorter"],
)
def test_the_cause_that_lasts_longer_counts(settings, days, after):
    days = {"retries_exhausted": 5, **days}
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "SUPPRESSION_DAYS": days}
    adapter_says(unusable())

    adapter_says(unusable(reason=Reason.REJECTED), now=NOW + DAY)

    assert Suppression.objects.get().expires_at == after


def test_what_is_suppressed_for_good_is_not_made_shorter(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "SUPPRESSION_DAYS": {"rejected": 1}}
    adapter_says(unusable())

    adapter_says(unusable(reason=Reason.REJECTED))

    assert Suppression.objects.get().expires_at is None


def test_it_is_known_after_the_secret_was_changed(settings):
    adapter_says(unusable())

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert is_suppressed("alice@example.com")
    assert address_hash("email", "alice@example.com") != Suppression.objects.get().address_hash


def test_an_endpoint_is_disabled_instead(alice, bob):
    gone, other = make_endpoint(alice), make_endpoint(bob)

    assert adapter_says(unusable(gone.pk.hex, channel="web_push")) == 1
    assert adapter_says(unusable(gone.pk.hex, channel="web_push"), now=NOW + DAY) == 0

    gone.refresh_from_db()
    other.refresh_from_db()
    assert (gone.disabled_at, other.disabled_at) == (NOW, None)
    assert not Suppression.objects.exists()


def test_any_number_of_addresses_costs_the_same(django_assert_max_num_queries):
    found = [unusable(f"p{number}@example.com") for number in range(50)]

    with django_assert_max_num_queries(6):
        assert adapter_says(*found) == 50
    with django_assert_max_num_queries(2):
        assert len(suppressed([("email", one.address) for one in found], now=NOW)) == 50


def test_an_address_does_not_show_where_the_value_is_shown():
    assert "alice@example.com" not in repr(unusable())
