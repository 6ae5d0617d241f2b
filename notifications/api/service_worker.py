"""The worker that shows push messages in browsers, beside the API: its scope has no pages, so it is in nobody's way."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag, require_safe

import notifications

SOURCE = Path(notifications.__file__).parent / "static" / "notifications" / "service-worker.js"
#: It asks this site alone, and loads nothing.
CONTENT_POLICY = "default-src 'none'; connect-src 'self'"


@cache
def _source() -> tuple[bytes, str]:
    script = SOURCE.read_bytes()
    return script, f'"{hashlib.sha256(script).hexdigest()[:32]}"'


@require_safe
@cache_control(no_cache=True)
@etag(lambda _: _source()[1])
def shown(_: HttpRequest) -> HttpResponse:
    """Return the script, for whoever asks: browsers do so long after somebody has logged out."""
    headers = {"Content-Security-Policy": CONTENT_POLICY, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(_source()[0], content_type="text/javascript; charset=utf-8", headers=headers)
