"""What the API shows and takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from notifications.models import Notification
from notifications.services.inbox import MARKS
from notifications.types import Priority

MAX_IDS = 200


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    """An item of the inbox."""

    template = serializers.CharField(source="template_id", read_only=True)
    category = serializers.CharField(source="category_id", read_only=True)
    priority = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = (
            "id",
            "sort_key",
            "template",
            "category",
            "priority",
            "title",
            "body",
            "action_url",
            "action_text",
            "about",
            "created_at",
            "seen_at",
            "read_at",
            "archived_at",
            "snoozed_until",
        )
        read_only_fields = fields

    def get_priority(self, item: Notification) -> str:
        return Priority(item.priority).name.lower()


class StrictSerializer(serializers.Serializer[Any]):
    """Refuse what it does not know: a field silently ignored is how "mark one" becomes "mark all"."""

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        if unknown := sorted(set(data) - set(self.fields)):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(dict.fromkeys(unknown, f"Unknown field; there are: {known}."))
        return values


class ChangeSerializer(StrictSerializer):
    """PATCH of one item."""

    read = serializers.BooleanField(required=False)
    seen = serializers.BooleanField(required=False)

    def validate_seen(self, value: bool) -> bool:
        if not value:
            message = "An item that was seen stays seen."
            raise serializers.ValidationError(message)
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            message = "Pass at least one of: read, seen."
            raise serializers.ValidationError(message)
        return attrs


class MarkSerializer(StrictSerializer):
    """POST to `mark/`: by ids, or everything up to the sort key `before`."""

    ids = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_IDS, required=False)
    before = serializers.UUIDField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `as` is a word of Python's own.
        return {"as": serializers.ChoiceField(choices=list(MARKS)), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("before" in attrs):
            message = "Pass either `ids`, or `before`: the sort_key of the newest item on the page."
            raise serializers.ValidationError(message)
        return attrs


class ListQuerySerializer(StrictSerializer):
    """The query of the list."""

    status = serializers.ChoiceField(choices=["unread", "read"], required=False)
    category = serializers.CharField(required=False)
    template = serializers.CharField(required=False)
    cursor = serializers.CharField(required=False)
    page_size = serializers.CharField(required=False)
