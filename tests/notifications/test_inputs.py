"""What may enter, and the words for what may not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from notifications.exceptions import NotPlainData, UnsafeLink
from notifications.inputs import plain_json, safe_link

NESTED: list = []
for _ in range(20):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"total": Decimal("1.50")}, "variables.total is a Decimal"),
        ({"day": date(2026, 1, 1)}, "variables.day is a date"),
        ({"lines": [{"price": {1}}]}, "variables.lines[0].price is a set"),
        ({"lines": [{1: "x"}]}, "variables.lines[0] has the key 1 of type int"),
        ({"name": "a\x00b"}, "variables.name contains a NUL"),
        ({"name": "\ud800"}, "variables.name contains a NUL character or a lone surrogate"),
        ({"\ud800": 1}, "a key of variables contains a NUL"),
        ({"ratio": float("nan")}, "variables.ratio is nan"),
        ({"number": 2**53 + 1}, "variables.number is beyond ±2^53"),
        ({"deep": NESTED}, "nested deeper than 8 levels"),
        ({"text": "x" * 20_000}, "at most 16384"),
        ({"text": "ä" * 9_000}, "at most 16384"),
    ],
    ids=["decimal", "date", "set", "key", "nul", "surrogate", "surrogate key", "nan", "big", "deep", "long", "bytes"],
)
def test_what_is_not_plain_is_refused_by_its_name(value, words):
    with pytest.raises(NotPlainData) as error:
        plain_json(value, "variables")

    assert words in str(error.value)


def test_plain_data_becomes_compact_json_with_sorted_keys():
    value = {"b": [1, 2.5, None, True, "ä"], "a": {"x": ""}}

    assert plain_json(value, "variables") == '{"a":{"x":""},"b":[1,2.5,null,true,"ä"]}'


@pytest.mark.parametrize("url", ["", "/orders/42/", "/a?b=c#d", "https://example.com/x", "http://localhost:8000/"])
def test_a_safe_link_passes_unchanged(url):
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:/evil",
        "https://",
        "https:evil.example",
        "https://user@evil.example/",
        "https://[::1",
        "orders/42",
        "mailto:a@example.com",
        "/a\nb",
        "/a b",
        "/\u2028",
        "/" + "x" * 3000,
        42,
    ],
)
def test_an_unsafe_link_is_refused(url):
    with pytest.raises(UnsafeLink, match="link"):
        safe_link(url)
