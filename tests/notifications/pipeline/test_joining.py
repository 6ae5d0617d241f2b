"""Templates of texts and bare variables take a shorter way, to the same end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.exceptions import RenderError
from notifications.pipeline.joining import MAX_JOINED
from notifications.pipeline.sandbox import compile_template

TEXT = st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="{}\x00"), max_size=30)
VALUE = st.one_of(st.text(max_size=30), st.integers(), st.floats(allow_nan=False), st.none(), st.booleans())


def both_ways(source, context, *, html):
    """Return what the shorter way and the nodes make of it: a text, or the message of an error."""
    compiled = compile_template(source, html=html)
    assert compiled.parts is not None
    ends = []
    for way in (compiled, replace(compiled, parts=None)):
        try:
            ends.append(way.render(context))
        except RenderError as e:
            ends.append(f"! {e}")
    return ends


@given(before=TEXT, between=TEXT, after=TEXT, first=VALUE, second=VALUE)
def test_both_ways_lead_to_the_same_text(before, between, after, first, second):
    before, between, after = (text.translate(CONTROLS) for text in (before, between, after))
    source = f"{before}{{{{ first }}}}{between}{{{{ second }}}}{after}"

    shorter, longer = both_ways(source, {"first": first, "second": second}, html=False)

    assert shorter == longer


@given(first=st.text(max_size=50))
def test_both_ways_escape_alike(first):
    shorter, longer = both_ways("<p>{{ first }}</p>", {"first": first}, html=True)

    assert shorter == longer


@pytest.mark.parametrize(
    ("source", "context"),
    [
        ("{{ absent }}", {}),
        ("{{ a }}{{ a }}", {"a": "x" * MAX_JOINED}),
        ("{{ a }}", {"a": [1, 2]}),
        ("{{ a }}", {"a": "x" * 300_000}),
        ("nothing", {}),
        ("", {}),
    ],
    ids=["missing", "long", "list", "too-long", "text", "empty"],
)
def test_what_is_no_short_text_is_a_case_for_the_nodes(source, context):
    shorter, longer = both_ways(source, context, html=False)

    assert shorter == longer


@pytest.mark.parametrize("source", ["{{ a|upper }}", "{{ a.b }}", "{% if a %}x{% endif %}", "{{ 'a' }}", "{{ 5 }}"])
def test_there_is_no_shorter_way_for_more_than_bare_variables(source):
    assert compile_template(source, html=False).parts is None


class Loud(str):
    """A text that would be written otherwise."""

    __slots__ = ()

    def __str__(self) -> str:
        return "LOUD"


def test_what_only_passes_for_a_text_is_a_case_for_the_nodes():
    shorter, longer = both_ways("{{ a }}", {"a": Loud("quiet")}, html=False)

    assert shorter == longer == "quiet"


CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(127, 160)])
