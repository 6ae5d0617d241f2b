"""Settings of the site that the browser tests look at: the project's own, embedded, over the tests' database."""

from __future__ import annotations

import os

os.environ.setdefault("SECRET_KEY", "tests-need-no-secret")
os.environ.setdefault("SECURE", "off")

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.browser.urls"
NOTIFICATIONS = {**NOTIFICATIONS, "CLOCK_CHECK": 0, "RATES": {"default": 0}}  # noqa: F405
LOG_LEVEL = "WARNING"
