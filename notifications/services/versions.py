"""The versions of a template: what each is used for, and what is still to be sent with it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from notifications.models import Delivery, TemplateContent, TemplateVersion
from notifications.types import DeliveryState

if TYPE_CHECKING:
    from notifications.models import Template

#: Waiting deliveries that are counted, of one template; beyond, the number matters less than the time it takes.
MAX_COUNTED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many deliveries wait to be sent with each version, by its id; `is_all`: the count did not stop early."""

    by_version: Counter[int | None]
    is_all: bool


def waiting(template: Template) -> Waiting:
    """Return how many deliveries wait: each is sent with the version it was planned with, whatever is live then."""
    # By the index of the claim, which has nothing but what waits.
    found = Delivery.objects.filter(state=DeliveryState.PENDING, digest_id__isnull=True, template=template)
    versions = list(found.order_by().values_list("version_id", flat=True)[: MAX_COUNTED + 1])
    return Waiting(by_version=Counter(versions[:MAX_COUNTED]), is_all=len(versions) <= MAX_COUNTED)


def fingerprint(draft: TemplateVersion, live_id: int | None) -> str:
    """Return a text that is another one as soon as the draft says something else, or another version is live."""
    words = TemplateContent.objects.filter(version=draft).order_by("channel", "locale", "variant")
    said = [live_id, draft.pk, *words.values_list("channel", "locale", "variant", "title", "body", "html")]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
