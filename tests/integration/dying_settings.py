"""The project's settings, with a broker whose consumer for text messages dies after a moment."""

from __future__ import annotations

import time

from config.settings import *  # noqa: F403
from notifications.broker import BlockingRedisBroker


class DyingBroker(BlockingRedisBroker):
    def consume(self, queue_name, *args, **options):
        if queue_name == "deliver_sms":
            time.sleep(2)
            # Ends the thread without a word, as Dramatiq's own bug does.
            raise SystemExit
        return super().consume(queue_name, *args, **options)


DRAMATIQ_BROKER = {**DRAMATIQ_BROKER, "BROKER": "tests.integration.dying_settings.DyingBroker"}  # noqa: F405
