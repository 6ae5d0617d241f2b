"""Who is told about the stock: the one module of this app that knows the notification system."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth import get_user_model

from inventory.models import STOCK_MANAGERS, StockItem
from notifications.publishing import Priority, publish_batch_notification

logger = logging.getLogger(__name__)


def notify_stock_low(sender: type[StockItem], *, stock: StockItem, **kwargs: Any) -> None:
    """Tell every stock manager to order more. No idempotency key: the signal is sent once per crossing."""
    managers = get_user_model().objects.filter(is_active=True, groups__name=STOCK_MANAGERS)
    if not managers.exists():
        logger.error("stock_low_unheard product=%s: add someone to the group '%s'", stock.product_id, STOCK_MANAGERS)
        return

    publish_batch_notification(
        "LOW_STOCK_ALERT",
        recipients=managers,
        variables={
            "product_name": stock.product.name,
            "sku": stock.product.sku,
            "current_stock": stock.quantity,
            "threshold": stock.low_stock_threshold,
        },
        priority=Priority.URGENT,
        about=stock.product,
    )
