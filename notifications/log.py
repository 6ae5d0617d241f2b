"""Every log line of the system. Code sends signals; this file words them. Ids only: no addresses, no bodies."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from django.db import DatabaseError

from notifications import signals
from notifications.types import DeliveryState

logger = logging.getLogger("notifications")


def connect() -> None:
    """Listen to everything worth a line."""
    pairs = (
        (signals.events_dispatched, _events_dispatched),
        (signals.event_failed, _event_failed),
        (signals.broadcast_failed, _broadcast_failed),
        (signals.delivery_finished, _delivery_finished),
        (signals.delivery_deferred, _delivery_deferred),
        (signals.feedback_received, _feedback_received),
        (signals.callback_refused, _callback_refused),
        (signals.wakeup_dropped, _wakeup_dropped),
        (signals.live_message_dropped, _live_message_dropped),
        (signals.live_reader_lost, _live_reader_lost),
        (signals.live_database_failed, _live_database_failed),
        (signals.clock_failed, _clock_failed),
        (signals.drain_failed, _drain_failed),
        (signals.adapter_failed, _adapter_failed),
        (signals.breaker_opened, _breaker_opened),
        (signals.worker_broken, _worker_broken),
    )
    for signal, receiver in pairs:
        signal.connect(receiver, dispatch_uid=f"log{receiver.__name__}")


def _events_dispatched(*, events: int, notifications: int, planned: int, **_: Any) -> None:
    logger.info("events dispatched events=%s notifications=%s planned=%s", events, notifications, planned)


def _event_failed(*, event_id: Any, error: Exception, **_: Any) -> None:
    logger.error("event failed event=%s error=%s", event_id, type(error).__name__, exc_info=error)


def _broadcast_failed(*, broadcast_id: Any, error: Exception, **_: Any) -> None:
    logger.error("broadcast failed broadcast=%s error=%s", broadcast_id, type(error).__name__, exc_info=error)


def _delivery_finished(*, delivery_id: Any, channel: str, state: str, reason: str, attempts: int, **_: Any) -> None:
    level = logging.ERROR if state in {DeliveryState.FAILED, DeliveryState.UNKNOWN} else logging.INFO
    message = "delivery %s delivery=%s channel=%s reason=%s attempts=%s"
    logger.log(level, message, str(state), delivery_id, channel, str(reason) or "-", attempts)


def _delivery_deferred(*, delivery_id: Any, channel: str, attempt: int, due_at: Any, error: str, **_: Any) -> None:
    message = "delivery will be tried again delivery=%s channel=%s attempt=%s due_at=%s error=%r"
    logger.warning(message, delivery_id, channel, attempt, due_at.isoformat(), error)


def _feedback_received(*, delivery_id: Any, channel: str, kind: str, provider: str, **_: Any) -> None:
    message = "provider told delivery=%s channel=%s kind=%s provider=%s"
    logger.info(message, delivery_id, channel, str(kind), provider)


def _callback_refused(*, provider: str, why: str, **_: Any) -> None:
    logger.warning("callback refused provider=%r why=%r", provider, why)


def _wakeup_dropped(*, actor: str, error: Exception, dropped: int, **_: Any) -> None:
    message = "wake-up dropped actor=%s dropped=%s error=%s (harmless: the clock finds the row)"
    logger.warning(message, actor, dropped, type(error).__name__)


def _live_message_dropped(*, error: Exception, dropped: int, **_: Any) -> None:
    message = "live message dropped dropped=%s error=%s (harmless: browsers also poll)"
    logger.warning(message, dropped, type(error).__name__)


def _live_reader_lost(*, error: Exception, **_: Any) -> None:
    message = "live messages interrupted error=%s (will be tried again; browsers refetch then)"
    logger.warning(message, type(error).__name__)


def _live_database_failed(*, part: str, error: Exception, **_: Any) -> None:
    message = "live updates could not read the database part=%s error=%s (will be tried again)"
    # An outage says the same every second; anything else is a fault of ours.
    is_outage = isinstance(error, DatabaseError)
    logger.warning(message, part, type(error).__name__, exc_info=None if is_outage else error)


def _clock_failed(*, job: str, error: Exception, **_: Any) -> None:
    logger.error("clock failed job=%s error=%s", job, type(error).__name__, exc_info=error)


def _drain_failed(*, actor: str, error: Exception, **_: Any) -> None:
    logger.error("drain failed actor=%s error=%s", actor, type(error).__name__, exc_info=error)


def _adapter_failed(*, adapter: str, error: Exception, **_: Any) -> None:
    # Where it was raised, and not what it says: that may quote an address.
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("adapter failed adapter=%s error=%s\n%s", adapter, type(error).__name__, where)


def _breaker_opened(*, backend: str, seconds: float, **_: Any) -> None:
    logger.error("circuit breaker opened backend=%s seconds=%g", backend, seconds)


def _worker_broken(*, fault: str, **_: Any) -> None:
    logger.critical("worker broken, ending the process fault=%r", fault)
