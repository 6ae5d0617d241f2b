"""
What failed, by fingerprint: alike in channel, reason, backend and the provider's word, so that one cause is one line.

Looked at are the newest failures of a week, at most so many: an index has them, and a cause that matters is among them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Case, CharField, Value, When
from django.db.models.expressions import RawSQL

from notifications.models import Broadcast, Delivery, Event
from notifications.services import failed
from notifications.services.failed import Selection, Stage
from notifications.types import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

#: How far back, and how many rows of a kind. What failed longer ago has no content left to be sent.
LATELY = timedelta(days=7)
NEWEST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What failures of one cause have in common."""

    stage: Stage
    #: Of deliveries only, as the two last.
    channel: str = ""
    #: Empty: nobody knows whether it was sent.
    reason: str = ""
    backend: str = ""
    #: The provider's word to the last try; empty: none.
    code: str = ""

    def selection(self, *, since: datetime, include_unknown: bool = False) -> Selection:
        """Return these failures, from an instant on, for `services.redrive`."""
        if self.stage != Stage.DELIVERY:
            return Selection(stage=self.stage, reason=self.reason, since=since)
        return Selection(
            stage=self.stage,
            channel=self.channel,
            reason=self.reason,
            backend=self.backend,
            code=self.code,
            since=since,
            include_unknown=include_unknown,
        )


@dataclass(slots=True, kw_only=True)
class FailureGroup:
    """Failures of one fingerprint."""

    fingerprint: Fingerprint
    number: int = 0
    first_at: datetime
    last_at: datetime
    #: The newest row.
    sample: Any
    #: Codes of their templates.
    templates: set[str] = field(default_factory=set)


def groups(*, now: datetime) -> list[FailureGroup]:
    """Return what failed in the last week, the most numerous group first: three statements."""
    found: dict[Fingerprint, FailureGroup] = {}
    for fingerprint, pk, failed_at, template in _rows(now):
        group = found.setdefault(
            fingerprint, FailureGroup(fingerprint=fingerprint, first_at=failed_at, last_at=failed_at, sample=pk)
        )
        group.number += 1
        # The newest comes first.
        group.first_at = failed_at
        if template:
            group.templates.add(template)
    return sorted(found.values(), key=lambda group: (-group.number, group.last_at))


def is_complete(found: Iterable[FailureGroup]) -> bool:
    """Tell whether every failure of the week was looked at."""
    numbers = Counter[Stage]()
    for group in found:
        numbers[group.fingerprint.stage] += group.number
    return all(number < NEWEST for number in numbers.values())


def _rows(now: datetime) -> Iterator[tuple[Fingerprint, Any, datetime, str | None]]:
    """Yield the failures, of each kind the newest first, with when and whereof."""
    since = now - LATELY
    yield from _deliveries(since)
    crashed = When(last_error=Reason.WORKER_CRASHED, then=Value(Reason.WORKER_CRASHED.value))
    # The states stand in the SQL as text, or SQLite would not know that they are those of the index.
    for stage, model, usual in (
        (Stage.EVENT, Event, Reason.DISPATCH_ERROR),
        (Stage.BROADCAST, Broadcast, Reason.EXPANSION_ERROR),
    ):
        rows = model.objects.filter(_stated("state = 'failed'"), finished_at__gte=since)
        reasoned = rows.annotate(reason=Case(crashed, default=Value(usual.value), output_field=CharField()))
        newest: Any = reasoned.order_by("-finished_at").values_list("reason", "pk", "finished_at", "template")
        for reason, pk, failed_at, template in newest[:NEWEST]:
            yield Fingerprint(stage=stage, reason=reason), pk, failed_at, template


def _deliveries(since: datetime) -> Iterator[tuple[Fingerprint, Any, datetime, str | None]]:
    rows = Delivery.objects.filter(_stated("state IN ('failed', 'unknown')"), finished_at__gte=since)
    newest: Any = rows.annotate(code=failed.last_code()).order_by("-finished_at")
    names = ("channel", "reason", "backend", "code", "pk", "finished_at", "template")
    for channel, reason, backend, code, pk, failed_at, template in newest.values_list(*names)[:NEWEST]:
        alike = Fingerprint(stage=Stage.DELIVERY, channel=channel, reason=reason, backend=backend, code=code)
        yield alike, pk, failed_at, template


def _stated(condition: str) -> RawSQL:
    return RawSQL(condition, (), output_field=BooleanField())  # noqa: S611 - ours
