"""
What people do with the stock.

Each verb is one transaction: it locks the product's stock, saves, and sends `stock_low` if that crossed the threshold.
"""

from __future__ import annotations

from django.db import transaction

from inventory.exceptions import OutOfStock, WrongQuantity
from inventory.models import Product, StockItem
from inventory.signals import stock_low


@transaction.atomic
def sell(product: Product, *, quantity: int) -> StockItem:
    """Take `quantity` out of the stock, or raise `OutOfStock` and take none."""
    _check_movement(quantity)

    stock = _lock(product)
    if stock.quantity < quantity:
        raise OutOfStock(product.sku, wanted=quantity, left=stock.quantity)
    was_low = stock.is_low
    stock.quantity -= quantity
    stock.save(update_fields=["quantity"])
    _announce_crossing(stock, was_low=was_low)
    return stock


@transaction.atomic
def restock(product: Product, *, quantity: int) -> StockItem:
    """Put `quantity` into the stock. At the threshold or above, the next fall below it is announced again."""
    _check_movement(quantity)

    stock = _lock(product)
    stock.quantity += quantity
    stock.save(update_fields=["quantity"])
    return stock


@transaction.atomic
def set_threshold(product: Product, *, threshold: int) -> StockItem:
    """Call the stock low below `threshold` (0: never). Raising it above what is left is a crossing, too."""
    if threshold < 0:
        raise WrongQuantity(f"A threshold is 0 or more, not {threshold}")

    stock = _lock(product)
    was_low = stock.is_low
    stock.low_stock_threshold = threshold
    stock.save(update_fields=["low_stock_threshold"])
    _announce_crossing(stock, was_low=was_low)
    return stock


def _check_movement(quantity: int) -> None:
    """Refuse a sale that would fill the stock, and the other way round."""
    if quantity < 1:
        raise WrongQuantity(f"A quantity to move is 1 or more, not {quantity}")


def _lock(product: Product) -> StockItem:
    """Return the stock as it is now, ours until the transaction ends. SQLite has no row locks and serialises instead."""
    stock = StockItem.objects.select_for_update().get(product=product)
    stock.product = product  # spares receivers a query, and makes `product.stock` the fresh one
    return stock


def _announce_crossing(stock: StockItem, *, was_low: bool) -> None:
    """Send `stock_low` if the stock has just become low. Under the lock, so two sales cannot both have crossed."""
    if stock.is_low and not was_low:
        stock_low.send(sender=StockItem, stock=stock)
