"""What the system tells about itself. `log.py` words it; projects may listen too."""

from __future__ import annotations

from django.dispatch import Signal

# With caching where there is one for each delivery.

# provides args: events (number), notifications (number), planned (number of routes)
events_dispatched = Signal()

# provides args: event_id, error
event_failed = Signal()

# provides args: broadcast_id, error
broadcast_failed = Signal()

# provides args: delivery_id, channel, state, reason, attempts
delivery_finished = Signal(use_caching=True)

# provides args: delivery_id, channel, attempt, due_at, error
delivery_deferred = Signal(use_caching=True)

# provides args: delivery_id, channel, kind (a `Feedback`), provider
feedback_received = Signal()

# provides args: provider, why
callback_refused = Signal()

# provides args: actor, error, dropped (number since the process began)
wakeup_dropped = Signal()

# provides args: error, dropped (number since the process began)
live_message_dropped = Signal()

# provides args: error
live_reader_lost = Signal()

# provides args: part (of the stream: "frames" or "sessions"), error
live_database_failed = Signal()

# provides args: job (name), error
clock_failed = Signal()

# provides args: actor, error
drain_failed = Signal()

# provides args: adapter (name of its class), error. Its text may quote an address.
adapter_failed = Signal()

# provides args: backend, seconds
breaker_opened = Signal()

# provides args: fault
worker_broken = Signal()
