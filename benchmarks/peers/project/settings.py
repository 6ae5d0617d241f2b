"""Settings of the peers on Django."""

from __future__ import annotations

from typing import Any

import environ

env = environ.Env()

SECRET_KEY = "peers"  # noqa: S105 - nobody can log in
INSTALLED_APPS = ["benchmarks.peers.project"]
DATABASE: dict[str, Any] = env.db_url("DATABASE_URL")
# Connections stay: with Django's default each task would open its own.
DATABASES = {"default": {**DATABASE, "CONN_MAX_AGE": None}}
REDIS_URL = env.str("REDIS_URL")
USE_TZ = True
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
