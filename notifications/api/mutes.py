"""The business objects a person wants to hear nothing more of."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers, status, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import clock
from notifications.api import strict
from notifications.api.problems import by_field
from notifications.exceptions import WrongPreference
from notifications.models import Mute
from notifications.services import mutes
from notifications.services.consent import Origin
from notifications.services.mutes import MAX_ABOUT
from notifications.types import ConsentSource


class MuteSerializer(serializers.ModelSerializer[Mute]):
    """A mute in force."""

    class Meta:
        model = Mute
        fields = ("id", "about", "until", "created_at")
        read_only_fields = fields


@extend_schema_serializer(many=False)
class MutesSerializer(serializers.Serializer[Any]):
    """All of them: there are not many."""

    results = MuteSerializer(many=True, read_only=True)


class NewMuteSerializer(strict.StrictSerializer):
    """POST of a mute."""

    about = serializers.CharField(max_length=MAX_ABOUT, help_text="As an item names it: orders.order:42.")
    until = strict.InstantField(required=False, allow_null=True, help_text="null: for ever.")


class MuteViewSet(viewsets.GenericViewSet[Mute]):
    """One's own mutes."""

    serializer_class = MuteSerializer
    lookup_value_regex = "[0-9]{1,18}"

    #: For the description only: which are in force depends on the clock.
    queryset = Mute.objects.none()

    @extend_schema(responses=MutesSerializer)
    def list(self, request: Request) -> Response:
        """List what is muted, the newest first."""
        rows = mutes.of(request.user, now=clock.now())
        return Response({"results": self.get_serializer(rows, many=True).data})

    @extend_schema(request=NewMuteSerializer, responses={200: MuteSerializer, 201: MuteSerializer})
    def create(self, request: Request) -> Response:
        """Mute an object, or change until when. 200: it was so already."""
        given = strict.body(NewMuteSerializer, request.data)
        about, until = given["about"], given.get("until")
        try:
            row, changed = mutes.mute(request.user, about, until=until, now=clock.now(), origin=_origin(request))
        except WrongPreference as e:
            raise ValidationError(by_field(e)) from e
        return Response(self.get_serializer(row).data, status.HTTP_201_CREATED if changed else status.HTTP_200_OK)

    def destroy(self, request: Request, pk: str) -> Response:
        """Hear of it again."""
        now = clock.now()
        row = get_object_or_404(mutes.of(request.user, now=now), pk=pk)
        mutes.unmute(request.user, row.about, now=now, origin=_origin(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _origin(request: Request) -> Origin:
    return Origin(source=ConsentSource.API, by=request.user)
