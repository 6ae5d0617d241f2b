"""Logging in and registering: one click, and only in the demo."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.urls import Resolver404, resolve

from notifications.models import Event
from tests.demo.conftest import told


def test_without_the_demo_setting_nothing_of_it_is_mounted(db, client):
    get_user_model().objects.create_user("alice")

    assert client.post("/login/", {"username": "alice"}).status_code == 404
    assert client.post("/register/", {"first_name": "Dora"}).status_code == 404
    with pytest.raises(Resolver404):
        resolve("/login/", "config.urls")


@pytest.mark.parametrize(("url", "data"), [("/login/", {"username": "admin"}), ("/register/", {"first_name": "Dora"})])
def test_without_the_demo_setting_nobody_gets_in_even_if_it_were_mounted(shop, settings, url, data):
    settings.DEMO = False
    browser = shop()

    assert browser.post(url, data).status_code == 404
    assert "_auth_user_id" not in browser.session
    assert not get_user_model().objects.filter(first_name="Dora").exists()


def test_one_click_logs_in_and_leads_back(shop):
    browser = shop()

    answer = browser.post("/login/", {"username": "bob", "next": "/outbox/"})

    assert answer["Location"] == "/outbox/"
    assert browser.session["_auth_user_id"] == str(get_user_model().objects.get(username="bob").pk)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_logging_in_never_leads_off_the_site(shop, elsewhere):
    assert shop().post("/login/", {"username": "bob", "next": elsewhere})["Location"] == "/"


def test_logging_in_as_nobody_is_404(shop):
    assert shop().post("/login/", {"username": "mallory"}).status_code == 404


def test_logging_out(shop):
    browser = shop("alice")

    browser.post("/logout/")

    assert "_auth_user_id" not in browser.session


def test_a_newcomer_is_logged_in_and_welcomed_later(shop):
    browser = shop()

    answer = browser.post("/register/", {"first_name": " Dora "})

    dora = get_user_model().objects.get(username="dora")
    assert (dora.first_name, dora.email) == ("Dora", "dora@example.com")
    assert browser.session["_auth_user_id"] == str(dora.pk)
    assert "Your welcome arrives in" in told(answer)[0]
    assert Event.objects.get().template_id == "USER_WELCOME"


@pytest.mark.parametrize(
    ("name", "username"), [("Alice", "alice2"), ("Zoë <b>", "zoe-b"), ("李", "customer"), ("Admin!", "admin2")]
)
def test_a_newcomer_gets_a_name_nobody_has(shop, name, username):
    shop().post("/register/", {"first_name": name})

    assert get_user_model().objects.get(username=username).first_name == name


@pytest.mark.parametrize("name", ["", "   ", "x" * 51, "a\x00b"])
def test_a_name_that_cannot_be_is_answered_kindly(shop, name):
    answer = shop().post("/register/", {"first_name": name})

    assert len(told(answer)) == 1
    assert not Event.objects.exists()
