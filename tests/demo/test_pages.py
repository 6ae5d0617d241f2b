"""The pages of the notification center, in the demo."""

from __future__ import annotations

from django.urls import reverse


def test_who_is_nobody_chooses_who_to_be_and_comes_back(shop, settings):
    settings.LOGIN_URL = "demo:shop"
    browser = shop()

    asked = browser.get("/notifications/?status=unread", follow=True)

    assert asked.redirect_chain[0][0] == "/?next=/notifications/%3Fstatus%3Dunread"
    assert 'name="next" value="/notifications/?status=unread"' in asked.content.decode()

    chosen = browser.post(reverse("demo:login"), {"username": "alice", "next": "/notifications/?status=unread"})
    assert chosen["Location"] == "/notifications/?status=unread"
    assert browser.get(chosen["Location"]).status_code == 200
