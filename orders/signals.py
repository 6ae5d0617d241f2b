"""What happens to orders. Sent by `orders.services`, inside the transaction: a receiver that raises undoes it."""

from __future__ import annotations

from django.dispatch import Signal

customer_registered = Signal()  # provides args: customer
order_created = Signal()  # provides args: order
order_paid = Signal()  # provides args: order
order_shipped = Signal()  # provides args: order
order_delivered = Signal()  # provides args: order
order_cancelled = Signal()  # provides args: order
