"""One message to one address, to see whether a channel works. Nothing of it is stored."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from notifications import clock, conf, ids, registry
from notifications.channels import addresses
from notifications.exceptions import AmbiguousError, UnknownTemplate, WrongPreference
from notifications.models import Endpoint, Event, RecipientSettings, Template
from notifications.models.endpoints import REGISTERED
from notifications.pipeline import wording
from notifications.types import Channel, Priority
from notifications.values import Action, Message, Reader, Receipt, Rendered

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a test goes: an address, or what somebody registered."""

    address: str
    endpoint: Mapping[str, Any] | None = field(default=None, repr=False)


def place(channel: str, given: Any) -> Place:
    """Return the place that text or JSON stands for; raise `WrongPreference` if it cannot be one of this channel."""
    if channel not in REGISTERED:
        return Place(address=str(given))
    endpoint = {"url": given} if isinstance(given, str) else given
    try:
        addresses.check(channel, endpoint)
    except (KeyError, TypeError, AttributeError) as e:
        message = _("This is no address of the channel %(channel)s.") % {"channel": channel}
        raise WrongPreference(message) from e
    return Place(address=uuid.uuid4().hex, endpoint=endpoint)


def places_of(channel: str, user: Any) -> Sequence[Place]:
    """Return where a user is reached by a channel."""
    if channel in REGISTERED:
        rows = Endpoint.objects.filter(recipient=user, channel=channel, disabled_at__isnull=True).order_by("pk")
        return [Place(address=row.pk.hex, endpoint=row.address) for row in rows]
    if channel == Channel.SMS:
        phones = RecipientSettings.objects.filter(recipient=user).exclude(phone="")
        return [Place(address=phone) for phone in phones.values_list("phone", flat=True)]
    email = getattr(user, user.get_email_field_name(), "")
    return [Place(address=email)] if email else []


def words(channel: str, *, template: str = "", locale: str = "") -> Rendered:
    """Return what a test says, marked as one: the words of a template with its samples, or that it is a test."""
    with translation.override(locale or None):
        mark = f"[{_('Test')}] "
        rendered = _worded(channel, template, locale) if template else _plain()
    if rendered.title:
        return replace(rendered, title=mark + rendered.title)
    return replace(rendered, body=mark + rendered.body)


def send(channel: str, place: Place, rendered: Rendered, *, number: int = 0, template: str = "") -> Receipt | Exception:
    """Send by a backend of the channel, as a worker would; return its answer."""
    message = Message(
        delivery_id=ids.uuid7(),
        channel=channel,
        address=place.address,
        priority=Priority.NORMAL,
        rendered=rendered,
        action=Action(url=conf.current().base_url, text=conf.current().site_name),
        category="test",
        template=template,
        endpoint=place.endpoint,
    )
    results = list(registry.adapter(channel, number).send_batch([message]))
    return results[0] if results else AmbiguousError("The adapter gave no result.", code="no_result")


def _plain() -> Rendered:
    site, at = conf.current().site_name, timezone.localtime(clock.now())
    said = {"site": site, "at": f"{at:%Y-%m-%d %H:%M:%S %Z}"}
    return Rendered(title=site, body=_("This is a test of %(site)s, sent at %(at)s.") % said)


def _worded(channel: str, code: str, locale: str) -> Rendered:
    row = Template.objects.filter(code=code).first()
    if row is None or row.live_version_id is None:
        codes = Template.objects.exclude(live_version=None).values_list("code", flat=True)
        raise UnknownTemplate(f"No published template {code!r}{registry.did_you_mean(code, codes)}.")
    content = wording.pick(wording.contents_of([row.live_version_id])[row.live_version_id], channel, locale)
    event = Event(template=row, variables=row.sample(), action_url=conf.current().base_url)
    return wording.render_event(content, event, reader=Reader(name=_("Test"), locale=locale))
