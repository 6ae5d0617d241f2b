"""One notification, the way most projects write it first: plain ORM, templates parsed each time, no transaction."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import redis
from django import template as language
from django.conf import settings
from django.utils import timezone

from benchmarks.peers.peer import PICKUPS, READY
from benchmarks.peers.project.models import Delivery, Notification, PersonSettings, Preference, Template

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANNELS = ("in_app", "email")


def notify(person: int, code: str, variables: Mapping[str, str], sample: int | None = None) -> None:
    """Tell a person; `sample` asks to write down when this began."""
    if sample is not None:
        server().hset(PICKUPS, str(sample), str(time.time()))
    template = Template.objects.get(code=code)
    told = PersonSettings.objects.get(person=person)
    chosen = {one.channel: one.enabled for one in Preference.objects.filter(person=person, category=template.category)}
    words = language.Context({"recipient_name": told.name, **variables}, autoescape=False)
    title, body = (language.Template(text).render(words) for text in (template.subject, template.body))
    notification = Notification.objects.create(recipient=person, template=template, title=title, body=body)
    for channel in CHANNELS:
        if chosen.get(channel, True):
            delivery = Delivery.objects.create(notification=notification, channel=channel, state="pending")
            send(channel, told.email, title, body)
            delivery.state, delivery.sent_at = "sent", timezone.now()
            delivery.save(update_fields=["state", "sent_at"])


def send(channel: str, address: str, title: str, body: str) -> None:
    """Hand over to a provider that takes everything at once."""


def count_ready(processes: int) -> None:
    """Say that so many more processes work now."""
    server().incrby(READY, processes)


@cache
def server() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)
