"""What can be wrong with an order. The docstring is the default message."""

from __future__ import annotations

from collections.abc import Iterable

from orders.models import OrderStatus


class OrderError(Exception):
    """The order cannot do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class EmptyOrder(OrderError, ValueError):
    """An order needs at least one line."""


class WrongLine(OrderError, ValueError):
    """A line needs a quantity of 1 or more and a price of 0 or more."""


class NoTrackingCode(OrderError, ValueError):
    """A shipped order needs its tracking code."""


class WrongStatus(OrderError):
    """The order is not in a state this can be done in."""

    def __init__(
        self,
        number: str,
        *,
        status: OrderStatus,
        wanted: OrderStatus,
        allowed: Iterable[OrderStatus],
    ) -> None:
        self.status = status
        self.allowed = tuple(allowed)
        super().__init__(f"Order {number} is {status}; only a {' or '.join(self.allowed)} order can become {wanted}")
