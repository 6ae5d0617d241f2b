"""What callers hand to `orders.services`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from orders.exceptions import WrongLine


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One thing to order, as the customer saw it; `unit_price` is in the order's currency."""

    sku: str
    name: str
    unit_price: Decimal
    quantity: int = 1

    def __post_init__(self) -> None:
        """Refuse here what the database would refuse later, with the line's name."""
        if self.quantity < 1:
            raise WrongLine(f"Line {self.sku} has quantity {self.quantity}; order 1 or more")
        if self.unit_price < 0:
            raise WrongLine(f"Line {self.sku} has price {self.unit_price}; use 0 or more")
