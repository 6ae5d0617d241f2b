"""What the inbox shows and takes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from notifications.api.strict import InstantField, StrictSerializer
from notifications.models import Notification
from notifications.services import inbox_actions
from notifications.services.inbox import MARKS, Filter
from notifications.types import InboxStatus, Priority

MAX_IDS = 200
PRIORITIES = [priority.name.lower() for priority in Priority]


class ActionSerializer(serializers.Serializer[Any]):
    """A button that business code answers."""

    name = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True, help_text="The label, in the reader's language.")
    run_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="When it was pressed; null: not yet.")
    result = serializers.CharField(read_only=True, help_text="What business code answered.")


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    """An item of the inbox."""

    template = serializers.CharField(source="template_id", read_only=True)
    category = serializers.CharField(source="category_id", read_only=True)
    priority = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

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
            "actions",
            "about",
            "created_at",
            "seen_at",
            "read_at",
            "archived_at",
            "snoozed_until",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=PRIORITIES))
    def get_priority(self, item: Notification) -> str:
        return Priority(item.priority).name.lower()

    @extend_schema_field(ActionSerializer(many=True))
    def get_actions(self, item: Notification) -> list[dict[str, Any]]:
        return inbox_actions.offered(item)


@extend_schema_serializer(many=False)
class PageSerializer(serializers.Serializer[Any]):
    """A page of the inbox."""

    next = serializers.URLField(read_only=True, allow_null=True, help_text="The next page's address; null: the last.")
    results = NotificationSerializer(many=True, read_only=True)


class ChangeSerializer(StrictSerializer):
    """PATCH of one item: what it shall be."""

    read = serializers.BooleanField(required=False)
    seen = serializers.BooleanField(required=False)
    archived = serializers.BooleanField(required=False)
    snoozed_until = InstantField(required=False, allow_null=True)

    def validate_seen(self, value: bool) -> bool:
        if not value:
            message = "An item that was seen stays seen."
            raise serializers.ValidationError(message)
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            message = f"Pass at least one of: {', '.join(self.fields)}."
            raise serializers.ValidationError(message)
        if "snoozed_until" in attrs and len(attrs) > 1:
            message = "Snooze on its own: what is snoozed is neither read nor archived until it is back."
            raise serializers.ValidationError({"snoozed_until": message})
        if attrs.get("read") is False and attrs.get("archived"):
            message = "What is archived is read; pass one of the two."
            raise serializers.ValidationError({"archived": message})
        return attrs

    def marks(self) -> list[str]:
        """Return the names of the marks that were asked for, in an order in which none undoes another."""
        given = self.validated_data
        wanted = {"unarchived": given.get("archived") is False, "unread": given.get("read") is False}
        wanted |= {"seen": given.get("seen"), "read": given.get("read"), "archived": given.get("archived")}
        return [name for name, is_wanted in wanted.items() if is_wanted]


class FilterSerializer(StrictSerializer):
    """A part of the inbox."""

    status = serializers.ChoiceField(
        choices=InboxStatus.values, required=False, help_text="Left out: what is neither archived nor snoozed."
    )
    category = serializers.CharField(required=False, max_length=50)
    template = serializers.CharField(required=False, max_length=100)
    priority = serializers.ChoiceField(choices=PRIORITIES, required=False)
    about = serializers.CharField(required=False, max_length=200, help_text="A business object: orders.order:42.")
    created_after = InstantField(required=False, help_text="From this instant on.")
    created_before = InstantField(required=False, help_text="Before this instant.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        after, before = attrs.get("created_after"), attrs.get("created_before")
        if after and before and after >= before:
            message = "Nothing is both from created_after on and before created_before; swap them?"
            raise serializers.ValidationError({"created_before": message})
        return attrs


def filter_of(given: dict[str, Any]) -> Filter:
    """Return what a `FilterSerializer`, or the query of the list, took."""
    values = {name: value for name, value in given.items() if name not in {"cursor", "page_size"}}
    if "status" in values:
        values["status"] = InboxStatus(values["status"])
    if "priority" in values:
        values["priority"] = Priority[values["priority"].upper()]
    return Filter(**values)


class ListQuerySerializer(FilterSerializer):
    """The query of the list."""

    cursor = serializers.CharField(required=False, max_length=200)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=100)


class MarkSerializer(StrictSerializer):
    """POST to `mark/`: by ids, or a part of the inbox up to the sort key `before`."""

    ids = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_IDS, required=False)
    filter = FilterSerializer(required=False)
    before = serializers.UUIDField(required=False, help_text="The sort_key of the newest item that was shown.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `as` is a word of Python's own.
        return {"as": serializers.ChoiceField(choices=list(MARKS)), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("before" in attrs):
            message = "Pass either `ids`, or `before`: the sort_key of the newest item on the page."
            raise serializers.ValidationError(message)
        if "ids" in attrs and "filter" in attrs:
            message = "A filter goes with `before`; `ids` name the items already."
            raise serializers.ValidationError({"filter": message})
        if attrs.get("filter", {}).get("status") == InboxStatus.SNOOZED:
            message = "What is snoozed cannot be marked; put it back first."
            raise serializers.ValidationError({"filter": {"status": message}})
        return attrs


class CountSerializer(serializers.Serializer[Any]):
    """Two numbers."""

    unseen = serializers.IntegerField(read_only=True)
    unread = serializers.IntegerField(read_only=True)


class CountsSerializer(CountSerializer):
    """The numbers on the bell, each at most `cap`."""

    cap = serializers.IntegerField(read_only=True, help_text="A number as large as this means: or more.")
    by_category = serializers.DictField(child=CountSerializer(), read_only=True)


class MarkedSerializer(serializers.Serializer[Any]):
    """What a mark did."""

    updated = serializers.IntegerField(read_only=True)
    counts = CountsSerializer(read_only=True)


class StreamTokenSerializer(serializers.Serializer[Any]):
    """Where to listen for what is new."""

    url = serializers.CharField(
        read_only=True, allow_null=True, help_text="The stream's address; null: this server has none, so poll."
    )
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds in which the stream is to be opened.")
    poll_seconds = serializers.IntegerField(read_only=True, help_text="Seconds between two polls, without a stream.")


class LineSerializer(serializers.Serializer[Any]):
    """One thing there is to say about what became of a notification."""

    text = serializers.CharField(read_only=True)
    basis = serializers.CharField(read_only=True)
    channel = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    at = serializers.DateTimeField(read_only=True, allow_null=True)


class WhySerializer(serializers.Serializer[Any]):
    """Why a notification came, and by which channels it went out or did not."""

    lines = LineSerializer(many=True, read_only=True)
