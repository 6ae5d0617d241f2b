"""Settings of the test suite: the project's own, with what only costs time taken out."""

from __future__ import annotations

import os

os.environ.setdefault("SECRET_KEY", "tests-need-no-secret")
os.environ.setdefault("SECURE", "off")

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
