"""What a delivery says: the words it goes out with, or, for those who may not read them, the wording without values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from notifications.exceptions import RenderError
from notifications.models import Delivery, Event, Notification
from notifications.pipeline import facts, wording
from notifications.types import Channel
from notifications.values import Rendered

if TYPE_CHECKING:
    from notifications.pipeline.facts import Recipient
    from notifications.values import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The words of a delivery, and where they are from."""

    #: None: there are none; `problem` says why.
    words: Rendered | None
    problem: str = ""


def revealed(delivery: Delivery) -> Said:
    """Return the words as they go out, or went out, without the links that are added on the way."""
    if delivery.content is not None:
        return Said(words=_own(delivery))
    if delivery.channel == Channel.IN_APP:
        item = delivery.notification
        return _nothing(_("The inbox item is no longer kept.")) if item is None else Said(words=_of_item(item))
    kept = Event.objects.filter(emptied_at__isnull=True)
    event = kept.filter(pk=delivery.event_id).first() if delivery.event_id else None
    if event is None:
        return _nothing(_("The variables of its event are no longer kept, so the words cannot be made again."))
    try:
        recipient = _recipient(delivery)
        reader = recipient.reader if recipient else wording.NOBODY
        return Said(words=wording.render_event(_content(delivery, recipient), event, reader=reader))
    except RenderError as e:
        return _nothing(str(e))


def masked(delivery: Delivery) -> Said:
    """Return the wording of the version it was planned with; where a value would stand is its name."""
    if delivery.content is not None:
        return _nothing(_("It has words of its own, which are not shown unless you reveal them."))
    try:
        content = _content(delivery, _recipient(delivery))
    except RenderError as e:
        return _nothing(str(e))
    return Said(words=Rendered(title=content.title, body=content.body, html=content.html))


def _recipient(delivery: Delivery) -> Recipient | None:
    if delivery.recipient_id is None:
        return None
    return facts.recipients([str(delivery.recipient_id)]).get(str(delivery.recipient_id))


def _content(delivery: Delivery, recipient: Recipient | None) -> Content:
    if delivery.version_id is None:
        raise RenderError(_("It was planned with no version of a template."))
    contents = wording.contents_of([delivery.version_id])[delivery.version_id]
    return wording.pick(contents, delivery.channel, recipient.locale if recipient else "")


def _own(delivery: Delivery) -> Rendered:
    own = delivery.content or {}
    return Rendered(title=own.get("title", ""), body=own.get("body", ""), html=own.get("html", ""))


def _of_item(item: Notification) -> Rendered:
    return Rendered(title=item.title, body=item.body)


def _nothing(problem: str) -> Said:
    return Said(words=None, problem=problem)
