"""A browser vendor's push service on loopback, with the browsers behind it: it checks who sends, and really decrypts."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notifications.channels.base64url import decode, encode
from tests.providers.server import Answer, Server, said

CURVE = ec.SECP256R1()
#: What every push service takes (RFC 8030 §7.2).
MAX_BODY = 4096
MAX_VALIDITY = 24 * 3600
AUTHORIZATION = re.compile(r"vapid t=([\w-]+\.[\w-]+\.[\w-]+), ?k=([\w-]+)")
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
#: The headers of aes128gcm: salt, record size, length of the key, key.
SALT, SIZE, KEY = slice(0, 16), slice(16, 20), slice(21, 86)


class Refused(Exception):
    """A request that a push service does not take."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


@dataclass
class Browser:
    """One subscription: the half of it that only the browser knows."""

    application_server_key: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    secret: bytes = b"a secret of 16 b"

    @property
    def public_key(self):
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def decrypt(self, body):
        """Return the plain text of a message (RFC 8291 §3.4, RFC 8188 §2); raise `InvalidTag` if it is not for us."""
        sender = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, body[KEY])
        shared = self.key.exchange(ec.ECDH(), sender)
        material = _derived(shared, self.secret, b"WebPush: info\0" + self.public_key + body[KEY], 32)
        key = _derived(material, body[SALT], b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(material, body[SALT], b"Content-Encoding: nonce\0", 12)
        record = body[KEY.stop :]
        assert int.from_bytes(body[SIZE]) >= len(record), "more than one record"
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert plain.endswith(b"\x02"), "not the last record"
        return plain[:-1]


@dataclass
class Pushed:
    """A message that was taken."""

    path: str
    headers: dict
    plain: bytes

    def json(self):
        return json.loads(self.plain)


class PushService(Server):
    """Takes what RFC 8030, 8291 and 8292 say it must, and nothing else. `answers` come first; None is judged."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.browsers: dict = {}
        self.pushed: list = []

    def subscribe(self, application_server_key, name="browser"):
        """Return what `PushSubscription.toJSON()` would say in a new browser."""
        browser = self.browsers[f"/push/{name}"] = Browser(application_server_key)
        keys = {"p256dh": encode(browser.public_key), "auth": encode(browser.secret)}
        return {"endpoint": f"{self.url}/push/{name}", "expirationTime": None, "keys": keys}

    def answer(self, request):
        scripted = self.answers.popleft() if self.answers else None
        if scripted is not None:
            return scripted
        try:
            self.pushed.append(self._taken(request))
        except Refused as e:
            return said(e.status, {"code": e.status})
        return Answer(201, b"", {"Location": f"{self.url}/message/{len(self.pushed)}"})

    def _taken(self, request):
        browser = self.browsers.get(request.path)
        if request.method != "POST" or browser is None:
            raise Refused(404)
        self._check_sender(request.headers.get("authorization", ""), browser)
        if len(request.body) > MAX_BODY:
            raise Refused(413)
        headers = request.headers
        right = [
            headers.get("ttl", "").isdecimal(),
            headers.get("content-encoding") == "aes128gcm",
            headers.get("urgency", "normal") in {"very-low", "low", "normal", "high"},
            TOPIC.fullmatch(headers.get("topic", "none")),
        ]
        if not all(right):
            raise Refused(400)
        try:
            return Pushed(request.path, headers, browser.decrypt(request.body))
        except (InvalidTag, ValueError) as e:
            # A push service cannot tell; a browser throws it away.
            raise Refused(400) from e

    def _check_sender(self, authorization, browser):
        """RFC 8292 §4.2: 401 without, 403 with what is not right."""
        found = AUTHORIZATION.fullmatch(authorization)
        if found is None:
            raise Refused(401)
        token, key = found.groups()
        if key != browser.application_server_key:
            raise Refused(403)
        public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(key) or b"")
        try:
            claims = jwt.decode(
                token, public, algorithms=["ES256"], audience=self.url, options={"require": ["aud", "exp", "sub"]}
            )
        except jwt.InvalidTokenError as e:
            raise Refused(403) from e
        if claims["exp"] > time.time() + MAX_VALIDITY or not claims["sub"].startswith(("mailto:", "https://")):
            raise Refused(403)


def _derived(material, salt, info, length):
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(material)
