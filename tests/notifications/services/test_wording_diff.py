"""What differs between two wordings is found word by word, and nothing else is called different."""

from __future__ import annotations

import pytest

from notifications.models import TemplateContent
from notifications.services import wording_diff


def content(channel="email", locale="", **texts):
    return TemplateContent(channel=channel, locale=locale, **texts)


def marked(spans):
    return "".join(f"[{span.text}]" if span.is_changed else span.text for span in spans)


def side_by_side(old, new):
    return [
        (row.kind, row.old_number, marked(row.old), row.new_number, marked(row.new))
        for row in wording_diff.lines(old, new)
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        ("a\n\nb", "a\n\nb", [("same", 1, "a", 1, "a"), ("same", 2, "", 2, ""), ("same", 3, "b", 3, "b")]),
        ("", "new", [("added", None, "", 1, "[new]")]),
        ("old\nkept", "kept", [("removed", 1, "[old]", None, ""), ("same", 2, "kept", 1, "kept")]),
        (
            "Hello {{ name }}, it is here.",
            "Hello {{ name }}, it has come.",
            [("changed", 1, "Hello {{ name }}, it [is] [here].", 1, "Hello {{ name }}, it [has] [come].")],
        ),
        ("One line.", "Quite another", [("changed", 1, "[One line.]", 1, "[Quite another]")]),
        ("a b c", "a  b c", [("changed", 1, "a[ ]b c", 1, "a[  ]b c")]),
    ],
    ids=["nothing", "same", "from nothing", "a line less", "words", "another line", "space"],
)
def test_lines_stand_side_by_side(old, new, expected):
    assert side_by_side(old, new) == expected


def test_all_that_was_said_is_on_its_side():
    old = "Hello,\n\nyour order is here.\nGo on.\n\nBye"
    new = "Hi,\n\nyour orders are here!\n\nPS\nBye"

    rows = wording_diff.lines(old, new)

    for text, number, spans in ((old, "old_number", "old"), (new, "new_number", "new")):
        said = ["".join(span.text for span in getattr(row, spans)) for row in rows if getattr(row, number)]
        assert "\n".join(said) == text


def test_a_long_line_is_compared_as_a_whole():
    (row,) = wording_diff.lines("x " * 2000, "x " * 2000 + "y")

    assert [span.is_changed for span in row.new] == [True]


def test_channels_and_languages_are_added_removed_changed_or_the_same():
    old = [content("sms", body="x"), content(body="x", title="t"), content(locale="de", body="x")]
    new = [content("sms", "de", body="x"), content(body="y", html="h"), content(locale="de", body="x")]

    found = {
        (one.row.channel, one.row.locale): (one.kind, [(field.name, field.kind) for field in one.fields])
        for one in wording_diff.compare(old, new)
    }

    assert found == {
        ("sms", ""): ("removed", [("body", "removed")]),
        ("sms", "de"): ("added", [("body", "added")]),
        ("email", ""): ("changed", [("title", "removed"), ("body", "changed"), ("html", "added")]),
        ("email", "de"): ("same", [("body", "same")]),
    }


def test_variables_that_are_read_no_more_or_anew_are_named_but_not_those_of_every_template():
    old = [content(title="{{ kept }} {{ gone }}", body="{{ recipient_name }}")]
    new = [content(title="{{ kept }}", body="{% if anew %}x{% endif %} {{ site_name }}"), content(body="{{ broken")]

    assert wording_diff.variables(old, new) == wording_diff.Variables(
        added=("anew",), removed=("gone",), kept=("kept",)
    )
