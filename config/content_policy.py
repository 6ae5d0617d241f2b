"""What browsers may load and run on our pages: strict everywhere; the admin's theme needs more, and only it gets more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.deprecation import MiddlewareMixin

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"
_OURS_ONLY = (
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Nothing inline, nothing from elsewhere.
STRICT = f"default-src 'none'; script-src 'self'; style-src 'self'; {_OURS_ONLY}"
#: django-unfold's Alpine turns attributes into functions and writes styles onto elements; inline scripts stay forbidden.
ADMIN = f"default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; {_OURS_ONLY}"


class ContentPolicyMiddleware(MiddlewareMixin):
    """Give every response a policy, unless its view gave it one of its own."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response, with a policy."""
        # Django's own pages about errors, which developers see, are styled inline.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            match = request.resolver_match
            response.headers.setdefault(HEADER, ADMIN if match and "admin" in match.app_names else STRICT)
        return response
