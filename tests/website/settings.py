"""Settings of the site that browsers and programs are let loose on: the project's own, embedded, over the tests' database."""

from __future__ import annotations

import os

os.environ.setdefault("SECRET_KEY", "tests-need-no-secret")
os.environ.setdefault("SECURE", "off")

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.website.urls"
NOTIFICATIONS = {
    **NOTIFICATIONS,  # noqa: F405
    "CLOCK_CHECK": 0,
    "RATES": {"default": 0},
    "API_RATES": {},
    # Push services of tests are on loopback.
    "PUSH_HOSTS": ["127.0.0.1"],
    "PRIVATE_HOSTS": ["127.0.0.1"],
}
NOTIFICATION_CHANNELS = {
    **NOTIFICATION_CHANNELS,  # noqa: F405
    "web_push": {
        "BACKEND": "notifications.channels.web_push.WebPushChannel",
        # The example of RFC 8291.
        "OPTIONS": {
            "private_key": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
            "subject": "mailto:push@shop.example",
        },
    },
}
# A program that sends one cookie and one header.
CSRF_USE_SESSIONS = bool(os.environ.get("CSRF_USE_SESSIONS"))
