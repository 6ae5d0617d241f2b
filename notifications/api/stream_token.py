"""
The way into a stream: a token that is good for a minute, and only beside the cookie of the session it was issued to.

An EventSource sends no header of its own, so the token is in the address, and addresses end up in logs: alone it opens
nothing. The cookie alone opens nothing either, so no other site can open a stream in a visitor's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.api.serializers import StreamTokenSerializer

if TYPE_CHECKING:
    from rest_framework.request import Request

#: Seconds a token opens a stream for.
EXPIRES_IN = 60
#: Seconds between two looks at the counts where there is no stream.
POLL_SECONDS = 15

_SALT = "notifications.stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a token says: whose stream, and in which language."""

    recipient: str
    language: str


class StreamTokenView(APIView):
    """The way into the stream of what is new."""

    @extend_schema(request=None, responses=StreamTokenSerializer)
    def post(self, request: Request) -> Response:
        """Return where to listen, for the next minute."""
        session_key = request.session.session_key
        url = None
        # WSGI gives every request a thread until it ends: a stream would never give it back.
        if hasattr(request, "scope") and session_key:
            granted = Pass(recipient=str(request.user.pk), language=get_language() or settings.LANGUAGE_CODE)
            query = urlencode({"token": issue(granted, session_key)})
            url = f"{request.path.rstrip('/').removesuffix('token')}?{query}"
        answer = Response({"url": url, "expires_in": EXPIRES_IN, "poll_seconds": POLL_SECONDS})
        answer["Cache-Control"] = "no-store"
        return answer


def issue(granted: Pass, session_key: str) -> str:
    """Return a token for this session."""
    said = [granted.recipient, granted.language, _mark(session_key)]
    return signing.TimestampSigner(salt=_SALT).sign_object(said)


def check(token: str, session_key: str) -> Pass | None:
    """Return what the token says, in this session; None: it opens nothing."""
    try:
        recipient, language, mark = signing.TimestampSigner(salt=_SALT).unsign_object(token, max_age=EXPIRES_IN)
    except signing.BadSignature:
        return None
    if not (session_key and constant_time_compare(mark, _mark(session_key))):
        return None
    return Pass(recipient=recipient, language=language)


def _mark(session_key: str) -> str:
    return salted_hmac(_SALT, session_key, algorithm="sha256").hexdigest()
