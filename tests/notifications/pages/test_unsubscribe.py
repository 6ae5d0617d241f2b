"""Unsubscribing without a login: looking changes nothing, one click does, and it can be undone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone
from rest_framework.views import APIView

from notifications.models import Category, ConsentChange, Preference
from notifications.pipeline import links
from notifications.pipeline.links import Link
from notifications.services import preferences
from notifications.services.consent import Origin
from notifications.types import ConsentSource
from notifications.values import WaysOut
from tests.factories import make_template

pytestmark = pytest.mark.django_db

MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
    "multipart/form-data; boundary=b",
)
#: The two encodings of RFC 8058 §3.1.
ONE_CLICK = [(b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"), MULTIPART]


@pytest.fixture
def stranger():
    """Somebody's browser, or a mail program, that is not logged in and has no token of ours."""
    return Client(enforce_csrf_checks=True)


def link_of(user, *, category="orders", channel="email"):
    return Link(recipient=str(user.pk), category=category, channel=channel)


def path_of(user, **given):
    return urlsplit(links.pages().ways_out(link_of(user, **given).token).unsubscribe_url).path


def preferences_path_of(user):
    return urlsplit(links.pages().ways_out(link_of(user).token).preferences_url).path


def cadences(user, channel="email"):
    rows = Preference.objects.filter(recipient=user, channel=channel)
    return {row.template_id or row.category_id: row.cadence for row in rows}


def wish(user, cadence, **given):
    origin = Origin(source=ConsentSource.API, by=user)
    given = given or {"category": "orders"}
    preferences.set_cadence(user, channel="email", cadence=cadence, now=timezone.now(), origin=origin, **given)


def test_looking_a_hundred_times_changes_nothing(stranger, alice, template, django_assert_num_queries):
    pages = set()

    for _ in range(50):
        with django_assert_num_queries(1):
            pages.add(stranger.get(path_of(alice)).content)
        stranger.head(path_of(alice))

    assert len(pages) == 1
    assert not Preference.objects.exists()
    assert not ConsentChange.objects.exists()


@pytest.mark.parametrize(("body", "content_type"), ONE_CLICK, ids=["urlencoded", "multipart"])
def test_one_click_unsubscribes(stranger, alice, bob, template, body, content_type):
    responses = [stranger.post(path_of(alice), body, content_type=content_type) for _ in range(2)]

    assert [(response.status_code, response.content) for response in responses] == [(200, b"")] * 2
    assert cadences(alice) == {"orders": "off"}
    assert not cadences(alice, "sms")
    assert not cadences(bob)
    line = ConsentChange.objects.get()
    assert (line.recipient, line.subject, line.channel, line.after) == (alice, "category:orders", "email", "off")
    assert (line.source, line.changed_by) == (ConsentSource.UNSUBSCRIBE, None)


def test_the_form_of_the_page_unsubscribes_and_undoes(stranger, alice, template):
    done = stranger.post(path_of(alice), {"do": "unsubscribe"})
    assert (done.status_code, cadences(alice)) == (200, {"orders": "off"})
    assert 'value="undo"' in done.content.decode()

    undone = stranger.post(path_of(alice), {"do": "undo"})
    assert (undone.status_code, cadences(alice)) == (200, {})
    assert 'value="unsubscribe"' in undone.content.decode()
    stranger.post(path_of(alice), {"do": "undo"})
    assert ConsentChange.objects.count() == 2


def test_wishes_for_templates_are_switched_off_and_put_back_too(stranger, alice, template):
    make_template("ORDER_SHIPPED")
    make_template("PAYMENT", category="payments")
    wish(alice, "daily")
    wish(alice, "immediately", template="ORDER_CREATED")
    wish(alice, "off", template="ORDER_SHIPPED")
    wish(alice, "weekly", template="PAYMENT")
    before = cadences(alice)

    stranger.post(path_of(alice), {"do": "unsubscribe"})
    assert cadences(alice) == {"orders": "off", "ORDER_CREATED": "off", "ORDER_SHIPPED": "off", "PAYMENT": "weekly"}

    stranger.post(path_of(alice), {"do": "undo"})
    assert cadences(alice) == before


def test_undo_leaves_alone_what_was_changed_since(stranger, alice, template):
    stranger.post(path_of(alice), {"do": "unsubscribe"})
    wish(alice, "weekly")

    stranger.post(path_of(alice), {"do": "undo"})

    assert cadences(alice) == {"orders": "weekly"}


def test_undo_leaves_alone_what_was_switched_off_elsewhere(stranger, alice, template):
    wish(alice, "off")

    stranger.post(path_of(alice), {"do": "unsubscribe"})
    stranger.post(path_of(alice), {"do": "undo"})

    assert cadences(alice) == {"orders": "off"}


@pytest.mark.parametrize("body", [{}, {"do": "nothing"}, {"List-Unsubscribe": "Two-Click"}], ids=repr)
def test_a_form_without_its_word_is_refused(stranger, alice, template, body):
    assert stranger.post(path_of(alice), body).status_code == 400
    assert not Preference.objects.exists()


def test_a_long_form_is_not_read(stranger, alice, template):
    assert stranger.post(path_of(alice), {"do": "x" * 70_000}).status_code == 413
    assert stranger.post(path_of(alice), {}, headers={"Content-Length": "many"}).status_code == 413


def test_a_link_works_under_the_secret_before(stranger, alice, template, settings):
    path = path_of(alice)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"

    assert stranger.post(path, {"do": "unsubscribe"}).status_code == 200
    assert cadences(alice) == {"orders": "off"}

    settings.SECRET_KEY_FALLBACKS = []
    assert stranger.post(path, {"do": "undo"}).status_code == 404
    assert cadences(alice) == {"orders": "off"}


def test_a_link_that_was_changed_is_nobodys(stranger, alice, bob, template):
    token, other = link_of(alice).token, link_of(bob).token
    said, _, signature = token.partition(":")

    for wrong in (
        f"{other.partition(':')[0]}:{signature}",
        said,
        f"{said}:",
        f"{token}x",
        token[:-1],
        "x",
        f"{said}:\x00",
    ):
        for path in (f"/n/unsubscribe/{wrong}/", f"/n/preferences/{wrong}/"):
            assert stranger.get(path).status_code == 404
            assert stranger.post(path, {"do": "unsubscribe"}).status_code == 404
    assert not Preference.objects.exists()


def test_nothing_of_a_person_is_in_the_link(alice, template):
    token = link_of(alice).token

    assert link_of(alice).token == token
    unsubscribe_url = links.pages().ways_out(token).unsubscribe_url
    assert "alice" not in unsubscribe_url
    assert unsubscribe_url == f"http://127.0.0.1:8000/n/unsubscribe/{token}/"


def test_the_page_of_somebody_who_is_gone_is_the_same(stranger, alice, template):
    path, asked = path_of(alice), [None, {"do": "unsubscribe"}, {"do": "undo"}]

    def answers():
        responses = [stranger.post(path, body) if body else stranger.get(path) for body in asked]
        return [(response.status_code, response.content, dict(response.headers)) for response in responses]

    there = answers()
    alice.delete()

    assert answers() == there
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200


def test_what_is_required_cannot_be_switched_off(stranger, alice, template):
    Category.objects.update(required=True)

    assert 'name="do"' not in stranger.get(path_of(alice)).content.decode()
    for body in ({"do": "unsubscribe"}, {"List-Unsubscribe": "One-Click"}):
        assert stranger.post(path_of(alice), body).status_code == 409
    assert not Preference.objects.exists()


def test_a_category_that_is_gone_cannot_be_switched_off(stranger, alice, db):
    assert stranger.get(path_of(alice)).status_code == 200
    assert stranger.post(path_of(alice), {"do": "unsubscribe"}).status_code == 409


@pytest.mark.parametrize("make_path", [path_of, preferences_path_of], ids=["unsubscribe", "preferences"])
def test_no_cookie_no_cache_no_referrer_no_script(stranger, alice, template, make_path):
    for response in (stranger.get(make_path(alice)), stranger.post(make_path(alice), {"do": "unsubscribe"})):
        assert not response.cookies
        assert "Cookie" not in response.headers.get("Vary", "")
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Content-Security-Policy"].startswith(
            "default-src 'none'; style-src 'self'; form-action 'self'"
        )
        assert "<script" not in response.content.decode()


def test_the_page_speaks_the_readers_language(stranger, alice, template):
    page = stranger.get(path_of(alice), headers={"Accept-Language": "de"}).content.decode()

    assert '<html lang="de"' in page
    assert "Alle Ihre Einstellungen" in page


def test_the_preferences_of_who_got_the_link_are_shown_and_written(stranger, alice, bob, template):
    wish(alice, "weekly")
    path = preferences_path_of(alice)

    assert 'value="weekly" selected' in stranger.get(path).content.decode()
    saved = stranger.post(path, {"category:orders:email": "daily", "category:orders:sms": "off"})

    assert saved.status_code == 200
    assert "Saved" in saved.content.decode()
    assert (cadences(alice), cadences(alice, "sms")) == ({"orders": "daily"}, {"orders": "off"})
    assert ConsentChange.objects.filter(source=ConsentSource.UNSUBSCRIBE, changed_by=None).count() == 2
    assert not cadences(bob)


def test_looking_at_preferences_changes_nothing(stranger, alice, template):
    for _ in range(100):
        stranger.get(preferences_path_of(alice))

    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"category:orders:pigeon": "daily"}, 400), ({"category:orders:email": "sometimes"}, 400)],
    ids=["empty", "channel", "cadence"],
)
def test_wishes_that_cannot_be_granted_are_refused(stranger, alice, template, body, status):
    assert stranger.post(preferences_path_of(alice), body).status_code == status
    assert not Preference.objects.exists()


def test_preferences_of_somebody_who_is_gone_are_those_of_nobody(stranger, alice, template):
    path = preferences_path_of(alice)
    page = stranger.get(path).content
    alice.delete()

    assert stranger.get(path).content == page
    assert stranger.post(path, {"category:orders:email": "daily"}).status_code == 200
    assert not Preference.objects.exists()


def test_nothing_else_is_exempt_from_the_check_against_forged_requests():
    assert set(exempt()) == {"n/unsubscribe/", "n/preferences/", "n/callbacks/"}


def exempt(patterns=None, prefix=""):
    """Yield where a forged request is let through. REST framework exempts its views, and asks again itself."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from exempt(pattern.url_patterns, path)
        elif getattr(pattern.callback, "csrf_exempt", False) and not is_of_rest_framework(pattern.callback):
            yield path.partition("<")[0]


def is_of_rest_framework(view):
    return issubclass(getattr(view, "cls", object), APIView)


def test_where_the_pages_are_not_mounted_there_is_no_link(alice, settings):
    settings.ROOT_URLCONF = "notifications.api.urls"

    assert links.pages().ways_out(link_of(alice).token) == WaysOut()
