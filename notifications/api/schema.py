"""The API's own description: OpenAPI at /api/schema/, to be read and tried at /api/docs/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from notifications.api.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drf_spectacular.openapi import AutoSchema
    from rest_framework.request import Request
    from rest_framework.response import Response

#: What every error looks like: RFC 9457.
PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in words."},
        "code": {"type": "string", "description": "The same, as a word for programs."},
        "errors": {
            "type": "array",
            "description": "Where something is wrong, when several things may be.",
            "items": {
                "type": "object",
                "required": ["detail", "code"],
                "properties": {
                    "pointer": {"type": "string", "description": "Into the body: #/ids/0."},
                    "parameter": {"type": "string", "description": "Of the query, or a header."},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
}

#: For polling.
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the last answer: 304 if nothing has changed.",
)


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The browser's session; what writes needs the CSRF token, too."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of every operation that its errors are problem details."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for operation in _operations(result):
        operation["responses"]["4XX"] = {"description": "A problem", "content": {MEDIA_TYPE: reference}}
    return result


def _operations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in result["paths"].values():
        yield from (operation for operation in path.values() if "responses" in operation)


class SchemaView(SpectacularAPIView):
    """The description itself."""

    throttle_classes = ()
    permission_classes = ()
    authentication_classes = ()


#: Nothing from elsewhere. The page sets styles on its elements by itself.
_CONTENT_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


class DocsView(SpectacularSwaggerSplitView):
    """Read it and try it; its scripts are served from here."""

    url_name = "schema"
    schema = None
    throttle_classes = ()
    permission_classes = ()
    authentication_classes = ()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = _CONTENT_POLICY
        return response
