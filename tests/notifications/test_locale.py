"""What readers see is in their language, and in their manner and zone."""

from __future__ import annotations

import gettext
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db.models import IntegerChoices, TextChoices
from django.utils import translation

from notifications import types
from notifications.models import Category, RecipientSettings, Template
from notifications.pipeline import wording
from notifications.pipeline.delivery import deliver_batch
from notifications.pipeline.dispatch import dispatch_batch
from notifications.publishing import publish_notification
from notifications.services import inbox
from notifications.types import Priority
from notifications.values import Content
from tests.factories import make_template

FOLDER = Path(types.__file__).parent / "locale/de/LC_MESSAGES"
WORDS = [
    member
    for choices in vars(types).values()
    if isinstance(choices, type) and issubclass(choices, TextChoices | IntegerChoices)
    for member in choices
]


@pytest.mark.parametrize("word", WORDS, ids=repr)
def test_every_word_of_the_system_has_its_german(word):
    with (FOLDER / "django.mo").open("rb") as file:
        german = gettext.GNUTranslations(file)

    with translation.override("en"):
        label = str(word.label)
    assert label in german._catalog  # type: ignore[attr-defined]


def test_what_is_compiled_is_what_is_written():
    text = (FOLDER / "django.po").read_text(encoding="utf-8")
    written = dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.MULTILINE))
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]

    def plain(quoted):
        return quoted.replace('\\"', '"')

    assert {plain(a): plain(b) for a, b in written.items()} == {a: b for a, b in compiled.items() if a}


@pytest.mark.parametrize(
    ("locale", "content", "language"),
    [
        ("", "", "en"),
        ("de-AT", "", "de-AT"),
        ("de-AT", "de", "de-AT"),
        ("de", "de-AT", "de-AT"),
        ("fr", "en", "en"),
        ("pt_BR", "pt", "pt_BR"),
    ],
)
def test_a_content_is_filled_in_in_the_readers_manner_as_far_as_it_is_in_their_language(locale, content, language):
    words = Content(id=1, channel="email", locale=content, title="", body="")

    assert wording.language(words, locale) == language


PAID = {
    "contents": {
        ("in_app", ""): {"title": "{{ amount|floatformat:2 }}", "body": "{{ paid_at|date:'DATE_FORMAT' }} {{ paid_at|time:'H:i' }}"},
        ("email", ""): {"title": "Paid", "body": "{{ amount|floatformat:2 }} at {{ paid_at|time:'H:i' }}"},
    },
    "variables": {"amount": {"sample": 1.5, "required": True}, "paid_at": {"sample": "2026-03-01T12:00:00Z"}},
}  # fmt: skip


@pytest.fixture
def paid(alice, bob, charlie, mailoutbox):
    """Tell three people, who live apart and write numbers differently, the same thing."""
    make_template("PAID", **PAID)
    zones = {alice: ("en", "America/New_York"), bob: ("de-AT", "Europe/Vienna")}
    for person, (locale, zone) in zones.items():
        RecipientSettings.objects.filter(recipient=person).update(locale=locale, time_zone=zone)
    variables = {"amount": 1.5, "paid_at": datetime(2026, 3, 1, 23, 30, tzinfo=UTC).isoformat()}
    for person in (alice, bob, charlie):
        publish_notification("PAID", recipient=person, variables=variables, action_url="/orders/1/")
    while dispatch_batch(Priority.LOW, more=lambda: None):
        pass
    deliver_batch("email", more=lambda: None)


def test_numbers_dates_and_times_are_the_readers(alice, bob, charlie, paid, mailoutbox):
    items = {person: inbox.of(person).get() for person in (alice, bob, charlie)}

    assert {person.username: (item.title, item.body) for person, item in items.items()} == {
        "alice": ("1.50", "March 1, 2026 18:30"),
        "bob": ("1,50", "2. März 2026 00:30"),
        "charlie": ("1.50", "March 1, 2026 23:30"),
    }
    bodies = {message.to[0]: message.body for message in mailoutbox}
    assert "1.50 at 18:30" in bodies["alice@example.com"]
    assert "1,50 at 00:30" in bodies["bob@example.com"]


def test_what_the_layout_says_is_in_the_readers_language(bob, paid, mailoutbox):
    (message,) = (message for message in mailoutbox if message.to == ["bob@example.com"])
    html = message.alternatives[0][0]

    assert "Details ansehen" in html
    assert "Gesendet von <a" in html
    assert "Details ansehen" in message.body


def test_what_is_shipped_has_german_names(shipped_templates):
    """Preferences show them."""
    names = {*Category.objects.values_list("name", flat=True), *Category.objects.values_list("description", flat=True)}
    names |= set(Template.objects.values_list("name", flat=True))
    assert len(names) >= 17

    with translation.override("de"):
        assert [name for name in names if translation.gettext(name) == name] == []
