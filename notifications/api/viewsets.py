"""The inbox API. Everything starts from `request.user`, so a stranger's id is 404."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from notifications import clock
from notifications.api import pagination, strict
from notifications.api.etags import WeakETags
from notifications.api.problems import Conflict
from notifications.api.schema import IF_NONE_MATCH
from notifications.api.serializers import (
    ChangeSerializer,
    CountsSerializer,
    ListQuerySerializer,
    MarkedSerializer,
    MarkSerializer,
    NotificationSerializer,
    PageSerializer,
    WhySerializer,
    filter_of,
)
from notifications.exceptions import ActionRefused, WrongTime
from notifications.models import Notification
from notifications.services import explain, inbox, inbox_actions
from notifications.services.counts import counts

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


class NotificationViewSet(WeakETags, viewsets.GenericViewSet[Notification]):
    """One's own notifications."""

    serializer_class = NotificationSerializer
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    def get_queryset(self) -> QuerySet[Notification]:
        return inbox.of(self.request.user)

    @extend_schema(parameters=[ListQuerySerializer, IF_NONE_MATCH], responses={200: PageSerializer, 304: None})
    def list(self, request: Request) -> Response:
        """List a part of the inbox, newest first."""
        asked = strict.query(ListQuerySerializer, request.query_params)
        rows, cursor = pagination.page(
            inbox.matching(request.user, filter_of(asked)),
            size=asked.get("page_size", pagination.PAGE_SIZE),
            cursor=asked.get("cursor"),
        )
        return pagination.response(request, self.get_serializer(rows, many=True).data, cursor)

    @extend_schema(parameters=[IF_NONE_MATCH], responses={200: NotificationSerializer, 304: None})
    def retrieve(self, request: Request, pk: str) -> Response:
        """Show one notification. It stays unread."""
        return self._shown()

    @extend_schema(request=ChangeSerializer, responses=NotificationSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Mark, archive or snooze one notification."""
        item = self.get_object()
        change = ChangeSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        items, now = inbox.by_ids(request.user, [item.pk]), clock.now()
        if "snoozed_until" in change.validated_data:
            _snooze(items, change.validated_data["snoozed_until"])
        elif item.snoozed_until is not None:
            message = "It is snoozed until it comes back; pass snoozed_until: null to have it back now."
            raise Conflict(message, "snoozed")
        for mark in change.marks():
            inbox.mark(items, mark, now=now)
        return self._shown()

    def destroy(self, request: Request, pk: str) -> Response:
        """Take one notification out of the inbox for good."""
        inbox.hide(inbox.by_ids(request.user, [self.get_object().pk]), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=MarkSerializer, responses=MarkedSerializer)
    @action(detail=False, methods=["post"])
    def mark(self, request: Request) -> Response:
        """Mark many at once: those named, or a part of the inbox up to the newest item that was shown."""
        asked = strict.body(MarkSerializer, request.data)
        if "ids" in asked:
            items = inbox.by_ids(request.user, asked["ids"])
        else:
            items = inbox.up_to(inbox.matching(request.user, filter_of(asked.get("filter", {}))), asked["before"])
        updated = inbox.mark(items, asked["as"], now=clock.now())
        return Response({"updated": updated, "counts": counts(request.user)})

    @extend_schema(parameters=[IF_NONE_MATCH], responses={200: CountsSerializer, 304: None})
    @action(detail=False)
    def counts(self, request: Request) -> Response:
        """Count what is unseen and unread, at most to `cap`."""
        return Response(counts(request.user))

    @extend_schema(parameters=[IF_NONE_MATCH], responses={200: WhySerializer, 304: None})
    @action(detail=True)
    def why(self, request: Request, pk: str) -> Response:
        """Tell why it came, and by which channels it went out or did not."""
        told = explain.of_notification(self.get_object(), now=clock.now())
        return Response({"lines": [asdict(line) for line in told.lines]})

    @extend_schema(request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["post"], url_path=r"actions/(?P<name>[a-z0-9_-]{1,64})")
    def run_action(self, request: Request, pk: str, name: str) -> Response:
        """Press a button that business code answers. Pressed again, nothing more happens."""
        try:
            inbox_actions.run(inbox.by_ids(request.user, [self.get_object().pk]), name, now=clock.now())
        except LookupError as e:
            raise Http404 from e
        except ActionRefused as e:
            raise Conflict(str(e), "refused") from e
        return self._shown()

    def _shown(self) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


def _snooze(items: Any, until: Any) -> None:
    if until is None:
        inbox.unsnooze(items)
        return
    try:
        inbox.snooze(items, until, now=clock.now())
    except WrongTime as e:
        raise ValidationError({"snoozed_until": str(e)}) from e
