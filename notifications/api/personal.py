"""What a person sets for themselves: language, time zone, quiet hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import clock
from notifications.api import strict
from notifications.api.etags import WeakETags
from notifications.api.preferences import NamedSerializer
from notifications.api.problems import by_field
from notifications.api.schema import IF_NONE_MATCH
from notifications.exceptions import WrongPreference
from notifications.services import personal
from notifications.services.consent import Origin
from notifications.types import ConsentSource

if TYPE_CHECKING:
    from collections.abc import Callable

SETTERS: dict[str, Callable[..., bool]] = {
    "time_zone": personal.set_time_zone,
    "locale": personal.set_locale,
    "quiet_hours": personal.set_quiet_hours,
}


class SettingsSerializer(serializers.Serializer[Any]):
    """What is set; empty: nothing, the site's holds."""

    time_zone = serializers.CharField(read_only=True, help_text="IANA name: Europe/Berlin.")
    locale = serializers.CharField(read_only=True)
    quiet_hours = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), read_only=True)
    locales = NamedSerializer(many=True, read_only=True, help_text="The languages there are, each in its own words.")


class SettingsChangeSerializer(strict.StrictSerializer):
    """PATCH of the settings: what is left out stays."""

    time_zone = serializers.CharField(required=False, allow_blank=True, max_length=50)
    locale = serializers.CharField(required=False, allow_blank=True, max_length=20)
    quiet_hours = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=20)),
        required=False,
        help_text='{"daily": ["22:00-07:00"], "sat": []}; {}: none.',
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            message = f"Nothing to change; pass any of {', '.join(self.fields)}."
            raise serializers.ValidationError(message)
        return attrs


class SettingsView(WeakETags, APIView):
    """One's own settings."""

    @extend_schema(parameters=[IF_NONE_MATCH], responses={200: SettingsSerializer, 304: None})
    def get(self, request: Request) -> Response:
        """Show the settings."""
        return Response(_shown(request.user))

    @extend_schema(request=SettingsChangeSerializer, responses=SettingsSerializer)
    def patch(self, request: Request) -> Response:
        """Change settings, all of those given or none."""
        given = strict.body(SettingsChangeSerializer, request.data)
        origin, now = Origin(source=ConsentSource.API, by=request.user), clock.now()
        refused: dict[str, Any] = {}
        with transaction.atomic():
            for name, value in given.items():
                try:
                    SETTERS[name](request.user, value, now=now, origin=origin)
                except WrongPreference as e:
                    refused |= by_field(e)
            if refused:
                raise ValidationError(refused)
        return Response(_shown(request.user))


def _shown(user: Any) -> dict[str, Any]:
    row = personal.settings_of(user)
    return {
        "time_zone": row.time_zone,
        "locale": row.locale,
        "quiet_hours": row.quiet_hours,
        "locales": [{"name": name, "label": label} for name, label in settings.LANGUAGES],
    }
