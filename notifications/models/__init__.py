"""The tables, from what staff edit to what was tried."""

from __future__ import annotations

from notifications.models.api_keys import ApiKey
from notifications.models.broadcast_drafts import BroadcastDraft
from notifications.models.broadcasts import Broadcast
from notifications.models.consent import ConsentChange, FrequencyCount, Mute
from notifications.models.deliveries import Attempt, Delivery
from notifications.models.digests import Digest
from notifications.models.endpoints import Endpoint
from notifications.models.erasures import Erasure
from notifications.models.events import Event
from notifications.models.holds import Pause, SendRate
from notifications.models.inbox import Notification
from notifications.models.leases import Leased
from notifications.models.provider_events import ProviderEvent
from notifications.models.publications import Publication
from notifications.models.recipients import Preference, RecipientSettings
from notifications.models.statistics import DailyStat, HourlyCount
from notifications.models.suppressions import Suppression
from notifications.models.templates import Category, Template, TemplateContent, TemplateVersion
from notifications.models.workers import WorkerHeartbeat

__all__ = [
    "ApiKey",
    "Attempt",
    "Broadcast",
    "BroadcastDraft",
    "Category",
    "ConsentChange",
    "DailyStat",
    "Delivery",
    "Digest",
    "Endpoint",
    "Erasure",
    "Event",
    "FrequencyCount",
    "HourlyCount",
    "Leased",
    "Mute",
    "Notification",
    "Pause",
    "Preference",
    "ProviderEvent",
    "Publication",
    "RecipientSettings",
    "SendRate",
    "Suppression",
    "Template",
    "TemplateContent",
    "TemplateVersion",
    "WorkerHeartbeat",
]
