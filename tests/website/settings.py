"""Settings of the site that browsers and programs are let loose on: the project's own, embedded, over the tests' database."""

from __future__ import annotations

import os

os.environ.setdefault("SECRET_KEY", "tests-need-no-secret")
os.environ.setdefault("SECURE", "off")

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.website.urls"
NOTIFICATIONS = {**NOTIFICATIONS, "CLOCK_CHECK": 0, "RATES": {"default": 0}, "API_RATES": {}}  # noqa: F405
# A program that sends one cookie and one header.
CSRF_USE_SESSIONS = bool(os.environ.get("CSRF_USE_SESSIONS"))
