"""Every error as problem details (RFC 9457): what is wrong, where, and a word programs can rely on."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rest_framework.request import Request

    from notifications.exceptions import WrongPreference

MEDIA_TYPE = "application/problem+json"


class Conflict(APIException):
    """The request is well made, but not possible as things are."""

    status_code = 409
    default_code = "conflict"


class ProblemRenderer(JSONRenderer):
    media_type = MEDIA_TYPE


class QueryError(ValidationError):
    """What is wrong is in the address, not in the body."""


class Nowhere(APIView):
    """Whatever address of the API there is not."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        message = "There is no such address in this API."
        raise exceptions.NotFound(message)


def handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an error of the API; None: it is a fault of ours, for Django to report."""
    problem = _known(error)
    if problem is None:
        return None
    set_rollback()
    status = problem.status_code
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if isinstance(problem, ValidationError):
        where = "parameter" if isinstance(problem, QueryError) else "pointer"
        body["errors"] = list(_errors(problem.detail, where, ()))
        body["detail"] = " ".join(dict.fromkeys(one["detail"] for one in body["errors"]))
        body["code"] = "invalid"
    else:
        detail = problem.detail
        body["detail"] = str(detail)
        body["code"] = detail.code if isinstance(detail, ErrorDetail) else problem.default_code
    response = Response(body, status=status, headers=_headers(problem), content_type=MEDIA_TYPE)
    request = context.get("request")
    if request is not None:
        # The reader's wish of a format is about answers, not about errors.
        request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), MEDIA_TYPE
    return response


def by_field(error: WrongPreference) -> dict[str, Any]:
    """Return what is wrong under the names of the part that it is about, as a `ValidationError` takes it."""
    found: Any = str(error)
    for name in reversed(error.field.split("/")):
        found = {name or "non_field_errors": found}
    return cast("dict[str, Any]", found)


def _known(error: Exception) -> APIException | None:
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error if isinstance(error, APIException) else None


def _headers(problem: APIException) -> dict[str, str]:
    headers = {}
    if authenticate := getattr(problem, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if wait := getattr(problem, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def _errors(detail: Any, where: str, path: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield one entry for each message, with the place it is about: `#/changes/0/cadence`, or a parameter's name."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _errors(inner, where, path if key == "non_field_errors" else (*path, str(key)))
    elif isinstance(detail, list) and all(isinstance(inner, str) for inner in detail):
        for message in detail:
            yield _error(message, where, path)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            if inner:
                yield from _errors(inner, where, (*path, str(index)))
    else:
        yield _error(detail, where, path)


def _error(message: Any, where: str, path: tuple[str, ...]) -> dict[str, str]:
    place = {"parameter": path[0]} if where == "parameter" and path else {}
    if where == "pointer":
        # RFC 6901 §3: ~ and / are escaped.
        place = {"pointer": "#" + "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)}
    return {**place, "detail": str(message), "code": getattr(message, "code", "invalid")}
