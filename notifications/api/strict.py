"""Serializers that take nothing they do not know: a field silently ignored is how "mark one" becomes "mark all"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from notifications.api.problems import QueryError
from notifications.registry import did_you_mean

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import QueryDict

Given = TypeVar("Given", bound=serializers.Serializer[Any])


class StrictSerializer(serializers.Serializer[Any]):
    """Refuse unknown fields, naming the one probably meant."""

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {name: f"Unknown{did_you_mean(name, self.fields)}; there are: {known}." for name in unknown}
            )
        return values


class InstantField(serializers.DateTimeField):
    """An instant: ISO 8601 with its offset. Without one, it is refused: nobody could tell which instant is meant."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            parsed = parse_datetime(value) if isinstance(value, str) else None
        except ValueError:
            parsed = None
        if parsed is not None and parsed.utcoffset() is None:
            message = f"{value} has no offset; write {value}Z for UTC, or {value}+02:00."
            raise serializers.ValidationError(message)
        return super().to_internal_value(value)


def body(serializer: type[Given], data: Any, **kwargs: Any) -> Any:
    """Return what a serializer makes of a request's body; raise `ValidationError`."""
    given = serializer(data=data, **kwargs)
    given.is_valid(raise_exception=True)
    return given.validated_data


def query(serializer: type[Given], parameters: QueryDict) -> Any:
    """Return what a serializer makes of a request's query; raise `QueryError`, also for what is given twice."""
    if twice := [name for name, values in parameters.lists() if len(values) > 1]:
        raise QueryError(dict.fromkeys(twice, "Given more than once; which one is meant?"))
    given = serializer(data=parameters.dict())
    if not given.is_valid():
        raise QueryError(given.errors)
    return given.validated_data
