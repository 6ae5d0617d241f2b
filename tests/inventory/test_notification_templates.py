"""What is particular about the wording of inventory."""

from __future__ import annotations

import pytest

from tests.wordings import of_app, wording


def test_the_codes_are_those_the_receivers_publish():
    assert of_app("inventory") == {"LOW_STOCK_ALERT"}


@pytest.mark.parametrize(
    ("locale", "current_stock", "words"),
    [
        ("", 5, "Only 5 left of ESP-100"),
        ("", 0, "None left of ESP-100"),
        ("de", 5, "Nur noch 5 Stück von ESP-100"),
        ("de", 0, "Nichts mehr von ESP-100"),
    ],
)
def test_the_alert_says_how_many_are_left(locale, current_stock, words):
    assert words in wording("LOW_STOCK_ALERT", "in_app", locale, current_stock=current_stock).body
