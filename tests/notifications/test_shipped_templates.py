"""The wording the apps ship: it compiles, declares what it uses, and reads well in both languages."""

from __future__ import annotations

import pytest

from notifications.pipeline.digest_wording import DIGEST
from notifications.pipeline.rendering import RESERVED, check_content, names_used
from tests.wordings import TEMPLATES, fill

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
    # Items are in the inbox, digests are not.
    assert ({"email"} if shipped.code == DIGEST else {"in_app", "email"}) <= channels
    assert languages == {(channel, locale) for channel in channels for locale in ("", "de")}


@pytest.mark.parametrize("shipped", TEMPLATES.values(), ids=TEMPLATES)
def test_a_text_message_is_one_message(shipped):
    bodies = [fill(shipped, content).body for content in shipped.contents if content.channel == "sms"]

    for body in bodies:
        assert set(body) <= GSM_7
        assert len(body) <= 160
