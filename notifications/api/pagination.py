"""Pages of the inbox: a signed cursor on the one unique `sort_key`, so that no row is dropped while paging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core import signing
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from notifications.api.problems import QueryError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

PAGE_SIZE = 25
_SALT = "notifications.cursor"


def page(queryset: QuerySet[Any], *, size: int, cursor: str | None) -> tuple[list[Any], str | None]:
    """Return the rows of a page, newest first, and the cursor of the next one; raise `QueryError` for a foreign cursor."""
    queryset = queryset.order_by("-sort_key")
    if cursor is not None:
        queryset = queryset.filter(sort_key__lt=_unsigned(cursor))
    # One more than shown tells whether there is a next page, without a COUNT.
    rows = list(queryset[: size + 1])
    following = _signed(rows[size - 1].sort_key) if len(rows) > size else None
    return rows[:size], following


def response(request: Request, results: Any, cursor: str | None) -> Response:
    """Return {"next": the next page's address or null, "results": […]}."""
    here = request.build_absolute_uri()
    return Response({"next": cursor and replace_query_param(here, "cursor", cursor), "results": results})


def _signed(sort_key: UUID) -> str:
    return signing.Signer(salt=_SALT).sign(sort_key.hex)


def _unsigned(cursor: str) -> UUID:
    try:
        return UUID(signing.Signer(salt=_SALT).unsign(cursor))
    except (signing.BadSignature, ValueError) as e:
        raise QueryError({"cursor": "This cursor was not issued here; start again without one."}) from e
