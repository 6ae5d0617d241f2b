"""BullMQ with `pg` on Node: as the original design has it, and tuned."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from psycopg.conninfo import conninfo_to_dict
from redis.connection import parse_url

from benchmarks import work
from benchmarks.contestant import WORKERS, Void
from benchmarks.peers.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import redis

SOURCE = Path(__file__).with_suffix("")
#: What pg reads from the environment.
PG = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
#: As they are called in common.js.
QUEUES = ("notifications", "batches")


class BullMQ(Peer):
    """Single jobs ten at once, chunks of 50 five at once; one statement after another, no transaction."""

    name = "BullMQ"
    database = "bullmq"
    redis_number = 1
    tuned: ClassVar[bool] = False

    def missing(self) -> str:
        absent = [program for program in ("node", "npm") if not shutil.which(program)]
        return f"There is no {' and no '.join(absent)} on PATH." if absent else ""

    def versions(self) -> dict[str, str]:
        node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)  # noqa: S607
        packages: dict[str, str] = json.loads((SOURCE / "package.json").read_text())["dependencies"]
        return {"node": node.stdout.strip().removeprefix("v")} | packages

    def prepare(self, people: int) -> None:
        self._install()
        super().prepare(people)

    def producer(self) -> list[str]:
        return ["node", str(self._program / "producer.js")]

    def workers(self) -> list[list[str]]:
        return [["node", str(self._program / "worker.js")]] * WORKERS

    def environment(self) -> Mapping[str, str]:
        database = conninfo_to_dict(self.database_url)
        place = {variable: str(database[key]) for key, variable in PG.items() if database.get(key)}
        # ioredis calls its options as redis-py does: path or host and port, db, username, password.
        given: dict[str, Any] = parse_url(self.redis_url)  # type: ignore[no-untyped-call]
        server = {key: value for key, value in given.items() if isinstance(value, (str, int))}
        words = {"REDIS_OPTIONS": json.dumps(server), "VARIABLES": json.dumps(work.VARIABLES)}
        return place | words | {"TUNED": str(int(self.tuned)), "NODE_ENV": "production"}

    def waiting(self, server: redis.Redis) -> int:
        with server.pipeline() as pipeline:
            for queue in QUEUES:
                pipeline.llen(f"bull:{queue}:wait")
                pipeline.llen(f"bull:{queue}:active")
                pipeline.zcard(f"bull:{queue}:delayed")
            return sum(pipeline.execute())

    @property
    def _program(self) -> Path:
        return self.folder / "bullmq"

    def _install(self) -> None:
        """Copy the program, and install what it needs beside it, where Node looks; once for each lock file."""
        kept, wanted = self._program / "package-lock.json", SOURCE / "package-lock.json"
        installed = (
            kept.exists() and kept.read_bytes() == wanted.read_bytes() and (self._program / "installed").exists()
        )
        shutil.copytree(SOURCE, self._program, dirs_exist_ok=True)
        if installed:
            return
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        if subprocess.run(command, cwd=self._program, check=False).returncode:
            raise Void(f"{' '.join(command)} failed in {self._program}.")
        (self._program / "installed").touch()


class TunedBullMQ(BullMQ):
    """The same with prepared statements, one transaction a notification, and jobs added in bulk."""

    name = "BullMQ, tuned"
    database = "bullmq_tuned"
    redis_number = 2
    tuned = True
