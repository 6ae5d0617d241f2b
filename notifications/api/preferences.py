"""What a person wants to hear, by which channel, how often: the matrix, and changes of it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import clock
from notifications.api import strict
from notifications.api.etags import WeakETags
from notifications.api.problems import by_field
from notifications.api.schema import IF_NONE_MATCH
from notifications.labels import translated
from notifications.models import Category
from notifications.registry import channel_names
from notifications.services import preferences
from notifications.services.consent import Origin
from notifications.services.preferences import Cell, Wish
from notifications.types import Cadence, Channel, ConsentSource, Level

MAX_CHANGES = 200

#: Who decided, as it is said to the person whose preferences they are.
REASONS = {
    Level.REQUIRED: gettext_lazy("Always on: everybody is told this."),
    Level.TEMPLATE: gettext_lazy("You chose this for this kind of message."),
    Level.CATEGORY: gettext_lazy("You chose this for the whole category."),
    Level.DEFAULT: gettext_lazy("The default: you have not chosen."),
}


class CategorySerializer(serializers.Serializer[Any]):
    """A row of the matrix."""

    code = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    description = serializers.CharField(read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `required` is an attribute of every serializer.
        flag = serializers.BooleanField(read_only=True, help_text="It cannot be switched off.")
        return {**super().get_fields(), "required": flag}


class NamedSerializer(serializers.Serializer[Any]):
    """A word for programs, and one for people."""

    name = serializers.CharField(read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `label` is an attribute of every serializer.
        return {**super().get_fields(), "label": serializers.CharField(read_only=True)}


class CellSerializer(serializers.Serializer[Any]):
    """What holds for one category, or one template of it, by one channel."""

    category = serializers.CharField(read_only=True)
    template = serializers.CharField(read_only=True, help_text="Empty: the whole category.")
    template_name = serializers.CharField(read_only=True)
    channel = serializers.ChoiceField(choices=Channel.choices, read_only=True)
    cadence = serializers.ChoiceField(choices=Cadence.choices, read_only=True)
    cadences = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Those that may be chosen."
    )
    locked = serializers.BooleanField(read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `source` is an attribute of every serializer.
        return {
            **super().get_fields(),
            "source": serializers.ChoiceField(choices=Level.choices, read_only=True, help_text="Who decided."),
            "reason": serializers.CharField(read_only=True, help_text="The same, in words."),
        }


class MatrixSerializer(serializers.Serializer[Any]):
    """What holds, for everything there is."""

    categories = CategorySerializer(many=True, read_only=True)
    channels = NamedSerializer(many=True, read_only=True)
    cadences = NamedSerializer(many=True, read_only=True)
    cells = CellSerializer(many=True, read_only=True)


class WishSerializer(strict.StrictSerializer):
    """One change: for a category or for a template."""

    category = serializers.CharField(required=False, max_length=50)
    template = serializers.CharField(required=False, max_length=64)
    channel = serializers.CharField(max_length=10)
    cadence = serializers.CharField(max_length=12, allow_null=True, help_text="null: the wish is taken back.")


class WishesSerializer(strict.StrictSerializer):
    """PATCH of the preferences: all of it, or nothing."""

    changes = serializers.ListField(child=WishSerializer(), allow_empty=False, max_length=MAX_CHANGES)


class PreferencesView(WeakETags, APIView):
    """One's own preferences."""

    @extend_schema(parameters=[IF_NONE_MATCH], responses={200: MatrixSerializer, 304: None})
    def get(self, request: Request) -> Response:
        """Show what holds for every category, and for every template with a wish of its own, and why."""
        return Response(_matrix(request.user))

    @extend_schema(request=WishesSerializer, responses=MatrixSerializer)
    def patch(self, request: Request) -> Response:
        """Change wishes, all of them or none; return what holds then."""
        wishes = [Wish(**change) for change in strict.body(WishesSerializer, request.data)["changes"]]
        if refused := preferences.refusals(wishes):
            raise ValidationError({"changes": {str(index): by_field(error) for index, error in refused.items()}})
        origin = Origin(source=ConsentSource.API, by=request.user)
        preferences.set_cadences(request.user, wishes, now=clock.now(), origin=origin)
        return Response(_matrix(request.user))


def _matrix(user: Any) -> dict[str, Any]:
    return {
        "categories": [
            {
                "code": category.code,
                "name": translated(category.name),
                "description": translated(category.description),
                "required": category.required,
            }
            for category in Category.objects.all()
        ],
        "channels": [{"name": name, "label": Channel(name).label} for name in channel_names()],
        "cadences": [{"name": cadence.value, "label": cadence.label} for cadence in Cadence],
        "cells": [_cell(cell) for cell in preferences.matrix(user)],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "category": cell.category,
        "template": cell.template,
        "template_name": translated(cell.template_name),
        "channel": cell.channel,
        "cadence": cell.cadence,
        "cadences": cell.cadences,
        "locked": cell.is_locked,
        "source": cell.level,
        "reason": REASONS[cell.level],
    }
