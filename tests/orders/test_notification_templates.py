"""What is particular about the wording of orders."""

from __future__ import annotations

import re

import pytest

from tests.wordings import of_app, wording


def test_the_codes_are_those_the_receivers_publish():
    assert of_app("orders") == {"ORDER_CREATED", "ORDER_SHIPPED", "ORDER_DELIVERED", "USER_WELCOME"}


@pytest.mark.parametrize(
    ("locale", "total"), [("", "Total: 1,499.00 EUR"), ("de", "Gesamtbetrag: 1.499,00 EUR")], ids=["en", "de"]
)
def test_the_confirmation_lists_the_lines_and_the_total_as_the_reader_writes_it(locale, total):
    body = wording("ORDER_CREATED", "email", locale).body

    assert "\n  1 \N{MULTIPLICATION SIGN} Espresso machine\n  2 \N{MULTIPLICATION SIGN} Cup, hand-glazed\n\n" in body
    assert total in body


@pytest.mark.parametrize(("locale", "rest"), [("", "and 485 more"), ("de", "und 485 weitere")], ids=["en", "de"])
def test_the_confirmation_of_a_long_order_says_how_many_lines_are_not_shown(locale, rest):
    email = wording("ORDER_CREATED", "email", locale, lines_not_shown=485)

    assert f"\n  {rest}\n" in email.body
    assert re.search(f"<li[^>]*>{rest}</li>", email.html)


@pytest.mark.parametrize(("item_count", "words"), [(1, "1 item for"), (3, "3 items for")], ids=["one", "many"])
def test_the_confirmation_counts_correctly(item_count, words):
    assert words in wording("ORDER_CREATED", "in_app", item_count=item_count).body
