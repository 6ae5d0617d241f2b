"""What happens to the stock. Sent by `inventory.services`, inside the transaction: a receiver that raises undoes it."""

from __future__ import annotations

from django.dispatch import Signal

#: Once per crossing: the stock was at or above its threshold, and now it is below.
stock_low = Signal()  # provides args: stock
