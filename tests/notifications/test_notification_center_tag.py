"""The tag that puts the notification center on a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import TemplateSyntaxError, engines
from django.utils import translation

import notifications
from notifications.labels import LABELS

STATIC = Path(notifications.__file__).parent / "static/notifications"
SCRIPTS = [STATIC / "notification-labels.js", STATIC / "notification-push.js"]


class Elements(HTMLParser):
    """Collects the elements with their attributes."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def render(rf, alice):
    """Return a function that renders a template for somebody, Alice unless said otherwise."""

    def render(source, user=alice):
        request = rf.get("/")
        request.user = user
        return engines["django"].from_string("{% load notification_center %}" + source).render({}, request)

    return render


def elements(html):
    parser = Elements()
    parser.feed(html)
    return parser.found


def test_it_is_a_link_until_it_is_upgraded(render, alice):
    html = render("{% notification_center %}")
    (center, link, script) = elements(html)

    assert center[1].pop("csrf-token")
    assert center == (
        "notification-center",
        {
            "api": "/api/notifications/", "inbox-url": "/notifications/", "user": str(alice.pk), "lang": "en",
            "mode": "popover", "tabs": "on",
        },
    )  # fmt: skip
    assert link == ("a", {"href": "/notifications/"})
    assert script == ("script", {"type": "module", "src": "static/notifications/notification-center.js"}) or script[1][
        "src"
    ].endswith("/notifications/notification-center.js")
    assert ">Notifications</a></notification-center>" in html


def test_the_script_is_there_once(render):
    html = render("{% notification_center %}{% notification_center mode='page' theme='dark' tabs='off' %}")

    assert html.count("<script") == 1
    assert [e[1]["mode"] for e in elements(html) if e[0] == "notification-center"] == ["popover", "page"]
    assert 'theme="dark" tabs="off"' in html


def test_nobody_gets_nothing(render):
    assert render("{% notification_center %}", AnonymousUser()) == ""
    assert render("{% notification_center_around %}Hi{% endnotification_center_around %}", AnonymousUser()) == "Hi"
    assert engines["django"].from_string("{% load notification_center %}{% notification_center %}").render({}) == ""


def test_it_can_stand_around_what_is_there_already(render):
    html = render("{% notification_center_around mode='page' %}<p>{{ x }}List</p>{% endnotification_center_around %}")

    assert re.search(r'mode="page"[^>]*><p>List</p></notification-center>', html)


@pytest.mark.parametrize("option", ["mode='window'", "theme='blue'", "tabs='<'"])
def test_an_option_there_is_not_is_an_error(render, option):
    with pytest.raises(TemplateSyntaxError, match="there are"):
        render(f"{{% notification_center {option} %}}")


def test_other_languages_come_as_labels(render, monkeypatch):
    monkeypatch.setitem(LABELS, "title", '"><script>alert(1)</script>')
    with translation.override("de"):
        html = render("{% notification_center %}")

    (center, *_) = elements(html)
    labels = json.loads(center[1]["labels"])
    assert center[1]["lang"] == "de"
    assert labels["mark_read"] == "Als gelesen markieren"
    assert labels["title"] == '"><script>alert(1)</script>'
    assert "<script>alert" not in html


def test_it_asks_the_database_nothing(render, django_assert_num_queries):
    with django_assert_num_queries(0):
        render("{% notification_center %}")


def test_the_component_and_the_site_say_the_same():
    said: dict[str, str] = {}
    for script in SCRIPTS:
        (table,) = re.findall(r"export const LABELS = (\{.*?\n\});", script.read_text(encoding="utf-8"), re.DOTALL)
        said |= json.loads(table)

    with translation.override("en"):
        assert {key: str(text) for key, text in LABELS.items()} == said


def test_every_label_has_its_german():
    kept_as_it_is = {"offline"}
    with translation.override("de"):
        german = {key: str(text) for key, text in LABELS.items()}
    with translation.override("en"):
        same = {key for key, text in LABELS.items() if str(text) == german[key]}

    assert same <= kept_as_it_is
