"""PURE: into how many parts a text message is cut, each of which is paid for (3GPP TS 23.038 §6.1, §6.2.1; TS 23.040 §9.2.3.24)."""

from __future__ import annotations

#: The default alphabet (TS 23.038 §6.2.1), without the escape.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Its extension table (§6.2.1.1): an escape and a character, which are never separated.
EXTENDED = frozenset("\f^{}\\[~]|€")
#: Septets, or 16-bit units, of a message that is alone, and of each part of a longer one: a header takes the rest.
GSM_ALONE, GSM_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67


def beyond_gsm(text: str) -> list[str]:
    """Return the characters, each once, because of which a text is sent in 16-bit units; none: in the default alphabet."""
    return [character for character in dict.fromkeys(text) if character not in GSM and character not in EXTENDED]


def split(text: str) -> list[str]:
    """Return the parts a text is sent in, one for an empty text; a character is never cut in two."""
    is_gsm = not beyond_gsm(text)
    alone, part = (GSM_ALONE, GSM_PART) if is_gsm else (UCS2_ALONE, UCS2_PART)
    costs = [_cost(character, is_gsm=is_gsm) for character in text]
    if sum(costs) <= alone:
        return [text]
    parts, start, used = [], 0, 0
    for index, cost in enumerate(costs):
        if used + cost > part:
            parts.append(text[start:index])
            start, used = index, 0
        used += cost
    return [*parts, text[start:]]


def units(text: str) -> tuple[int, int]:
    """Return how many septets, or 16-bit units, a text takes, and how many the parts it is sent in have room for."""
    is_gsm = not beyond_gsm(text)
    used = sum(_cost(character, is_gsm=is_gsm) for character in text)
    number = len(split(text))
    alone, part = (GSM_ALONE, GSM_PART) if is_gsm else (UCS2_ALONE, UCS2_PART)
    return used, alone if number == 1 else number * part


def _cost(character: str, *, is_gsm: bool) -> int:
    """Return the septets, or the 16-bit units, of a character: two for an escape or a surrogate pair."""
    return 1 + (character in EXTENDED if is_gsm else ord(character) > 0xFFFF)
