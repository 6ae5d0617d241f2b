"""How many parts a text message has, by the vectors of 3GPP TS 23.038."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.channels.segments import EXTENDED, GSM, split

EMOJI = "😀"


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("", [0]),
        ("a" * 160, [160]),
        ("a" * 161, [153, 8]),
        ("a" * 306, [153, 153]),
        ("a" * 307, [153, 153, 1]),
        ("€" * 80, [80]),
        ("€" * 81, [76, 5]),
        ("a" * 158 + "€", [159]),
        ("a" * 159 + "€", [153, 7]),
        ("a" * 151 + "€" + "a" * 20, [152, 20]),
        ("a" * 152 + "€" + "a" * 20, [152, 21]),
        ("€" * 153, [76, 76, 1]),
        ("я" * 70, [70]),
        ("я" * 71, [67, 4]),
        ("я" * 134, [67, 67]),
        ("я" * 135, [67, 67, 1]),
        (EMOJI * 35, [35]),
        (EMOJI * 36, [33, 3]),
        ("я" * 65 + EMOJI + "я" * 10, [66, 10]),
        ("я" * 66 + EMOJI + "я" * 10, [66, 11]),
        ("я" * 69 + "€", [70]),
        ("a" * 70 + "`", [67, 4]),
        ("a" * 100 + "ç", [67, 34]),
        ("Ç" * 160, [160]),
        ("\n" * 160, [160]),
        ("[" * 80, [80]),
        ("\f" * 81, [76, 5]),
    ],
    ids=[
        "nothing is one part",
        "160 letters",
        "161 letters",
        "two full parts",
        "two full parts and a letter",
        "80 euro signs",
        "81 euro signs",
        "an escape pair fits exactly",
        "an escape pair is one too many",
        "an escape pair ends a part",
        "an escape pair would be cut",
        "where dividing says two parts",
        "70 Cyrillic letters",
        "71 Cyrillic letters",
        "two full parts of Cyrillic",
        "two full parts of Cyrillic and a letter",
        "35 emoji",
        "36 emoji",
        "a surrogate pair ends a part",
        "a surrogate pair would be cut",
        "a euro sign among Cyrillic is one unit",
        "a backtick is not in the alphabet",
        "a small c with cedilla is not",
        "a capital one is",
        "a line feed is",
        "brackets are extended",
        "so is a form feed",
    ],
)
def test_a_text_is_cut_into_parts_and_no_character_in_two(text, lengths):
    assert [len(part) for part in split(text)] == lengths
    assert "".join(split(text)) == text


def test_the_alphabet_has_127_characters_and_the_escape():
    assert len(GSM) == 127
    assert len(EXTENDED) == 10
    assert not GSM & EXTENDED


@settings(max_examples=300)
@given(st.text(st.one_of(st.sampled_from(sorted(GSM | EXTENDED)), st.characters(codec="utf-8")), max_size=400))
def test_no_part_is_too_long_and_none_could_take_the_next_character(text):
    def units(part):
        if set(text) <= GSM | EXTENDED:
            return len(part) + sum(character in EXTENDED for character in part)
        return len(part.encode("utf-16-le")) // 2

    parts = split(text)
    limit = 153 if set(text) <= GSM | EXTENDED else 67

    assert "".join(parts) == text
    if len(parts) > 1:
        assert all(units(part) <= limit for part in parts)
        assert all(units(a + b[0]) > limit for a, b in pairwise(parts))
