"""What every page has in common."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from notifications.models import RecipientSettings
from notifications.pages.page import CONTENT_POLICY
from tests.factories import make_item
from tests.notifications.pages.asking import NOBODY, PREFERENCES, URL, text

PATHS = [URL, f"{URL}?cursor=x:y", PREFERENCES, f"{URL}{NOBODY}/why/"]


@pytest.mark.parametrize("path", PATHS)
def test_the_content_policy_is_strict_and_kept(browser, item, path):
    answer = browser.get(path)
    page = answer.content.decode()

    assert answer["Content-Security-Policy"] == CONTENT_POLICY
    assert "private" in answer["Cache-Control"]
    assert re.search(r"<style|\sstyle=|\son[a-z]+=", page) is None
    assert all(" src=" in script for script in re.findall(r"<script[^>]*>", page))


def test_who_has_chosen_german_reads_german(client_of, bob, template):
    make_item(bob, template)
    browser = client_of(bob)

    answer = browser.get(URL, headers={"Accept-Language": "en"})
    page = text(answer)

    assert '<html lang="de"' in page
    assert answer["Content-Language"] == "de"
    assert "Als gelesen markieren" in page
    assert "Ruhezeiten" in text(browser.get(PREFERENCES))
    assert "Nicht gefunden" in text(browser.get(f"{URL}{NOBODY}/why/"))


def test_who_has_chosen_nothing_reads_the_language_of_the_browser(browser, item):
    assert "Als gelesen markieren" in text(browser.get(URL, headers={"Accept-Language": "de"}))


@pytest.mark.parametrize("stored", [{"locale": "xx"}, {"time_zone": "Europe/Atlantis"}, {"locale": "fr"}], ids=str)
def test_what_is_stored_and_not_known_any_more_is_passed_over(browser, item, stored):
    RecipientSettings.objects.update(**stored)

    assert "Mark as read" in text(browser.get(URL))


def test_times_are_the_readers(browser, item):
    RecipientSettings.objects.update(time_zone="Pacific/Kiritimati")

    assert "+14:00" in text(browser.get(URL))
    assert timezone.get_current_timezone_name() == "UTC"


def test_blocks_can_be_overridden(browser, item, settings, tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    own = '{% extends "notifications/pages/base.html" %}{% block header %}<header>Ours</header>{% endblock %}'
    (folder / "mine.html").write_text(own)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder]}]
    from django.template import engines

    html = engines["django"].get_template("mine.html").render({"language": "en", "site_name": "Shop"})

    assert "<header>Ours</header>" in html
