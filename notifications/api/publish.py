"""Publishing for other services: the front door, over HTTP."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.exceptions import APIException, ErrorDetail, PermissionDenied, ValidationError
from rest_framework.response import Response

from notifications import exceptions
from notifications.api import strict
from notifications.api.api_keys import ApiKeyAuthentication, HasApiKey
from notifications.api.etags import WeakETags
from notifications.api.problems import QueryError
from notifications.api.publish_serializers import (
    OutcomeSerializer,
    PublishedSerializer,
    PublishSerializer,
    options_of,
)
from notifications.api.schema import IF_NONE_MATCH
from notifications.api.throttles import KeyThrottle
from notifications.models import ApiKey
from notifications.publishing import publish_batch_notification
from notifications.services import outcomes
from notifications.types import Source

if TYPE_CHECKING:
    from rest_framework.request import Request

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_KEY = 200

#: Which part of the body an error is about, and its code.
ABOUT: dict[type[exceptions.PublishError], tuple[str, str]] = {
    exceptions.UnknownTemplate: ("template", "unknown_template"),
    exceptions.WrongVariables: ("variables", "wrong_variables"),
    exceptions.UnsafeLink: ("action_url", "unsafe_link"),
    exceptions.UnknownChannel: ("channels", "unknown_channel"),
    exceptions.UnknownAudience: ("audience", "unknown_audience"),
    exceptions.WrongRecipients: ("recipients", "wrong_recipients"),
}


class KeyReused(APIException):
    """The key was used for another request: 422 (draft-ietf-httpapi-idempotency-key-header, "Error Scenarios")."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_conflict"
    default_detail = "This Idempotency-Key was used for another request; use a key that names this one."


class PublishViewSet(WeakETags, viewsets.ViewSet):
    """What services publish, and what became of it. A key sees only what it published itself."""

    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasApiKey,)
    throttle_classes = (KeyThrottle,)
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    @extend_schema(
        parameters=[
            OpenApiParameter(
                IDEMPOTENCY_KEY,
                {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
                OpenApiParameter.HEADER,
                description="The same key with the same request again is the same event; each service has its own keys.",
            )
        ],
        request=PublishSerializer,
        responses={202: PublishedSerializer},
    )
    def create(self, request: Request) -> Response:
        """Publish. The answer comes as soon as it is stored; `Location` tells what becomes of it."""
        key, idempotency_key = _key_of(request), _idempotency_key(request)
        asked = strict.body(PublishSerializer, request.data)
        if not key.allows(asked["template"]):
            message = f"This API key may not publish {asked['template']}."
            raise PermissionDenied(message, "scope")
        try:
            batch = publish_batch_notification(
                **options_of(asked), idempotency_key=idempotency_key, source=Source.API, api_key=key.pk
            )
        except exceptions.IdempotencyConflict as e:
            raise KeyReused from e
        except exceptions.PublishError as e:
            raise _refused(e, asked) from e
        event_id = batch.event_ids[0] if batch.event_ids and batch.broadcast_id is None else None
        published = {
            "event_id": event_id,
            "broadcast_id": batch.broadcast_id,
            "created": batch.created,
            "recipient_count": batch.recipient_count,
            "duplicate_count": batch.duplicate_count,
        }
        response = Response(published, status=status.HTTP_202_ACCEPTED)
        if outcome := event_id or batch.broadcast_id:
            response["Location"] = request.build_absolute_uri(f"{request.path.rstrip('/')}/{outcome}/")
        return response

    @extend_schema(
        parameters=[OpenApiParameter("id", UUID, OpenApiParameter.PATH), IF_NONE_MATCH],
        responses={200: OutcomeSerializer, 304: None},
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """Tell what became of an event or a broadcast, in numbers. Once retention has emptied it, it is gone."""
        outcome = outcomes.of_key(_key_of(request), UUID(pk))
        if outcome is None:
            raise Http404
        return Response(OutcomeSerializer(outcome).data)


def _key_of(request: Request) -> ApiKey:
    key: Any = request.auth
    assert isinstance(key, ApiKey)
    return key


def _idempotency_key(request: Request) -> str | None:
    """Return the key as it is stored: the service's own, so that two services never have the same."""
    given = request.headers.get(IDEMPOTENCY_KEY)
    if given is None:
        return None
    if not 0 < len(given) <= MAX_KEY or not given.isascii() or not given.isprintable():
        raise QueryError({IDEMPOTENCY_KEY: f"Pass 1 to {MAX_KEY} printable ASCII characters, or leave it out."})
    # Hashed: with the service's name before it, it would be longer than the column.
    return f"api:{_key_of(request).prefix}:{hashlib.sha256(given.encode()).hexdigest()}"


def _refused(error: exceptions.PublishError, asked: dict[str, Any]) -> ValidationError:
    """Return an error as a problem that points at the part of the body it is about; at all of it, where several may be."""
    field, code = ABOUT.get(type(error), ("", "invalid"))
    if isinstance(error, exceptions.WrongTime):
        given = [name for name in ("send_at", "delay_seconds", "expires_in_seconds") if name in asked]
        field, code = given[0] if len(given) == 1 else "", "wrong_time"
    detail = [ErrorDetail(str(error), code)]
    return ValidationError({field or "non_field_errors": detail})
