"""Who sends: the token of RFC 8292, one for each push service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.channels import vapid
from notifications.channels.base64url import decode
from notifications.channels.vapid import Vapid, new_private_key
from notifications.exceptions import MisconfiguredError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://fcm.googleapis.com/fcm/send/abc:def"
#: Of RFC 8292 §2.4's kind: the private key of which we know the public half, RFC 8291 §5.
PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"


@pytest.fixture
def ours():
    return Vapid(private_key=PRIVATE, subject="mailto:push@shop.example")


def claims_of(token):
    scheme, _, rest = token.authorization.partition(" t=")
    signed, _, key = rest.partition(", k=")
    assert scheme == "vapid"
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(key) or b"")
    return jwt.decode(signed, public, algorithms=["ES256"], options={"verify_aud": False, "verify_exp": False})


def test_it_says_for_whom_until_when_and_who_we_are(ours):
    assert claims_of(ours.token(URL, NOW)) == {
        "aud": "https://fcm.googleapis.com",
        "exp": int((NOW + timedelta(hours=12)).timestamp()),
        "sub": "mailto:push@shop.example",
    }


def test_the_public_key_is_the_other_half(ours):
    assert ours.public_key == PUBLIC
    assert ours.token(URL, NOW).authorization.endswith(f", k={PUBLIC}")


def test_one_token_serves_all_browsers_of_a_push_service_for_hours(ours):
    first = ours.token(URL, NOW)

    assert ours.token("https://fcm.googleapis.com/fcm/send/other", NOW + timedelta(hours=10)) is first
    later = ours.token(URL, NOW + timedelta(hours=11, seconds=1))
    assert later is not first
    assert claims_of(later)["exp"] - claims_of(first)["exp"] == 11 * 3600 + 1
    assert ours.token("https://updates.push.services.mozilla.com/wpush/v2/x", NOW) is not first


def test_a_token_that_was_not_taken_is_made_anew(ours):
    first = ours.token(URL, NOW)
    ours.forget(first)

    assert ours.token(URL, NOW) is not first


def test_no_number_of_push_services_fills_the_memory(ours, monkeypatch):
    monkeypatch.setattr(vapid, "KEPT", 3)
    for number in range(10):
        ours.token(f"https://{number}.push.apple.com/x", NOW)

    assert len(ours._tokens) <= 3


def test_a_new_key_is_one():
    key = new_private_key()

    assert Vapid(private_key=key, subject="mailto:a@b.example").problems() == []
    assert len(decode(key) or b"") == 32
    assert key != new_private_key()


@pytest.mark.parametrize(
    "key", ["", "short", "ä" * 43, "A" * 43, "_" * 43], ids=["none", "short", "ä", "zero", "too large"]
)
def test_what_is_no_key_is_said_and_signs_nothing(key):
    wrong = Vapid(private_key=key, subject="mailto:a@b.example")

    (problem,) = wrong.problems()
    assert "make_vapid_keys" in problem
    assert wrong.public_key == ""
    with pytest.raises(MisconfiguredError):
        wrong.token(URL, NOW)


@pytest.mark.parametrize("subject", ["", "a@b.example", "mailto:", "mailto:a b@c", "http://shop.example", "https://"])
def test_a_subject_that_reaches_nobody_is_said(subject):
    (problem,) = Vapid(private_key=PRIVATE, subject=subject).problems()

    assert problem.startswith("subject")


def test_what_is_printed_shows_no_secret(ours):
    token = ours.token(URL, NOW)

    assert PRIVATE not in repr(ours)
    assert token.authorization not in repr(token)
