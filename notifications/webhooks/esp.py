"""Callbacks of e-mail services, by django-anymail (the extra `anymail`): it knows their shapes and signatures."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import SuspiciousOperation
from django.urls import Resolver404, resolve

from notifications import clock
from notifications.channels.callbacks import Callback
from notifications.services import tracking
from notifications.types import Feedback
from notifications.webhooks.refusals import NoSecret, NotBelieved, UnknownProvider, Unreadable

if TYPE_CHECKING:
    from django.http import HttpRequest

    from notifications.channels.callbacks import Kind

try:
    from anymail import signals as anymail
    from anymail.exceptions import AnymailError
    from anymail.utils import get_anymail_setting
except ImportError:  # the extra is not installed
    anymail = None

#: Their words for an address that is no good; what they refuse for other reasons says nothing of it.
_DEAD = ("invalid", "bounced")
#: How Amazon SES and Postmark say, each in its way, that a bounce may pass.
_PASSING = ("Transient", "Undetermined", "SoftBounce")
_KINDS = {"rejected": Feedback.BOUNCED, **{kind.value: kind for kind in Feedback if kind != Feedback.FAILED}}


def connect() -> None:
    """Listen to what anymail reads, also by its own addresses if a project mounts them."""
    if anymail is not None:
        anymail.tracking.connect(_tell, dispatch_uid="notifications.webhooks.esp")


def read(request: HttpRequest, provider: str) -> None:
    """Take what an e-mail service tells; raise `Refused` if it is not known, not believed, or cannot be read."""
    view = _view(provider)
    view.setup(request)
    try:
        view.run_validators(request)
        events = view.parse_events(request)
    except SuspiciousOperation as e:
        raise NotBelieved from e
    except (AnymailError, ImportError, LookupError, TypeError, ValueError) as e:
        raise Unreadable from e
    for event in events:
        view.signal.send(sender=type(view), event=event, esp_name=view.esp_name)


def _view(provider: str) -> Any:
    """Return anymail's view of a service."""
    if anymail is None:
        raise UnknownProvider
    try:
        match: Any = resolve(f"/{provider}/tracking/", urlconf="anymail.urls")
    except Resolver404 as e:
        raise UnknownProvider from e
    view_class = match.func.view_class
    # Some services sign. Anymail would believe the others without a secret, and only warn.
    if view_class.warn_if_no_basic_auth and not get_anymail_setting("webhook_secret", default=""):
        raise NoSecret
    return view_class()


def _tell(*, event: Any, esp_name: str, **_: Any) -> None:
    kind = _KINDS.get(event.event_type)
    if kind is None or not event.message_id:
        return
    callback = Callback(
        provider_message_id=event.message_id,
        kind=cast("Kind", kind.value),
        event_id=_event_id(event, kind),
        at=event.timestamp,
        reason=event.reject_reason or "",
        is_hard=event.reject_reason in _DEAD and not _may_pass(event),
    )
    tracking.note([callback], provider=esp_name.lower().replace(" ", "_"), now=clock.now())


def _may_pass(event: Any) -> bool:
    said = (event.description or "", (event.esp_event or {}).get("Type", ""))
    return any(str(text).startswith(_PASSING) for text in said)


def _event_id(event: Any, kind: Feedback) -> str:
    """Return the service's own id; where it gives none, what else tells the event from others."""
    if event.event_id:
        return f"{event.event_id}:{kind}"
    told = (event.message_id, kind, event.timestamp, event.click_url)
    return hashlib.sha256(repr(told).encode()).hexdigest()
