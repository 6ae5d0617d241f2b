"""What happens to payments. Sent by `payments.services`, inside the transaction: a receiver that raises undoes it."""

from __future__ import annotations

from django.dispatch import Signal

payment_captured = Signal()  # provides args: payment
payment_failed = Signal()  # provides args: payment
