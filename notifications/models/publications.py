"""What business code said: shared by events and broadcasts."""

from __future__ import annotations

from django.db import models

from notifications import ids
from notifications.models.api_keys import ApiKey
from notifications.models.leases import Leased
from notifications.models.templates import Template
from notifications.types import Priority, Source


class Publication(Leased):
    """One call of the front door, waiting to be worked on."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+", db_index=False)
    #: Plain JSON, checked by `inputs.plain_json`.
    variables = models.JSONField(default=dict)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    action_url = models.TextField(blank=True)
    action_text = models.CharField(max_length=100, blank=True)
    #: Names of the channels to use; null: all the template has wording for.
    channels = models.JSONField(null=True, blank=True)
    #: The business object, as `orders.order:42`.
    about = models.CharField(max_length=200, blank=True)
    #: What is collected together, if its template collects; empty: all of the template.
    digest_key = models.CharField(max_length=200, blank=True, db_default="")
    source = models.CharField(max_length=10, choices=Source, default=Source.CODE)
    #: The service that published it. Without an index: it is read with the row, never looked up by.
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, blank=True, editable=False, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    #: When it reached a final state.
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
