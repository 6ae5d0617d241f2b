"""Pages of the inbox: a signed cursor on the one unique `sort_key`, so that no row is dropped while paging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core import signing
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView

_SALT = "notifications.cursor"


class InboxPagination(BasePagination):
    """`?cursor=…&page_size=…` → {"next": address or null, "results": […]}, newest first."""

    page_size = 25
    max_page_size = 100

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: APIView | None = None) -> list[Any]:
        self._request = request
        size = self._size(request.query_params.get("page_size"))
        queryset = queryset.order_by("-sort_key")
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            queryset = queryset.filter(sort_key__lt=_unsigned(cursor))
        # One more than shown tells whether there is a next page, without a COUNT.
        rows = list(queryset[: size + 1])
        self._last = rows[size - 1].sort_key if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._next(), "results": data})

    def _next(self) -> str | None:
        if self._last is None:
            return None
        return replace_query_param(self._request.build_absolute_uri(), "cursor", _signed(self._last))

    def _size(self, given: str | None) -> int:
        if given is None:
            return self.page_size
        if not (given.isascii() and given.isdigit() and 1 <= int(given[:4]) <= self.max_page_size and len(given) <= 3):
            raise ValidationError({"page_size": f"Pass a number from 1 to {self.max_page_size}."})
        return int(given)


def _signed(sort_key: UUID) -> str:
    return signing.Signer(salt=_SALT).sign(sort_key.hex)


def _unsigned(cursor: str) -> UUID:
    try:
        return UUID(signing.Signer(salt=_SALT).unsign(cursor))
    except (signing.BadSignature, ValueError) as e:
        raise ValidationError({"cursor": "This cursor was not issued here; start again without one."}) from e
