"""Staff look at payments; the gateway decides."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from payments.services import pay

pytestmark = pytest.mark.usefixtures("shipped_templates")


@pytest.fixture
def payment(alice):
    return pay(
        alice, order_number="ORD-10042", amount=Decimal("1499.00"), currency="EUR", card_number="4000000000000002"
    )


def test_the_list_shows_what_the_gateway_said(admin_client, payment):
    page = admin_client.get(reverse("admin:payments_payment_changelist"), {"q": "ORD-10042"})

    assert page.status_code == 200
    for text in ("ORD-10042", "alice", "1499.00", "card_declined"):
        assert text in page.text


def test_a_payment_cannot_be_edited(admin_client, payment):
    address = reverse("admin:payments_payment_change", args=[payment.pk])

    page = admin_client.get(address)
    answer = admin_client.post(address, {"state": "captured"})

    assert payment.gateway_reference in page.text
    assert answer.status_code == 403
    payment.refresh_from_db()
    assert payment.state == "failed"


@pytest.mark.parametrize("view", ["add", "delete"])
def test_payments_are_neither_added_nor_deleted_by_hand(admin_client, payment, view):
    args = [payment.pk] if view == "delete" else []

    assert admin_client.get(reverse(f"admin:payments_payment_{view}", args=args)).status_code == 403
