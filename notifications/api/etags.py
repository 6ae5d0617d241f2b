"""Weak ETags: who asks again and again gets 304 and no body while nothing has changed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

from django.utils.cache import get_conditional_response

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.response import Response


class WeakETags:
    """Give a view's answers to GET an ETag over what they say, and answer 304 where that is known."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        if request.method == "GET" and response.status_code == 200:
            response["Cache-Control"] = "private, no-cache"
            response.add_post_render_callback(_Conditional(request))
        return response


class _Conditional:
    def __init__(self, request: Request) -> None:
        self._request = request

    def __call__(self, response: Any) -> Any:
        etag = f'W/"{hashlib.blake2b(response.content, digest_size=12).hexdigest()}"'
        response["ETag"] = etag
        return get_conditional_response(cast("HttpRequest", self._request), etag=etag, response=response)
