"""How much one caller may ask. Counted in this process's memory: no request waits for a cache, and none fails with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.cache.backends.locmem import LocMemCache
from rest_framework.throttling import SimpleRateThrottle

from notifications import conf

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

#: Users and API keys whose requests are remembered.
_MAX_USERS = 50_000


class UserThrottle(SimpleRateThrottle):
    """By the user's id, never by what a header says: reading by `API_RATES["read"]`, the rest by `API_RATES["write"]`."""

    cache = LocMemCache("notification-throttles", {"OPTIONS": {"MAX_ENTRIES": _MAX_USERS}})

    def __init__(self) -> None:
        # The rate depends on the request.
        pass

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.scope = self.scope_of(request)
        self.rate = conf.current().api_rates.get(self.scope)
        self.num_requests, self.duration = self.parse_rate(self.rate)
        return bool(super().allow_request(request, view))

    def scope_of(self, request: Request) -> str:
        return "read" if request.method in {"GET", "HEAD", "OPTIONS"} else "write"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        user: Any = request.user
        return f"{self.scope}:{user.pk}" if user.is_authenticated else None


class KeyThrottle(UserThrottle):
    """By the key, whatever it asks: `API_RATES["publish"]`."""

    def scope_of(self, request: Request) -> str:
        return "publish"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        key: Any = request.auth
        return f"{self.scope}:{key.pk}"
