"""
A wording sent to whoever is writing it: by the real backend of its channel, in the log, in no statistics.

`trials` asks whether a channel works, and stores nothing; this asks how words arrive, and is a delivery like any other:
it obeys pauses and suppressions, and a provider that is busy is asked again.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils.html import escape
from django.utils.translation import gettext as _

from notifications import clock, conf, ids, registry
from notifications.exceptions import AmbiguousError
from notifications.models import Delivery, Notification
from notifications.pipeline import composing, pausing, settling, wording
from notifications.pipeline.composing import NotNow
from notifications.services import live, samples, trials
from notifications.services.previews import content_of
from notifications.types import Channel, DeliveryState, Priority, Reason
from notifications.values import Reader, Receipt, Rendered

if TYPE_CHECKING:
    from datetime import datetime

    from notifications.models import Event, Template, TemplateContent
    from notifications.services.trials import Place
    from notifications.values import Message

_BODY = re.compile(r"<body[^>]*>", re.IGNORECASE)
_BANNER = '<p style="margin:0; padding:8px; background:#fef3c7; color:#78350f; text-align:center;">{}</p>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a test, in words. `delivery` is the row in the log; None: nothing was sent."""

    is_sent: bool
    text: str
    #: What the provider said: its id of the message, or its complaint.
    answer: str = ""
    delivery: uuid.UUID | None = None


def send(row: TemplateContent, template: Template, *, user: Any, sample: str = "") -> list[Result]:
    """
    Send a content, saved or not, to the member of staff's own addresses; return a result for each.

    `sample` as in `previews.preview`. Raise `RenderError` if it cannot be rendered.
    """
    event = samples.event(template, sample)
    reader = Reader(name=user.get_full_name() or user.get_username(), locale=row.locale)
    rendered = marked(wording.render_event(content_of(row), event, reader=reader))
    if row.channel == Channel.IN_APP:
        return [_into_inbox(rendered, event, user)]
    if not conf.backends(row.channel):
        return [Result(is_sent=False, text=_("This channel is not set up here."))]
    places = trials.places_of(row.channel, user)
    if not places:
        return [Result(is_sent=False, text=_("You have no address on this channel: add one to your own account."))]
    return [_sent(row.channel, place, rendered, template, user) for place in places]


def marked(rendered: Rendered) -> Rendered:
    """Return words that say that they are a test: in the subject and above the HTML, or where there are neither, first."""
    mark = f"[{_('Test')}] "
    html = rendered.html
    if html:
        banner = _BANNER.format(escape(_("This is a test of the wording. Nothing has happened.")))
        html = _BODY.sub(lambda found: found[0] + banner, html, count=1)
    if rendered.title:
        return replace(rendered, title=mark + rendered.title, html=html)
    return replace(rendered, body=mark + rendered.body, html=html)


def _into_inbox(rendered: Rendered, event: Event, user: Any) -> Result:
    """List an item for the tester; it stands alone, as items do whose event is gone."""
    now, template = clock.now(), event.template
    item = Notification.objects.create(
        event_id=ids.uuid7(),
        recipient=user,
        template=template,
        category_id=template.category_id,
        title=rendered.title,
        body=rendered.body,
        action_url=event.action_url,
        action_text=event.action_text,
        created_at=now,
        listed_at=now,
    )
    row = _row(Channel.IN_APP, "", None, template, user, now)
    row.notification, row.state = item, DeliveryState.SENT
    row.sent_at = row.finished_at = now
    row.save(force_insert=True)
    live.announce(Notification.objects.filter(pk=item.pk))
    return Result(is_sent=True, text=_("It is in your inbox."), delivery=row.pk)


def _sent(channel: str, place: Place, rendered: Rendered, template: Template, user: Any) -> Result:
    now = clock.now()
    number = pausing.current(now).open_backend(channel)
    if number is None:
        return Result(is_sent=False, text=_("This channel is paused: nothing is sent by it now."))
    row = _row(channel, place.address, rendered, template, user, now)
    # Claimed from the start: no worker sends it, too; should this process die, it is reclaimed like any other.
    row.state, row.claims = DeliveryState.SENDING, 1
    row.lease_token, row.lease_until = uuid.uuid4(), now + conf.current().lease_time
    row.started_at = now
    row.save(force_insert=True)
    ((_same, composed),) = composing.compose([row], now=now)
    if isinstance(composed, NotNow):
        row.state, row.reason, row.last_error = composed.state, composed.reason, composed.detail
        settling.finish([row], row.lease_token)
    else:
        _try(row, composed, number)
    return _result(row)


def _try(row: Delivery, message: Message, number: int) -> None:
    """Ask the provider, and settle."""
    adapter, backend = registry.adapter(row.channel, number), conf.backends(row.channel)[number]
    token = row.lease_token
    assert token is not None
    started_at, started = clock.now(), time.monotonic()
    answer: Receipt | Exception
    try:
        answer = next(iter(adapter.send_batch([message])), AmbiguousError("The adapter gave no result.", code="none"))
    except Exception as e:  # noqa: BLE001 - the edge: an adapter's bug is one failed try, not a page that fails
        answer = AmbiguousError(f"The adapter raised {type(e).__name__}.", code=type(e).__name__)
    duration = timedelta(seconds=time.monotonic() - started)
    done = settling.Try(result=answer, started_at=started_at, duration=duration)
    settling.record([(row, done)], token, adapter, backend=backend.name)


def _row(
    channel: str, address: str, rendered: Rendered | None, template: Template, user: Any, now: datetime
) -> Delivery:
    words = rendered and {"title": rendered.title, "body": rendered.body, "html": rendered.html}
    return Delivery(
        recipient=user,
        template=template,
        category_id=template.category_id,
        channel=channel,
        address=address,
        content=words,
        priority=Priority.HIGH,
        created_at=now,
        due_at=now,
        is_test=True,
    )


def _result(row: Delivery) -> Result:
    is_sent = row.state == DeliveryState.SENT
    if is_sent:
        text, answer = _("%(backend)s took it.") % {"backend": row.backend}, row.provider_message_id
    else:
        reason = Reason(row.reason).label if row.reason else ""
        said = {"state": DeliveryState(row.state).label, "reason": reason}
        text, answer = _("Not sent: %(state)s, %(reason)s.") % said, row.last_error
    return Result(is_sent=is_sent, text=text, answer=answer, delivery=row.pk)
