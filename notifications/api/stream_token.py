"""
The way into a stream: a token that is good for a minute, and only beside the cookie of the session it was issued to.

An EventSource sends no header of its own, so the token is in the address, and addresses end up in logs: alone it opens
nothing. The cookie alone opens nothing either, so no other site can open a stream in a visitor's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework.response import Response
from rest_framework.views import APIView

if TYPE_CHECKING:
    from rest_framework.request import Request

#: Seconds a token opens a stream for.
EXPIRES_IN = 60
#: Seconds between two looks at the counts where there is no stream.
POLL_SECONDS = 15

_SALT = "notifications.stream"


class StreamTokenView(APIView):
    """POST: where to listen, for the next minute; `url` is null where this server cannot stream."""

    def post(self, request: Request) -> Response:
        session_key = request.session.session_key if hasattr(request, "session") else None
        url = None
        # WSGI gives every request a thread until it ends: a stream would never give it back.
        if hasattr(request, "scope") and session_key:
            query = urlencode({"token": issue(str(request.user.pk), session_key)})
            url = f"{request.path.rstrip('/').removesuffix('token')}?{query}"
        answer = Response({"url": url, "expires_in": EXPIRES_IN, "poll_seconds": POLL_SECONDS})
        answer["Cache-Control"] = "no-store"
        return answer


def issue(recipient: str, session_key: str) -> str:
    """Return a token for this user in this session."""
    return signing.TimestampSigner(salt=_SALT).sign_object([recipient, _mark(session_key)])


def recipient_of(token: str, session_key: str) -> str | None:
    """Return whose stream the token opens in this session; None: it opens nothing."""
    try:
        recipient, mark = signing.TimestampSigner(salt=_SALT).unsign_object(token, max_age=EXPIRES_IN)
    except signing.BadSignature:
        return None
    return recipient if session_key and constant_time_compare(mark, _mark(session_key)) else None


def _mark(session_key: str) -> str:
    return salted_hmac(_SALT, session_key, algorithm="sha256").hexdigest()
