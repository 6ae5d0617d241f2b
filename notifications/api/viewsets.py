"""The inbox API. Everything starts from `request.user`, so a stranger's id is 404."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from notifications import clock
from notifications.api.pagination import InboxPagination
from notifications.api.serializers import (
    ChangeSerializer,
    ListQuerySerializer,
    MarkSerializer,
    NotificationSerializer,
)
from notifications.models import Notification
from notifications.services import inbox

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


class NotificationViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Notification]):
    """List, read and mark one's own notifications."""

    serializer_class = NotificationSerializer
    pagination_class = InboxPagination
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    def get_queryset(self) -> QuerySet[Notification]:
        return inbox.of(self.request.user)

    def list(self, request: Request) -> Response:
        query = ListQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        page = self.paginate_queryset(_matching(self.get_queryset(), query.validated_data))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        item = self.get_object()
        change = ChangeSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        items = self.get_queryset().filter(pk=item.pk)
        for field, value in change.validated_data.items():
            inbox.mark(items, field if value else f"un{field}", now=clock.now())
        return Response(self.get_serializer(self.get_object()).data)

    @action(detail=False, methods=["post"])
    def mark(self, request: Request) -> Response:
        wanted = MarkSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        data = wanted.validated_data
        items = inbox.chosen(request.user, ids=data.get("ids"), before=data.get("before"))
        updated = inbox.mark(items, data["as"], now=clock.now())
        return Response({"updated": updated, "counts": inbox.counts(request.user)})

    @action(detail=False)
    def counts(self, request: Request) -> Response:
        return Response(inbox.counts(request.user))


def _matching(items: QuerySet[Notification], query: dict[str, Any]) -> QuerySet[Notification]:
    if "status" in query:
        items = items.filter(read_at__isnull=query["status"] == "unread")
    exact = {name: query[name] for name in ("category", "template") if name in query}
    return items.filter(**exact)
