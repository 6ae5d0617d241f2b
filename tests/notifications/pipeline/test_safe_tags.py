from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone, translation

from notifications.exceptions import RenderError
from notifications.pipeline.sandbox import compile_template

BASE_URL = "https://shop.example"


def fill(source: str, *, html: bool = False, **variables: Any) -> str:
    return compile_template(source, html=html).render(variables, base_url=BASE_URL)


# --- Links --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("/orders/42/", "https://shop.example/orders/42/"),
        ("https://other.example/a?b=c#d", "https://other.example/a?b=c#d"),
        ("http://localhost:8000/", "http://localhost:8000/"),
        ("HTTPS://other.example", "HTTPS://other.example"),
        ("mailto:help@shop.example?subject=a", "mailto:help@shop.example?subject=a"),
        ("TEL:+49-30-1234", "TEL:+49-30-1234"),
    ],
)
def test_safe_links_become_absolute(url, link):
    assert fill("{% action_url %}", action_url=url) == link
    assert fill("{% action_url order.link %}", order={"link": url}) == link


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x",
     "vbscript:x", "file:///etc/passwd", "ftp://x.example", "//evil.example", "/\\evil.example", "\\\\evil.example",
     "/a b", "/a\nb", "https://", "https:evil.example", "https://a@evil.example", "https://[evil", "orders/42", "?a=b",
     "#top", "mailto:", "mailto:a b", "mailto:a\nb", "mailto:a\\b", "mailto:é@x.example", "tel:\u202e1", "/" + "a" * 3000,
     "mailto:" + "a" * 3000, "/\u202egro", 5, True, ["/x"], {"a": 1}],
    ids=str,
)  # fmt: skip
def test_unsafe_links_are_refused_and_not_repeated(url):
    for html in (False, True):
        with pytest.raises(RenderError, match="link") as refused:
            fill("{% action_url %}", html=html, action_url=url)

        assert "evil" not in str(refused.value)


def test_a_link_cannot_leave_its_attribute():
    html = fill('<a href="{% action_url %}">x</a>', html=True, action_url="/a?b=\"'<>&c")

    assert html == '<a href="https://shop.example/a?b=&quot;&#x27;&lt;&gt;&amp;c">x</a>'


def test_an_empty_link_says_so():
    with pytest.raises(RenderError, match=r"inside \{% if %\}"):
        fill("{% action_url %}", action_url="")
    assert fill("{% if action_url %}{% action_url %}{% endif %}", action_url="") == ""


def test_a_path_needs_a_base_url():
    with pytest.raises(RenderError, match="no base_url"):
        compile_template("{% action_url %}", html=False).render({"action_url": "/a"})


def test_a_mail_link_is_no_image():
    with pytest.raises(RenderError, match="not safe"):
        fill('<img src="{% action_url %}">', html=True, action_url="mailto:a@b.example")


# --- Loops --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% for x in l %}{{ x }}{% endfor %}", "abc"),
        ("{% for x in l reversed %}{{ x }}{% endfor %}", "cba"),
        ("{% for x in reversed %}{{ x }}{% endfor %}", "z"),
        ("{% for x in none %}{{ x }}{% empty %}-{% endfor %}", "-"),
        ("{% for x in l %}{{ forloop.counter }}{{ forloop.counter0 }}{% endfor %}", "102132"),
        ("{% for x in l %}{{ forloop.revcounter }}{{ forloop.revcounter0 }}{% endfor %}", "322110"),
        (
            "{% for x in l %}{% if forloop.first %}[{% endif %}{{ x }}{% if forloop.last %}]{% endif %}{% endfor %}",
            "[abc]",
        ),
        ("{% for x in l %}{% for y in reversed %}{{ forloop.parentloop.counter }}{% endfor %}{% endfor %}", "123"),
        ("{% for k in d %}{{ k }}{% endfor %}", "mn"),
        ("{% for k, v in d %}{{ k }}{{ v }}{% endfor %}", "m1n2"),
        ("{% for k,v in pairs %}{{ k }}{{ v }}{% endfor %}", "o3p4"),
        ("{% for x in l %}{% endfor %}{{ x|default:'-' }}", "-"),
        ("{% with x=l.0 %}{{ x }}{% endwith %}{{ x|default:'-' }}", "a-"),
        ("{% for x in l %}{% endfor %}" * 3, ""),
    ],
)
def test_loops_and_names(source, text):
    data: dict[str, Any] = {
        "l": ["a", "b", "c"],
        "reversed": ["z"],
        "none": [],
        "d": {"m": 1, "n": 2},
        "pairs": [["o", 3], ("p", 4)],
    }

    assert fill(source, **data) == text


@pytest.mark.parametrize("value", ["text", 5, True, 1.5])
def test_only_lists_and_objects_can_be_looped_over(value):
    with pytest.raises(RenderError, match="'x' is not a list; loop over a list"):
        fill("{% for y in x %}{% endfor %}", x=value)


@pytest.mark.parametrize("items", [["ab"], [["a"]], [["a", "b", "c"]], [5], [None]])
def test_items_must_have_as_many_values_as_the_loop_has_names(items):
    with pytest.raises(RenderError, match="does not have 2 values; use one name"):
        fill("{% for a, b in x %}{% endfor %}", x=items)


def test_of_a_long_list_the_first_hundred_are_shown_and_all_are_counted():
    data: dict[str, Any] = {"x": list(range(250))}

    text = fill("{% for y in x %}{{ y }},{% if forloop.last %}!{% endif %}{% endfor %}{{ x|length }}", **data)

    assert text == "".join(f"{n}," for n in range(100)) + "!250"
    assert fill("{% for y in x reversed %}{{ y }},{% endfor %}", **data).startswith("249,248,")
    assert fill("{{ x|join:',' }}", **data).count(",") == 99


# --- Filters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 'aB c'|upper }}{{ 'aB c'|lower }}{{ 'aB c'|title }}{{ 'aB c'|capfirst }}", "AB Cab cAb CAB c"),
        ("{{ 'abcdef'|truncatechars:4 }}", "abc…"),
        ("{{ 'a b c'|truncatewords:'2' }}", "a b …"),
        ("{{ n }} item{{ n|pluralize }}, {{ n|pluralize:'y,ies' }}, {{ l|pluralize }}", "2 items, ies, s"),
        ("{{ yes|yesno }}{{ yes|yesno:'y,n' }}{{ none|yesno:'y,n,-' }}", "yesy-"),
        (
            "{{ 1.005|floatformat }}{{ '3.14159'|floatformat:2 }}{{ n|floatformat:'-3' }}{{ 'x'|floatformat }}",
            "1.03.142",
        ),
        (
            "{{ big|intcomma }} {{ big|floatformat:'2g' }} {{ '1499.00'|floatformat:'2g' }}",
            "1,234,567 1,234,567.00 1,499.00",
        ),
        ("{{ l|join:', ' }}{{ l|length }}{{ l|first }}{{ l|last }}", "a, 1.5, , b4ab"),
        ("{{ empty|join:', ' }}{{ empty|length }}{{ empty|first }}{{ empty|last }}", "0"),
        ("{{ 'abc'|length }}{{ 'abc'|first }}{{ 'abc'|last }}{{ n|length }}", "3ac0"),
        ("{{ none|default_if_none:'-' }}{{ ''|default_if_none:'-' }}{{ 0|default:n }}", "-2"),
        ("{{ 'a b&c/é'|urlencode }}{{ 'a/b'|urlencode:'' }}", "a%20b%26c/%C3%A9a%2Fb"),
        ("{% with total=big|intcomma %}{{ total }}{{ total }}{% endwith %}", "1,234,5671,234,567"),
        ("{% with self=n context=yes %}{{ self }}{{ context }}{% endwith %}", "2True"),
        ("{{ True }}{{ None }}{{ 1.5 }}", "True1.5"),
    ],
)
def test_filters(source, text):
    data: dict[str, Any] = {
        "n": 2,
        "big": 1_234_567,
        "yes": True,
        "none": None,
        "empty": [],
        "l": ["a", 1.5, None, "b"],
    }

    assert fill(source, **data) == text


@pytest.mark.parametrize(
    ("value", "source", "text"),
    [
        ("2026-07-01T22:30:00Z", "{{ x|date:'j M Y H:i' }}", "2 Jul 2026 00:30"),
        ("2026-07-01T22:30:00+00:00", "{{ x|time:'H:i' }}", "00:30"),
        ("2026-07-01T22:30:00", "{{ x|date:'j M Y H:i' }}", "1 Jul 2026 22:30"),
        ("2026-01-01T22:30:00.123456Z", "{{ x|date:'c' }}", "2026-01-01T23:30:00.123456+01:00"),
        ("2026-07-01", "{{ x|date }}", "July 1, 2026"),
        ("2026-07-01", "{{ x|date:'SHORT_DATE_FORMAT' }}", "07/01/2026"),
        ("09:05", "{{ x|time:'H:i' }}", "09:05"),
        ("00:00", "{{ x|time }}", "midnight"),
        ("", "{{ x|date }}{{ x|time }}", ""),
        (None, "{{ x|date }}{{ x|time }}", ""),
    ],
)
def test_dates_are_read_as_iso_8601_and_shown_in_the_active_time_zone(value, source, text):
    with timezone.override("Europe/Berlin"):
        assert fill(source, x=value) == text


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("tomorrow", "{{ x|date }}"),
        ("2026-02-30", "{{ x|date }}"),
        ("25:00", "{{ x|time }}"),
        ("09:05", "{{ x|date:'Y' }}"),
        (5, "{{ x|date }}"),
        (True, "{{ x|time }}"),
        (5, "{{ x|first }}"),
        (5, "{{ x|join:',' }}"),
        ("abc", "{{ x|join:',' }}"),
        ([["a"]], "{{ x|join:',' }}"),
        ({"a": 1}, "{{ x|last }}"),
        ("\ud800", "{{ x|urlencode }}"),
    ],
)
def test_a_filter_on_the_wrong_data_is_an_error_that_names_the_filter_and_not_the_data(value, source):
    with pytest.raises(
        RenderError, match=r"'x\|\w+(:'.')?' cannot be filled in: \|\w+ does not take this \w+"
    ) as error:
        fill(source, x=value)

    assert "tomorrow" not in str(error.value)


def test_errors_of_djangos_own_nodes_become_ours():
    with pytest.raises(RenderError, match="ValueError"):
        fill("{{ x }}", x=10**5000)


def test_words_and_numbers_follow_the_active_language():
    with translation.override("de"):
        text = fill("{{ n|floatformat:'2g' }} {{ l|join:'; ' }} {{ d|date:'F' }}", n="1499.5", l=[1.5], d="2026-03-01")

    assert text == "1.499,50 1,5 März"
