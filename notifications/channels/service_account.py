"""Access tokens of Google's services: a service account signs a claim, and is given a token for an hour (RFC 7523)."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from notifications.channels.http import error_of
from notifications.exceptions import AmbiguousError, MisconfiguredError, PermanentError, TransientError

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.channels.http import Http

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: How long a claim, and usually a token, is valid; how long before its end a token is asked for anew.
LIFETIME, MARGIN = timedelta(hours=1), timedelta(minutes=5)
NEEDED = ("project_id", "client_email", "private_key", "token_uri")


class ServiceAccount:
    """An account by the JSON file that Google's console gives out, for one scope."""

    def __init__(self, given: object, *, scope: str) -> None:
        known = given if isinstance(given, Mapping) else {}
        self._given = {name: str(known.get(name, "")) for name in NEEDED}
        self._key = _loaded(self._given["private_key"])
        self._scope = scope
        self._lock = threading.Lock()
        self._token = ""
        self._expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"<ServiceAccount of {self.project}>"

    @property
    def project(self) -> str:
        return self._given["project_id"]

    def problems(self) -> list[str]:
        """Return what is wrong with the file."""
        missing = [name for name in NEEDED if not self._given[name]]
        if missing:
            return [f"service_account has no {', '.join(missing)}; it is the JSON file of a service account"]
        return [] if self._key else ["private_key of service_account is no RSA key in PEM"]

    def token(self, http: Http, now: datetime) -> str:
        """Return a token, the same until shortly before its end; raise a `DeliveryError` if none can be had."""
        with self._lock:
            if self._expires_at is None or self._expires_at - now < MARGIN:
                self._token, lifetime = self._asked(http, now)
                self._expires_at = now + lifetime
            return self._token

    def forget(self) -> None:
        """Ask anew the next time: the token was not taken."""
        with self._lock:
            self._expires_at = None

    def _asked(self, http: Http, now: datetime) -> tuple[str, timedelta]:
        if self._key is None:
            what = "There is no key to sign with."
            raise MisconfiguredError(what, code="no_key")
        claims = {
            "iss": self._given["client_email"],
            "scope": self._scope,
            "aud": self._given["token_uri"],
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        form = {"grant_type": GRANT, "assertion": jwt.encode(claims, self._key, algorithm="RS256")}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = http.request("POST", self._given["token_uri"], headers=headers, content=urlencode(form).encode())
        except AmbiguousError as e:
            # No message was sent yet.
            raise TransientError(str(e), code=e.code) from e
        if not answer.is_success:
            error = error_of(answer.status, answer.word("error"), "Google's token service", answer.headers)
            # It knows only our claim: what it refuses for good is the account.
            raise MisconfiguredError(str(error), code=error.code) if isinstance(error, PermanentError) else error
        return _read(answer.body)


def _read(body: bytes) -> tuple[str, timedelta]:
    what = "Google's token service gave an answer that is no token."
    try:
        given = json.loads(body)
        token, lifetime = given["access_token"], timedelta(seconds=float(given["expires_in"]))
    except (ValueError, TypeError, KeyError, OverflowError) as e:
        raise TransientError(what, code="no_token") from e
    # It becomes part of a header.
    if not (isinstance(token, str) and token.isascii() and token.isprintable()):
        raise TransientError(what, code="no_token")
    return token, lifetime


def _loaded(text: str) -> RSAPrivateKey | None:
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        return None
    return key if isinstance(key, RSAPrivateKey) else None
