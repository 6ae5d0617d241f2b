"""Settings of the test suite: the project's own, with what only costs time taken out."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "tests-need-no-secret")
os.environ.setdefault("SECURE", "off")

from config.settings import *  # noqa: F403

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, because worker threads need connections of their own; its own for each run.
    name = Path(tempfile.gettempdir()) / f"notifications-test-{os.getpid()}.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": str(name)}  # noqa: F405

# Tests that travel in time do not want the database's, and do not wait for their turn.
NOTIFICATIONS = {**NOTIFICATIONS, "CLOCK_CHECK": 0, "RATES": {"default": 0}}  # noqa: F405

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
