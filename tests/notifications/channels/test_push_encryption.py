"""What only one browser can read: the example of RFC 8291 §5, byte for byte, and what it leaves open."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.channels.base64url import decode
from notifications.channels.push_encryption import encrypt
from notifications.channels.push_text import MAX_PLAIN
from tests.providers.push_service import Browser

PLAIN = b"When I grow up, I want to be a watermelon"
RFC = {
    "secret": "BTBZMqHH6r4Tts7J_aSIgg",
    "browser_key": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "browser_private": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
    "our_private": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    "salt": "DGv6ra1nlYgDCS1FRnbzlw",
    "body": "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
}
BYTES = {name: decode(text) or b"" for name, text in RFC.items()}


def private(name):
    return ec.derive_private_key(int.from_bytes(BYTES[name]), ec.SECP256R1())


def test_the_example_of_the_rfc_byte_for_byte():
    body = encrypt(
        PLAIN, browser_key=BYTES["browser_key"], secret=BYTES["secret"],
        new_key=lambda: private("our_private"), new_salt=lambda: BYTES["salt"],
    )  # fmt: skip

    assert len(body) == 144
    assert body == BYTES["body"]


def test_the_example_of_the_rfc_can_be_read_by_our_browser():
    browser = Browser("", key=private("browser_private"), secret=BYTES["secret"])

    assert browser.public_key == BYTES["browser_key"]
    assert browser.decrypt(BYTES["body"]) == PLAIN


def test_only_the_browser_can_read_it():
    alice, bob = Browser(""), Browser("")
    body = encrypt(PLAIN, browser_key=alice.public_key, secret=alice.secret)

    assert alice.decrypt(body) == PLAIN
    with pytest.raises(InvalidTag):
        bob.decrypt(body)
    with pytest.raises(InvalidTag):
        Browser("", key=alice.key, secret=bytes(16)).decrypt(body)


def test_key_and_salt_are_new_for_each_message():
    browser = Browser("")
    bodies = [encrypt(PLAIN, browser_key=browser.public_key, secret=browser.secret) for _ in range(20)]

    assert len({body[:16] for body in bodies}) == 20
    assert len({body[21:86] for body in bodies}) == 20


def test_the_longest_text_makes_the_longest_body():
    browser = Browser("")

    assert len(encrypt(bytes(MAX_PLAIN), browser_key=browser.public_key, secret=browser.secret)) == 4096


@pytest.mark.parametrize("key", [b"", bytes(65), b"\x04" + b"\xff" * 64], ids=["none", "zeros", "beside the curve"])
def test_what_is_no_point_of_the_curve_is_refused(key):
    with pytest.raises(ValueError, match=r".*"):
        encrypt(PLAIN, browser_key=key, secret=bytes(16))
