"""Google's token service and Firebase Cloud Messaging on loopback: one checks signatures, the other tokens."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.providers.server import Server, said

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
MAIL = "push@shop.iam.gserviceaccount.example"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def refused(status, code, word="", field="", **headers):
    """Answer as Google's APIs do: `code` is the general one, `word` FCM's own, `field` the part that is wrong."""
    details = [{"@type": ERROR, "errorCode": word}] if word else []
    if field:
        violation = {"field": field, "description": "Invalid registration token"}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    error = {"code": status, "message": "Words for people.", "status": code, "details": details}
    return said(status, {"error": error}, **headers)


class Firebase(Server):
    """
    Gives a token for a signed claim, and takes messages that show it.

    `answers` are those to messages, `token_answers` those of the token service; None and none: what is right is taken.
    """

    def __init__(self):
        super().__init__()
        self.token_answers: list = []
        self.claims: list = []
        self.messages: list = []
        self.sends = 0
        #: Seconds for which a token is good.
        self.lifetime = 3599

    def account(self, **changes):
        """Return the JSON file of a service account."""
        return {
            "type": "service_account", "project_id": "shop", "private_key": PEM, "client_email": MAIL,
            "token_uri": f"{self.url}/token", **changes,
        }  # fmt: skip

    def answer(self, request):
        if request.path == "/token":
            return self.token_answers.pop(0) if self.token_answers else self._token(parse_qs(request.body.decode()))
        self.sends += 1
        scripted = self.answers.popleft() if self.answers else None
        return scripted or self._take(request)

    def _token(self, form):
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        try:
            claims = jwt.decode(
                form["assertion"][0], KEY.public_key(), algorithms=["RS256"], audience=f"{self.url}/token", issuer=MAIL,
                options={"require": ["aud", "exp", "iat", "iss"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            return said(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        assert claims["scope"] == SCOPE
        assert claims["exp"] - claims["iat"] <= 3600
        self.claims.append(claims)
        token = f"ya29.{len(self.claims)}"
        return said(200, {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"})

    def _take(self, request):
        if request.headers.get("authorization") != f"Bearer ya29.{len(self.claims)}":
            return refused(401, "UNAUTHENTICATED")
        if (request.method, request.path) != ("POST", "/v1/projects/shop/messages:send"):
            return refused(404, "NOT_FOUND")
        if len(request.body) > 4096 + 1024:
            return refused(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        self.messages.append(json.loads(request.body)["message"])
        return said(200, {"name": f"projects/shop/messages/0:{len(self.messages)}"})
