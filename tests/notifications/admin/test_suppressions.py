"""Addresses that are out of use, on the pages of staff."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Suppression
from notifications.pipeline.suppressing import Unusable, suppress, suppressed
from notifications.types import Reason, SuppressionSource
from tests.factories import make_endpoint

EMAIL = ("email", "alice@example.com")


@pytest.fixture
def bounced(alice):
    found = Unusable(channel=EMAIL[0], address=EMAIL[1], reason=Reason.HARD_BOUNCE, code="5.1.1", recipient=alice.pk)
    suppress([found], source=SuppressionSource.PROVIDER, now=timezone.now())
    return Suppression.objects.get()


def is_suppressed():
    return EMAIL in suppressed([EMAIL], now=timezone.now())


def test_the_list_says_why_and_masks_the_address(admin_client, bounced, address):
    page = admin_client.get(address("suppression", "changelist")).text

    assert "the address does not exist" in page
    assert "5.1.1" in page
    assert "a***@example.com" in page
    assert EMAIL[1] not in page


@pytest.mark.parametrize("term", ["ALICE@example.com", "alice"], ids=["address", "user"])
def test_it_is_found_by_its_address_or_whose_it_was(admin_client, bounced, address, term):
    assert "5.1.1" in admin_client.get(address("suppression", "changelist"), {"q": term}).text
    assert "5.1.1" not in admin_client.get(address("suppression", "changelist"), {"q": f"{term}x"}).text


def test_an_address_is_found_after_it_was_erased(admin_client, bounced, alice, address):
    Suppression.objects.update(address="")
    alice.delete()

    page = admin_client.get(address("suppression", "changelist"), {"q": EMAIL[1]}).text

    assert "5.1.1" in page
    assert "erased" in page


def test_staff_lift_it_and_say_why(admin_client, admin_user, bounced, address):
    page = admin_client.get(address("suppression", "change", bounced.pk)).text
    assert EMAIL[1] in page

    admin_client.post(address("suppression", "change", bounced.pk), {"lift_reason": "She wrote from there today."})

    bounced.refresh_from_db()
    assert (bounced.lifted_by, bounced.lift_reason) == (admin_user, "She wrote from there today.")
    assert not is_suppressed()


def test_without_a_reason_it_stays(admin_client, bounced, address):
    page = admin_client.post(address("suppression", "change", bounced.pk), {"lift_reason": " "})

    assert page.status_code == 200
    assert is_suppressed()


def test_what_is_lifted_or_expired_stays_as_it_is(admin_client, bounced, address):
    for ended in ({"lifted_at": timezone.now()}, {"lifted_at": None, "expires_at": timezone.now() - timedelta(days=1)}):
        Suppression.objects.update(**ended)
        assert admin_client.get(address("suppression", "change", bounced.pk)).status_code == 200
        response = admin_client.post(address("suppression", "change", bounced.pk), {"lift_reason": "Again."})
        assert response.status_code == 403
    assert Suppression.objects.get().lift_reason == ""


def test_who_may_only_look_sees_the_address_masked_and_lifts_nothing(log_in, bounced, address):
    client = log_in("view_suppression")

    page = client.get(address("suppression", "change", bounced.pk)).text
    assert "a***@example.com" in page
    assert EMAIL[1] not in page
    assert client.post(address("suppression", "change", bounced.pk), {"lift_reason": "Why not"}).status_code == 403
    assert client.get(address("suppression", "add")).status_code == 403
    assert is_suppressed()


def test_nobody_deletes_one(admin_client, bounced, address):
    assert admin_client.post(address("suppression", "delete", bounced.pk), {"post": "yes"}).status_code == 403


def test_staff_take_an_address_out_of_use(admin_client, db, address):
    form = {"channel": "email", "address": EMAIL[1], "reason": "unsubscribed"}

    for _ in range(2):
        page = admin_client.post(address("suppression", "add"), form, follow=True)

    assert "It was suppressed already" in page.text
    row = Suppression.objects.get()
    assert (row.source, row.reason, row.address) == (SuppressionSource.STAFF, "unsubscribed", EMAIL[1])
    assert is_suppressed()


@pytest.mark.parametrize(
    "change",
    [{"address": "alice"}, {"channel": "sms"}, {"channel": "web_push"}, {"reason": "digest"}, {"address": ""}],
    ids=repr,
)
def test_what_is_no_address_is_refused(admin_client, db, address, change):
    form = {"channel": "email", "address": EMAIL[1], "reason": "complaint", **change}

    assert admin_client.post(address("suppression", "add"), form).status_code == 200
    assert not Suppression.objects.exists()


def test_endpoints_are_shown_without_what_makes_them_usable(admin_client, alice, address):
    endpoint = make_endpoint(alice, disabled_at=timezone.now(), label="Laptop")

    for page in (
        admin_client.get(address("endpoint", "changelist"), {"q": "alice"}).text,
        admin_client.get(address("endpoint", "change", endpoint.pk)).text,
    ):
        assert "Laptop" in page
        assert "updates.push.services.mozilla.com" in page
        assert "/wpush/" not in page
    assert admin_client.get(address("endpoint", "add")).status_code == 403
