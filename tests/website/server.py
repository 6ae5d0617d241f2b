"""
`python -m tests.website.server FD [ENTRANCE]`: the whole site in one process, on a socket that is open already.

ENTRANCE is a name of `config.asgi`: `application`, or `django` for what is below the stream.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.website.settings"
    asgi = import_module("config.asgi")
    config = uvicorn.Config(
        ASGIStaticFilesHandler(getattr(asgi, sys.argv[2])), fd=int(sys.argv[1]), lifespan="off", log_level="warning",
        access_log=False, timeout_graceful_shutdown=2,
    )  # fmt: skip
    uvicorn.Server(config).run()
