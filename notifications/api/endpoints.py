"""The addresses a person registers: browsers for push, chat rooms, receivers of webhooks. What was given is not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import (
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers, status, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import clock
from notifications.api import strict
from notifications.api.problems import by_field
from notifications.exceptions import WrongPreference
from notifications.inputs import MAX_LINK
from notifications.models import Endpoint
from notifications.models.endpoints import REGISTERED
from notifications.services import endpoints
from notifications.services.consent import Origin
from notifications.types import Channel, ConsentSource

if TYPE_CHECKING:
    from django.db.models import QuerySet


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """An address, without what would let others use it."""

    host = serializers.CharField(read_only=True)
    fingerprint = serializers.CharField(
        source="address_hash",
        read_only=True,
        help_text="SHA-256 of its URL in hex: by this a browser knows itself again.",
    )

    class Meta:
        model = Endpoint
        fields: tuple[str, ...] = ("id", "channel", "host", "fingerprint", "created_at", "last_used_at", "disabled_at")
        read_only_fields = fields

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `label` is an attribute of every serializer.
        return {**super().get_fields(), "label": serializers.CharField(read_only=True)}


class RegisteredSerializer(EndpointSerializer):
    """An address, as it is shown when it is registered."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        told = "Of a receiver of webhooks: what it checks signatures by. Not shown otherwise."
        return {**super().get_fields(), "signing_key": serializers.SerializerMethodField(help_text=told)}

    def get_signing_key(self, row: Endpoint) -> str:
        return endpoints.signing_key(row)


@extend_schema_serializer(many=False)
class EndpointsSerializer(serializers.Serializer[Any]):
    """All of them: there are not many."""

    results = EndpointSerializer(many=True, read_only=True)
    vapid_public_key = serializers.CharField(
        read_only=True,
        help_text="The `applicationServerKey` browsers subscribe to push with; empty: they cannot here.",
    )


class KeysSerializer(strict.StrictSerializer):
    """Keys of a push subscription, in base64url."""

    p256dh = serializers.CharField(max_length=100)
    auth = serializers.CharField(max_length=30)


class PushAddressSerializer(strict.StrictSerializer):
    """A browser's push subscription, as its `toJSON()` says it."""

    endpoint = serializers.CharField(max_length=MAX_LINK)
    keys = KeysSerializer()
    expirationTime = serializers.FloatField(required=False, allow_null=True, help_text="Not used.")  # noqa: N815


class TokenAddressSerializer(strict.StrictSerializer):
    """An app on a telephone, by the registration token that Firebase gives it."""

    token = serializers.CharField(max_length=1024)


class UrlAddressSerializer(strict.StrictSerializer):
    """The address of a chat room, or of a receiver of webhooks."""

    url = serializers.CharField(max_length=MAX_LINK)


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="Address",
        serializers=[PushAddressSerializer, TokenAddressSerializer, UrlAddressSerializer],
        resource_type_field_name=None,
    )
)
class AddressField(serializers.DictField):
    """What a channel needs to reach somebody."""


class NewEndpointSerializer(strict.StrictSerializer):
    """POST of an address."""

    channel = serializers.CharField(max_length=10, help_text=", ".join(REGISTERED))
    address = AddressField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `label` is an attribute of every serializer.
        label = serializers.CharField(
            required=False, allow_blank=True, max_length=100, help_text="What its owner calls it."
        )
        return {**super().get_fields(), "label": label}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        address = _kind(attrs["channel"], attrs["address"])(data=attrs["address"])
        if not address.is_valid():
            raise serializers.ValidationError({"address": address.errors})
        given = dict(address.validated_data)
        given.pop("expirationTime", None)
        return {**attrs, "address": given}


class EndpointViewSet(viewsets.GenericViewSet[Endpoint]):
    """One's own addresses. Used once their channel is set up."""

    serializer_class = EndpointSerializer
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    def get_queryset(self) -> QuerySet[Endpoint]:
        return endpoints.of(self.request.user)

    @extend_schema(responses=EndpointsSerializer)
    def list(self, request: Request) -> Response:
        """List the addresses, the newest first."""
        results = self.get_serializer(self.get_queryset(), many=True).data
        return Response({"results": results, "vapid_public_key": endpoints.vapid_public_key()})

    @extend_schema(request=NewEndpointSerializer, responses={200: RegisteredSerializer, 201: RegisteredSerializer})
    def create(self, request: Request) -> Response:
        """Register an address. 200: it was there, and has its keys and its label anew."""
        given = strict.body(NewEndpointSerializer, request.data)
        try:
            row, is_new = endpoints.register(request.user, **given, now=clock.now(), origin=_origin(request))
        except WrongPreference as e:
            raise ValidationError(by_field(e)) from e
        shown = RegisteredSerializer(row, context=self.get_serializer_context()).data
        return Response(shown, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    def destroy(self, request: Request, pk: str) -> Response:
        """Forget an address."""
        endpoints.remove(self.get_object(), now=clock.now(), origin=_origin(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _kind(channel: str, address: dict[str, Any]) -> type[strict.StrictSerializer]:
    """Return what an address of a channel has to look like."""
    if channel != Channel.WEB_PUSH:
        return UrlAddressSerializer
    return TokenAddressSerializer if "token" in address else PushAddressSerializer


def _origin(request: Request) -> Origin:
    return Origin(source=ConsentSource.API, by=request.user)
