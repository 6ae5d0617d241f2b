"""The links below an e-mail."""

from __future__ import annotations

from django.utils import translation

from notifications.pipeline.ways_out import PLACE, added
from notifications.values import Rendered, WaysOut
from tests.notifications.pipeline.test_mail_frame import frame

UNSUBSCRIBE, PREFERENCES = "https://shop.example/u?a=1&b=2", "https://shop.example/p"


def rendered():
    return Rendered(title="Order 42", body="It is here.", html=frame())


def test_links_stand_below_the_text_and_the_html():
    made = added(rendered(), WaysOut(unsubscribe_url=UNSUBSCRIBE, preferences_url=PREFERENCES), language="en")

    assert made.body.splitlines() == [
        "It is here.", "", "-- ", f"Unsubscribe: {UNSUBSCRIBE}", f"Your preferences: {PREFERENCES}",
    ]  # fmt: skip
    assert '<a href="https://shop.example/u?a=1&amp;b=2"' in made.html
    assert ">Your preferences</a>" in made.html
    assert PLACE not in made.html


def test_a_reader_who_cannot_unsubscribe_is_not_told_how():
    made = added(rendered(), WaysOut(preferences_url=PREFERENCES), language="en")

    assert "Unsubscribe" not in made.body + made.html
    assert added(rendered(), WaysOut(), language="en") == rendered()


def test_links_are_named_in_the_readers_language():
    with translation.override("de"):
        made = added(rendered(), WaysOut(unsubscribe_url=UNSUBSCRIBE), language="de")

    assert f"Abmelden: {UNSUBSCRIBE}" in made.body
    assert ">Abmelden</a>" in made.html
