"""How other services show who they are: a key, as `Authorization: Bearer ntf_…` (RFC 6750 §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from notifications import clock
from notifications.models import ApiKey
from notifications.services import api_keys

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from rest_framework.request import Request
    from rest_framework.views import APIView

REALM = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """By the header alone. No cookie is looked at, so a forged page can do nothing with it."""

    @sensitive_variables("text")
    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != REALM.lower():
            return None
        key = api_keys.authenticate(text.strip(), now=clock.now())
        if key is None:
            # Which of these it is, is told to nobody who does not have it.
            message = "This API key is unknown, expired or revoked."
            raise AuthenticationFailed(message)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return REALM


class HasApiKey(BasePermission):
    """A service may publish, or read what became of it, if its key says so."""

    message = "This API key may not do that."
    code = "scope"

    def has_permission(self, request: Request, view: APIView) -> bool:
        key = request.auth
        if not isinstance(key, ApiKey):
            return False
        return key.may_read if request.method in {"GET", "HEAD"} else key.may_publish


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The key of a service, as OpenAPI describes it."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
