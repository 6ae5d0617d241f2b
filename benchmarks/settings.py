"""The settings of the project as they are, but for the provider, which takes everything at once, and the rate."""

from __future__ import annotations

import os

os.environ.setdefault("SECRET_KEY", "benchmarks")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from config.settings import *  # noqa: F403
from config.settings import DRAMATIQ_BROKER
from config.settings import NOTIFICATIONS as GIVEN

if "STOPWATCH" in os.environ:
    DRAMATIQ_BROKER["MIDDLEWARE"].append("benchmarks.stopwatch.Stopwatch")

NOTIFICATION_CHANNELS = {"email": {"BACKEND": "benchmarks.null.NullChannel"}}
#: No limit: the 100 a second of the default would be all there is to measure.
NOTIFICATIONS = {**GIVEN, "RATES": {"default": 0}}
