"""What publishing over HTTP takes and answers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError as Unfit
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from notifications.api.serializers import PRIORITIES
from notifications.api.strict import InstantField, StrictSerializer
from notifications.exceptions import NotPlainData
from notifications.inputs import MAX_LINK, plain_json
from notifications.pipeline.drafting import MAX_ACTION_TEXT, MAX_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RECIPIENTS = 10_000
#: Ten years, in seconds.
MAX_SECONDS = 10 * 365 * 24 * 3600


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class RecipientField(serializers.Field[Any, Any, Any, Any]):
    """
    The primary key of a user, as text or number. Whether somebody has it is not looked up.

    Written as it is stored, so that nobody is listed twice under two spellings, and none that cannot be one.
    """

    def to_internal_value(self, data: Any) -> str:
        message = "This is no primary key of a user."
        if isinstance(data, bool) or not isinstance(data, str | int):
            raise serializers.ValidationError(message)
        column: Any = get_user_model()._meta.pk
        try:
            key = column.to_python(data)
            column.run_validators(key)
        except Unfit as e:
            raise serializers.ValidationError(message) from e
        if str(key).lower() != str(data).lower():
            raise serializers.ValidationError(message)
        return str(key)

    def to_representation(self, value: Any) -> str:
        return str(value)


class PublishSerializer(StrictSerializer):
    """What happened, and for whom: `recipients` or `audience`."""

    template = serializers.CharField(max_length=100)
    recipients = serializers.ListField(child=RecipientField(), max_length=MAX_RECIPIENTS, required=False)
    audience = serializers.CharField(max_length=64, required=False)
    variables = serializers.DictField(required=False, help_text="What the template declares.")
    priority = serializers.ChoiceField(choices=PRIORITIES, required=False, help_text="Default: the template's.")
    delay_seconds = serializers.IntegerField(min_value=0, max_value=MAX_SECONDS, required=False)
    send_at = InstantField(required=False)
    expires_in_seconds = serializers.IntegerField(
        min_value=1, max_value=MAX_SECONDS, required=False, help_text="After it is due: then it expires unsent."
    )
    action_url = serializers.CharField(max_length=MAX_LINK, required=False, trim_whitespace=False)
    action_text = serializers.CharField(max_length=MAX_ACTION_TEXT, required=False, trim_whitespace=False)
    channels = serializers.ListField(child=serializers.CharField(max_length=20), max_length=20, required=False)
    about = serializers.CharField(max_length=MAX_KEY, required=False, help_text="A business object: orders.order:42.")
    digest_key = serializers.CharField(max_length=MAX_KEY, required=False)

    def validate_variables(self, value: dict[str, Any]) -> dict[str, Any]:
        try:
            plain_json(value, "variables")
        except NotPlainData as e:
            raise serializers.ValidationError(str(e)) from e
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("recipients" in attrs) == ("audience" in attrs):
            message = "Pass either `recipients` or `audience`."
            raise serializers.ValidationError(message)
        if "delay_seconds" in attrs and "send_at" in attrs:
            message = "Pass `delay_seconds` or `send_at`, not both."
            raise serializers.ValidationError({"send_at": message})
        return attrs


def options_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a `PublishSerializer` took, as the front door takes it."""
    options = dict(given)
    for name, seconds in (("delay", "delay_seconds"), ("expires_in", "expires_in_seconds")):
        if seconds in options:
            options[name] = timedelta(seconds=options.pop(seconds))
    return options


class PublishedSerializer(serializers.Serializer[Any]):
    """What was accepted."""

    event_id = serializers.UUIDField(read_only=True, allow_null=True, help_text="Null: a broadcast, or nobody.")
    broadcast_id = serializers.UUIDField(read_only=True, allow_null=True, help_text="Over 50, or an audience.")
    created = serializers.BooleanField(read_only=True, help_text="False: it was there already, or was for nobody.")
    recipient_count = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Ids given, each once. Null: an audience, not counted yet."
    )
    duplicate_count = serializers.IntegerField(read_only=True)


class DeliveryCountsSerializer(serializers.Serializer[Any]):
    """How many deliveries are in which state, and how many have which reason."""

    by_state = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    by_reason = serializers.DictField(child=serializers.IntegerField(), read_only=True)


class OutcomeSerializer(serializers.Serializer[Any]):
    """What became of an event or a broadcast."""

    id = serializers.UUIDField(read_only=True)
    template = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    due_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True, allow_null=True)
    finished_at = serializers.DateTimeField(read_only=True, allow_null=True)
    deliveries = DeliveryCountsSerializer(source="*", read_only=True)
