"""What names nobody is rendered once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from notifications import ids
from notifications.pipeline import wording
from notifications.pipeline.sharing import Wordings
from notifications.values import Content, Reader

NAMELESS = Content(id=1, channel="in_app", locale="", title="Order {{ number }}", body="{{ price }}")
NAMING = Content(id=2, channel="in_app", locale="", title="Hello {{ recipient_name }}", body="")
ALICE, BOB = Reader(name="Alice"), Reader(name="Bob")


def said(broadcast_id=None, **variables):
    values = {"number": "1", "price": 1.5, **variables}
    return SimpleNamespace(
        pk=ids.uuid7(), broadcast_id=broadcast_id, variables=values, action_url="", action_text="", template_id="X"
    )


@pytest.fixture
def rendered(monkeypatch):
    """Who was rendered for, each time."""
    readers = []
    render_event = wording.render_event

    def counted(content, event, *, reader):
        readers.append(reader.name)
        return render_event(content, event, reader=reader)

    monkeypatch.setattr(wording, "render_event", counted)
    return readers


def test_words_that_name_nobody_are_rendered_once(rendered):
    wordings, event = Wordings(), said()

    assert wordings.render(event, NAMELESS, ALICE) == wordings.render(event, NAMELESS, BOB)
    assert rendered == ["Alice"]


def test_words_that_name_their_reader_are_rendered_for_each(rendered):
    wordings, event = Wordings(), said()

    titles = [wordings.render(event, NAMING, reader).title for reader in (ALICE, BOB)]

    assert (titles, rendered) == (["Hello Alice", "Hello Bob"], ["Alice", "Bob"])


def test_events_of_one_broadcast_say_the_same(rendered):
    wordings, broadcast = Wordings(), ids.uuid7()

    for _ in range(3):
        wordings.render(said(broadcast), NAMELESS, ALICE)

    assert rendered == ["Alice"]


def test_other_events_say_something_else():
    wordings = Wordings()

    titles = [wordings.render(said(number=number), NAMELESS, ALICE).title for number in ("1", "2")]

    assert titles == ["Order 1", "Order 2"]


def test_who_reads_numbers_and_dates_otherwise_gets_a_rendering_of_their_own():
    wordings, event = Wordings(), said()

    bodies = [wordings.render(event, NAMELESS, Reader(locale=locale)).body for locale in ("en", "de")]

    assert bodies == ["1.5", "1,5"]
    wordings.render(event, NAMELESS, Reader(time_zone="Europe/Berlin"))
    assert len(wordings._shared) == 3
