"""The wording this app ships: it compiles, declares what it uses, and reads well in both languages."""

from __future__ import annotations

import pytest
from django.utils import translation

from notifications.pipeline.rendering import RESERVED, check_content, names_used, render
from notifications.services.seeding import Shipped, read_all
from notifications.types import Action, Content, Rendered

TEMPLATES = {shipped.code: shipped for shipped in read_all() if shipped.path.parent.parent.name == "orders"}
CONTENTS = [
    pytest.param(shipped, content, id=f"{shipped.code}-{content.channel}-{content.locale or 'en'}")
    for shipped in TEMPLATES.values()
    for content in shipped.contents
]
#: A text message in this alphabet has room for 160 characters, in any other for 70 (3GPP TS 23.038 §6.2.1).
GSM_7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)


def fill(shipped: Shipped, content: Content, **changes: object) -> Rendered:
    """Fill a content with the sample, as the pipeline does."""
    sample = {name: declared["sample"] for name, declared in shipped.variables.items()}
    with translation.override(content.locale or "en"):
        return render(
            content,
            variables=sample | changes,
            recipient_name="Alice",
            action=Action(url="/here/", text="Look"),
            base_url="https://shop.example",
            site_name="Corner Shop",
        )


def wording(code: str, channel: str, locale: str = "", **changes: object) -> Rendered:
    """Fill the content of a channel and language."""
    shipped = TEMPLATES[code]
    (content,) = (one for one in shipped.contents if (one.channel, one.locale) == (channel, locale))
    return fill(shipped, content, **changes)


@pytest.mark.parametrize(("shipped", "content"), CONTENTS)
def test_the_wording_compiles_and_uses_only_what_is_declared(shipped, content):
    assert check_content(content, shipped.variables) == []


@pytest.mark.parametrize(("shipped", "content"), CONTENTS)
def test_the_wording_can_be_filled_with_the_sample(shipped, content):
    rendered = fill(shipped, content)

    for text in (rendered.title, rendered.body, rendered.html):
        assert "{{" not in text
        assert "{%" not in text
    assert rendered.body


@pytest.mark.parametrize("shipped", TEMPLATES.values(), ids=TEMPLATES)
def test_every_declared_variable_is_used(shipped):
    used = frozenset().union(*(names_used(content) for content in shipped.contents))

    assert used - RESERVED == shipped.variables.keys()


@pytest.mark.parametrize("shipped", TEMPLATES.values(), ids=TEMPLATES)
def test_every_channel_speaks_english_and_german(shipped):
    languages = {(content.channel, content.locale) for content in shipped.contents}

    channels = {channel for channel, _ in languages}
    assert {"in_app", "email"} <= channels
    assert languages == {(channel, locale) for channel in channels for locale in ("", "de")}


@pytest.mark.parametrize(("shipped", "content"), [one for one in CONTENTS if one.values[1].channel == "sms"])
def test_a_text_message_is_one_message(shipped, content):
    body = fill(shipped, content).body

    assert set(body) <= GSM_7
    assert len(body) <= 160


def test_the_codes_are_those_the_receivers_publish():
    assert set(TEMPLATES) == {"ORDER_CREATED", "ORDER_SHIPPED", "ORDER_DELIVERED", "USER_WELCOME"}


@pytest.mark.parametrize(
    ("locale", "total"), [("", "Total: 1,499.00 EUR"), ("de", "Gesamtbetrag: 1.499,00 EUR")], ids=["en", "de"]
)
def test_the_confirmation_lists_the_lines_and_the_total_as_the_reader_writes_it(locale, total):
    body = wording("ORDER_CREATED", "email", locale).body

    assert "\n  1 \N{MULTIPLICATION SIGN} Espresso machine\n  2 \N{MULTIPLICATION SIGN} Cup, hand-glazed\n\n" in body
    assert total in body


@pytest.mark.parametrize(("locale", "rest"), [("", "and 485 more"), ("de", "und 485 weitere")], ids=["en", "de"])
def test_the_confirmation_of_a_long_order_says_how_many_lines_are_not_shown(locale, rest):
    email = wording("ORDER_CREATED", "email", locale, lines_not_shown=485)

    assert f"\n  {rest}\n" in email.body
    assert f"<li>{rest}</li>" in email.html


@pytest.mark.parametrize(("item_count", "words"), [(1, "1 item for"), (3, "3 items for")], ids=["one", "many"])
def test_the_confirmation_counts_correctly(item_count, words):
    assert words in wording("ORDER_CREATED", "in_app", item_count=item_count).body
