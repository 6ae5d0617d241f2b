from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils import translation
from django.utils.html import linebreaks
from django.utils.safestring import SafeString

from notifications.exceptions import RenderError
from notifications.pipeline.rendering import RESERVED, Problem, check_content, names_used, render
from notifications.types import Channel
from notifications.values import Action, Content, Rendered

LINK = "https://shop.example/orders/42/"


def content(**changes: Any) -> Content:
    given: dict[str, Any] = {
        "id": 1,
        "channel": Channel.EMAIL,
        "locale": "en",
        "title": "Order {{ number }}",
        "body": "It is here.",
    }
    return Content(**given | changes)


def fill(wording: Content, *, url: str = "", text: str = "", language: str = "en", **variables: Any) -> Rendered:
    return render(
        wording,
        variables={"number": 42} | variables,
        recipient_name="Alice",
        action=Action(url=url, text=text),
        base_url="https://shop.example/",
        site_name="Corner Shop",
        language=language,
    )


def unstyled(html: str) -> str:
    """Return HTML without the styles that the frame put on it."""
    return re.sub(r' style="[^"]*"', "", html)


class Document(HTMLParser):
    """The tags, links and visible text of a document, and whether its tags are closed."""

    VOID = {"br", "hr", "img", "meta"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.root: dict[str, str | None] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.root = dict(attrs)
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.text += data


# --- Title --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("a\nb\r\nc\td", "a b c d"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", "a b c d e f"),
        ("  a   b  ", "a b"),
        ("a\x00\x01\x1b\x7f\x80\x9fb", "ab"),
        ("a\x1cb", "a b"),
        ("\u202eevil\u202c\u2066x\u2069\u202a\u202b\u202d\u2067\u2068", "evilx"),
        ("a\u200b\u200e\u200f\u2060\ufeff\u180e\u061cb", "ab"),
        ("a\u200db\u200c\u200dc", "abc"),
        ("\u200da\u200d", "a"),
        ("\ud800a\udfff", "a"),
        (
            "👩\u200d👩\u200d👧 \u0645\u06cc\u200c\u062e\u0648\u0627",
            "👩\u200d👩\u200d👧 \u0645\u06cc\u200c\u062e\u0648\u0627",
        ),
        ("1\xa0234\u202f5", "1\xa0234\u202f5"),
        ("<b>&", "<b>&"),
        ("Subject\r\nBcc: eve@example.com", "Subject Bcc: eve@example.com"),
        ("a" * 200, "a" * 200),
        ("a" * 201, "a" * 199 + "…"),
        ("a" * 198 + " bcd", "a" * 198 + "…"),
        ("", ""),
    ],
    ids=ascii,
)
def test_a_title_is_one_short_line_that_reads_as_it_looks(value, title):
    assert fill(content(title="{{ value }}"), value=value).title == title


def test_a_title_is_never_html():
    title = fill(content(title="{{ x }}"), x="<b>").title

    assert title == "<b>"
    assert not isinstance(title, SafeString)


# --- Body ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\u2028b\u2029c\x85d", "a\nb\nc\nd"),
        ("a\tb\n\n\nc", "a\tb\n\n\nc"),
        ("a\x00\x07\x0b\x0c\x1f\x7f\x9fb", "ab"),
        ("\ud800a", "a"),
        ("\n\n a \n", "a"),
        ("\u200f\u05e9\u05dc\u05d5\u05dd\u200e", "\u200f\u05e9\u05dc\u05d5\u05dd\u200e"),
        ("<b>&", "<b>&"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("channel", Channel.values)
def test_a_body_is_plain_text_with_one_kind_of_line_break(channel, value, body):
    rendered = fill(content(channel=channel, body="{{ value }}"), value=value)

    assert rendered.body == body
    assert not isinstance(rendered.body, SafeString)


@pytest.mark.parametrize("channel", [channel for channel in Channel.values if channel != "email"])
def test_only_an_email_has_html_and_gets_the_link_appended(channel):
    rendered = fill(content(channel=channel, html="<p>{{ broken"), url="/orders/42/", text="Look")

    assert rendered == Rendered(title="Order 42", body="It is here.")


def test_the_text_of_an_email_ends_with_the_link():
    rendered = fill(content(), url="/orders/42/", text="View order")

    assert rendered.body == f"It is here.\n\nView order: {LINK}"


def test_an_empty_text_is_the_link_alone():
    assert fill(content(body=""), url="/orders/42/", text="View order").body == f"View order: {LINK}"


@pytest.mark.parametrize("body", ["See {{ action_url }}", "See {% action_url %}", "See {{ action_url|default:'-' }}"])
def test_a_text_with_the_link_does_not_get_it_twice(body):
    assert fill(content(body=body), url="/orders/42/").body == f"See {LINK}"


def test_without_an_action_no_link_is_appended():
    rendered = fill(content())

    assert rendered.body == "It is here."
    assert Document(rendered.html).links == ["https://shop.example/"]


# --- HTML ---------------------------------------------------------------------------------------------------------


def test_an_email_is_a_whole_document_with_the_fragment_and_a_button():
    wording = content(html="<h1>Hello {{ recipient_name }}</h1><ul>{% for x in l %}<li>{{ x }}</li>{% endfor %}</ul>")

    html = fill(wording, url="/orders/42/?a=1&b=2", text="View <order>", l=["<a>", "b"]).html

    document = Document(html)
    assert html.startswith("<!DOCTYPE html><html")
    assert document.open == []
    assert "<h1>Hello Alice</h1><ul><li>&lt;a&gt;</li><li>b</li></ul>" in unstyled(html)
    assert document.links == ["https://shop.example/orders/42/?a=1&b=2", "https://shop.example/"]
    assert "View <order>" in document.text
    assert "Sent by Corner Shop" in document.text
    assert "<title>Order 42</title>" in html
    assert document.root["lang"] == "en"
    assert document.root["dir"] == "ltr"
    assert 'name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme: dark" in html
    assert type(html) is str


@pytest.mark.parametrize(
    ("body", "preview"),
    [
        ("One\n\ntwo  three\t four.", "One two three four."),
        ("1\u00a0000 pieces", "1\u00a0000 pieces"),
        ("word " * 100, ("word " * 100)[:120]),
    ],
)
def test_the_preview_is_the_beginning_of_the_text_in_one_line(body, preview):
    first = re.search("<body[^>]*>\\s*<div[^>]*>(.*?)</div>", fill(content(body=body)).html, re.DOTALL)

    assert first
    assert first[1] == preview


def test_without_html_the_text_becomes_escaped_paragraphs():
    wording = content(body="Hello {{ name }},\n\nit is <here>\r\nnow.")

    rendered = fill(wording, name="<script>alert(1)</script>", url="/orders/42/")

    assert "<p>Hello &lt;script&gt;alert(1)&lt;/script&gt;,</p>\n\n<p>it is &lt;here&gt;<br>now.</p>" in unstyled(
        rendered.html
    )
    assert "<script" not in rendered.html
    assert Document(rendered.html).links == [LINK, "https://shop.example/"]
    assert "View details" not in rendered.html.partition("<table")[0]


def test_blank_html_is_no_html():
    assert "<p>It is here.</p>" in unstyled(fill(content(html=" \n")).html)


def test_html_with_the_link_gets_no_button():
    html = fill(content(html='<p><a href="{% action_url %}">{{ action_text }}</a></p>'), url="/orders/42/").html

    assert Document(html).links == [LINK, "https://shop.example/"]
    assert "View details</a></p>" in html


def test_another_link_in_the_html_does_not_take_the_buttons_place():
    html = fill(
        content(html='<a href="{% action_url invoice %}">x</a>'), url="/orders/42/", invoice="/invoice.pdf"
    ).html

    assert Document(html).links == ["https://shop.example/invoice.pdf", LINK, "https://shop.example/"]


@pytest.mark.parametrize(
    ("locale", "active", "language", "direction"),
    [
        ("de-AT", "en", "de-AT", "ltr"),
        ("ar", "en", "ar", "rtl"),
        ("", "de", "de", "ltr"),
        ("", "he-IL", "he-IL", "rtl"),
    ],
)
def test_a_document_names_the_language_of_its_words(locale, active, language, direction):
    with translation.override(active):
        root = Document(fill(content(locale=locale), language=active).html).root

    assert (root["lang"], root["dir"]) == (language, direction)


def test_names_from_outside_are_escaped_in_the_layout():
    rendered = render(
        content(title="<script>", body="{{ recipient_name }}"),
        variables={},
        recipient_name="<script>",
        action=Action(url='/a"b', text="<script>"),
        base_url="https://shop.example",
        site_name="<script>",
        language="en",
    )

    assert "<script" not in rendered.html
    assert 'href="https://shop.example/a&quot;b"' in rendered.html


def test_where_nobody_wrote_a_text_it_is_what_the_html_says():
    wording = content(body="", html="<p>Your order <b>{{ number }}</b><br>is here.</p><ul><li>One</li></ul>")

    rendered = fill(wording, url="/orders/42/", text="View order")

    assert rendered.body == f"Your order 42\nis here.\n\n- One\n\nView order: {LINK}"
    assert "Your order 42 is here." in rendered.html.partition("<table")[0]


def test_a_text_that_comes_from_html_with_the_link_does_not_get_it_twice():
    wording = content(body="", html='<p><a href="{% action_url %}">{{ action_text }}</a></p>')

    assert fill(wording, url="/orders/42/", text="View order").body == f"View order ({LINK})"


# --- Variables ----------------------------------------------------------------------------------------------------


def test_every_wording_may_read_the_reserved_names():
    body = "{{ recipient_name }}, {{ site_name }}, {{ action_url }}, {{ action_text }}"

    rendered = fill(
        content(channel="sms", body=body), url="/orders/42/", text="Look", site_name="Eve's", action_url="x"
    )

    assert rendered.body == f"Alice, Corner Shop, {LINK}, Look"


def test_without_an_action_its_names_are_empty():
    assert fill(content(channel="sms", body="[{{ action_url }}{{ action_text }}]")).body == "[]"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "orders/42"])
def test_an_unsafe_action_is_refused_even_where_it_is_not_shown(url):
    with pytest.raises(RenderError, match="The action: The link is unsafe"):
        fill(content(channel="sms"), url=url)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": "{{ nmber }}"}, r"The title \(email\): There is no 'nmber' \(line 1\)"),
        ({"body": "Hi\n{{ x|date }}"}, r"The body \(email\): 'x\|date' cannot be filled in"),
        ({"html": "<p>\n{{ nmber }}</p>"}, r"The html \(email\): There is no 'nmber' \(line 2\)"),
        ({"html": "<p>\n<script>"}, r"The html \(email, line 2\) is refused: <script> is not allowed"),
        ({"body": "x" * 30_000}, r"The body \(email\) is refused: It is 30000 bytes long"),
    ],
)
def test_an_error_names_the_field_the_channel_and_the_cause(changes, message):
    with pytest.raises(RenderError, match=message):
        fill(content(**changes), x="soon")


def test_the_same_input_gives_the_same_output():
    wording = content(html="<p>{% for k, v in d %}{{ k }}{{ v }}{% endfor %}</p>")
    data: dict[str, Any] = {"d": {"b": 1, "a": 2}, "url": "/orders/42/"}

    assert len({fill(wording, **data) for _ in range(5)}) == 1


# --- What the editor asks -----------------------------------------------------------------------------------------


def test_the_names_of_a_content_are_those_of_its_fields():
    wording = content(title="{{ a }}", body="{{ b.c }}{{ recipient_name }}", html="<p>{{ d }}</p>{% action_url %}")

    assert names_used(wording) == {"a", "b", "d", "recipient_name", "action_url"}
    assert names_used(content(channel="sms", title="", body="{{ a }}", html="{{ d }}")) == {"a"}


def test_the_names_of_a_broken_content_are_an_error():
    with pytest.raises(RenderError, match=r"The body \(email\) is refused"):
        names_used(content(body="{% if x %}"))


def test_a_good_content_has_no_problems():
    wording = content(
        body="{{ number }}" + "".join(f"{{{{ {name} }}}}" for name in RESERVED), html="<p>{{ number }}</p>"
    )

    assert check_content(wording, ["number"]) == []


def test_every_problem_has_its_field_and_line():
    wording = content(
        title="{{ numbre }}",
        body="Hi\n{{ recipient_nam }}\n{{ zzz }}",
        html="<p>x</p>\n\n<p onclick='x'>{{ number }}</p>",
    )

    assert check_content(wording, {"number": 1}) == [
        Problem(
            field="title",
            message="The template declares no variable 'numbre' (did you mean 'number'?).",
            line=1,
            severity="error",
        ),
        Problem(
            field="body",
            message="The template declares no variable 'recipient_nam' (did you mean 'recipient_name'?).",
            line=2,
            severity="error",
        ),
        Problem(field="body", message="The template declares no variable 'zzz'.", line=3, severity="error"),
        Problem(field="html", message="onclick= runs script; remove it.", line=3, severity="error"),
    ]


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"title": " "}, "title", "The e-mail has no subject; write one."),
        ({"body": "\n"}, "body", "There is no text; some readers will see nothing."),
        ({"channel": "sms", "html": "<p>x</p>"}, "html", "HTML is for e-mails; this channel does not use it."),
    ],
)
def test_what_is_probably_an_oversight_is_a_warning(changes, field, message):
    assert check_content(content(**changes), ["number"]) == [
        Problem(field=field, message=message, line=None, severity="warning")
    ]


def test_a_text_message_needs_no_title():
    assert check_content(content(channel="sms", title=""), []) == []


@pytest.mark.parametrize(
    "text", ["One\nline\n\nTwo", "<b> & \"c\" 'd'", "", "a\n\n\n\nb", "\n\na", "a\n \nb", "ü\u2028ß"]
)
def test_a_text_becomes_the_html_that_django_makes_of_it(text):
    wording = content(body="{{ said }}")

    assert linebreaks(fill(wording, said=text).body, autoescape=True) in unstyled(fill(wording, said=text).html)
