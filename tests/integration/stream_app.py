"""The site with other constants, for tests that cannot wait: STREAM_CONSTANTS='{"admission.INTERVAL": 1}'."""

from __future__ import annotations

import json
import os
from importlib import import_module

from config.asgi import application

for path, value in json.loads(os.environ.get("STREAM_CONSTANTS", "{}")).items():
    module, _, name = path.rpartition(".")
    setattr(import_module(f"notifications.api.{module}"), name, value)

__all__ = ["application"]
