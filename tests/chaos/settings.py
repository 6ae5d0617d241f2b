"""Settings of the processes of a chaos run: the project's own, with the suite's adapters and the run's times."""

from __future__ import annotations

import time

from config.settings import *  # noqa: F403
from config.settings import DEFAULT_FROM_EMAIL, LOGGING, NOTIFICATION_CHANNELS, NOTIFICATIONS, env

# As fast as it can: rates would hide the races.
NOTIFICATIONS.update({"RATES": {"default": 0}, **env.json("CHAOS_NOTIFICATIONS", default={})})
NOTIFICATION_CHANNELS["email"] = {
    "BACKEND": "tests.chaos.adapters.Mail",
    "OPTIONS": {"from_email": DEFAULT_FROM_EMAIL, "folder": env.str("CHAOS_FOLDER")},
}
EMAIL_TIMEOUT = env.float("CHAOS_EMAIL_TIMEOUT", default=10.0)

if skew := env.float("CHAOS_SKEW", default=0.0):
    # A machine whose clock is wrong: everything in this process that asks for the time is told so.
    import time_machine

    time_machine.travel(time.time() + skew, tick=True).start()

#: A short lease is what makes a run short; no send takes longer than it here.
SILENCED_SYSTEM_CHECKS = ["notifications.E003"]

# Workers say when they are ready; a line for each message would cost more than the message.
LOGGING["root"]["level"] = "WARNING"
LOGGING["loggers"] = {"dramatiq": {"level": "INFO"}}
