"""What can be wrong with a movement of stock. The docstring is the default message."""

from __future__ import annotations


class InventoryError(Exception):
    """The stock cannot be moved like this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class WrongQuantity(InventoryError, ValueError):
    """A quantity to move is 1 or more; a threshold is 0 or more."""


class OutOfStock(InventoryError):
    """There is not enough of it left."""

    def __init__(self, sku: str, *, wanted: int, left: int) -> None:
        self.sku = sku
        self.wanted = wanted
        self.left = left
        super().__init__(f"{wanted} of {sku} wanted, {left} left")
