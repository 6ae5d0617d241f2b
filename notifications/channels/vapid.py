"""Says to push services who sends: voluntary application server identification, VAPID (RFC 8292)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.channels import base64url
from notifications.exceptions import MisconfiguredError

if TYPE_CHECKING:
    from datetime import datetime

#: How long a token is valid, of the 24 hours that RFC 8292 §2 allows, and how long before its end it is made anew.
LIFETIME, MARGIN = timedelta(hours=12), timedelta(hours=1)
#: Origins whose tokens are kept. There are a handful, unless somebody registers every name below *.push.apple.com.
KEPT = 1000
_KEY_BYTES = 32
_SUBJECT = re.compile(r"mailto:[^@\s]+@[^@\s]+|https://[^/\s]+\S*")


@dataclass(slots=True)
class Token:
    """What one push service is shown."""

    authorization: str = field(repr=False)
    expires_at: datetime
    #: Has the service taken a message with it? Then what it refuses later is not for our credentials.
    is_proven: bool = False


class Vapid:
    """Our key pair, and the tokens it has signed: one for each push service, used for hours."""

    def __init__(self, *, private_key: str, subject: str) -> None:
        self._private_key = _loaded(private_key)
        self._subject = subject
        self.public_key = public_key_of(self._private_key) if self._private_key else ""
        self._tokens: dict[str, Token] = {}

    def __repr__(self) -> str:
        return f"<Vapid {self.public_key}>"

    def problems(self) -> list[str]:
        """Return what is wrong with the options."""
        found = []
        if self._private_key is None:
            found.append("private_key is no key of 32 bytes in base64url; make one by `manage.py make_vapid_keys`")
        if not _SUBJECT.fullmatch(self._subject):
            found.append("subject must say how to reach you: mailto:… or https://…")
        return found

    def token(self, url: str, now: datetime) -> Token:
        """Return the token for the push service of a subscription; raise `MisconfiguredError` if there is no key."""
        if self._private_key is None:
            what = "There is no key to sign with."
            raise MisconfiguredError(what, code="no_key")
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        token = self._tokens.get(origin)
        if token is None or token.expires_at - now < MARGIN:
            if len(self._tokens) >= KEPT:
                self._tokens.clear()
            token = self._tokens[origin] = self._signed(self._private_key, origin, now + LIFETIME)
        return token

    def forget(self, token: Token) -> None:
        """Make the next token for this service anew: it did not take this one."""
        self._tokens = {origin: kept for origin, kept in self._tokens.items() if kept is not token}

    def _signed(self, key: ec.EllipticCurvePrivateKey, origin: str, expires_at: datetime) -> Token:
        claims = {"aud": origin, "exp": int(expires_at.timestamp()), "sub": self._subject}
        signed = jwt.encode(claims, key, algorithm="ES256")
        return Token(authorization=f"vapid t={signed}, k={self.public_key}", expires_at=expires_at)


def new_private_key() -> str:
    """Return a new private key, as the setting takes it."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64url.encode(number.to_bytes(_KEY_BYTES))


def public_key_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public half as browsers and push services take it: an uncompressed point, in base64url."""
    return base64url.encode(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _loaded(text: str) -> ec.EllipticCurvePrivateKey | None:
    data = base64url.decode(text)
    if data is None or len(data) != _KEY_BYTES:
        return None
    try:
        return ec.derive_private_key(int.from_bytes(data), ec.SECP256R1())
    except ValueError:
        return None
