"""What the peers on Django have in common: one project, another framework for its messages."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING, ClassVar

from benchmarks.peers.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping


class OnDjango(Peer):
    #: As the producer calls it.
    framework: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]

    def versions(self) -> dict[str, str]:
        packages = (*self.packages, "django", "psycopg", "redis", "hiredis")
        return {"python": sys.version.split()[0]} | {name: importlib.metadata.version(name) for name in packages}

    def producer(self) -> list[str]:
        return [sys.executable, "-m", "benchmarks.peers.project.producer", self.framework]

    def environment(self) -> Mapping[str, str]:
        settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.project.settings"}
        # Celery warns that it runs as root, at each start.
        quiet = {"PYTHONWARNINGS": "ignore"}
        return settings | quiet | {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
