"""Settings of a web server whose connections can be counted: what is given back is closed, not pooled."""

from __future__ import annotations

from config.settings import *  # noqa: F403

DATABASES["default"]["OPTIONS"].pop("pool", None)  # noqa: F405
DATABASES["default"]["OPTIONS"]["application_name"] = "web-server"  # noqa: F405
