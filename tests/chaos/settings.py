"""Settings of the processes of a chaos run: the project's own, with the suite's adapters and shortened times."""

from __future__ import annotations

from config.settings import *

NOTIFICATIONS = {**NOTIFICATIONS, **env.json("CHAOS_NOTIFICATIONS", default={})}
NOTIFICATION_CHANNELS["email"] = {
    "BACKEND": "tests.chaos.adapters.Mail",
    "OPTIONS": {"from_email": DEFAULT_FROM_EMAIL, "folder": env.str("CHAOS_FOLDER")},
}
EMAIL_TIMEOUT = env.float("CHAOS_EMAIL_TIMEOUT", default=EMAIL_TIMEOUT)

#: A short lease is what makes a run short; no send takes longer than it here.
SILENCED_SYSTEM_CHECKS = ["notifications.E003"]

#: Users have no passwords here, and each worker says when it is ready.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["root"]["level"] = "WARNING"
LOGGING["loggers"] = {"dramatiq": {"level": "INFO"}}

