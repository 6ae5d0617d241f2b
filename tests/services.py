"""
Real PostgreSQL and Valkey (or Redis) for tests, benchmarks and chaos runs: there in a second, gone without a trace.

    python -m tests.services [--durable] -- CMD ARGS…

runs CMD with DATABASE_URL and REDIS_URL set and exits with its code. A server whose URL is set already is used as it is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import PostgresServer, RedisServer, ServiceError, end_process, find_postgres, find_redis

# Waits for the launcher to end, however it ends, and clears up what it left. A process of its own, because the kernel's
# death signal (prctl) is Linux only and comes when the *thread* that started the server ends.
GUARD = """
cat
pids=$(cat "$0"/*.pid) && { kill -INT $pids; sleep 2; kill -KILL $pids; }
rm -rf "$0"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Where the servers answer. A server that was given by its URL is None: it is not ours to stop."""

    database_url: str
    redis_url: str
    postgres: PostgresServer | None
    redis: RedisServer | None


@contextmanager
def running_services(*, durable: bool = False, given: Mapping[str, str] = os.environ) -> Iterator[Services]:
    """
    Run the servers `given` has no URL for; chaos tests pass {} and get servers of their own to stop and kill.

    `durable` leaves PostgreSQL's durability as it comes, for benchmarks; tests do not wait for the disk.
    """
    postgres_program = None if given.get("DATABASE_URL") else find_postgres()
    redis_program = None if given.get("REDIS_URL") else find_redis()
    with ExitStack() as stack:
        folder = stack.enter_context(_scratch_folder())
        postgres = PostgresServer(postgres_program, folder, durable=durable) if postgres_program else None
        redis = RedisServer(redis_program, folder) if redis_program else None
        for server in filter(None, (postgres, redis)):
            stack.callback(server.stop)
            server.start()
        yield Services(
            database_url=postgres.url if postgres else given["DATABASE_URL"],
            redis_url=redis.url if redis else given["REDIS_URL"],
            postgres=postgres,
            redis=redis,
        )


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    temporary = tempfile.gettempdir()
    # The path of a unix socket has room for some 100 characters
    base = temporary if len(temporary) < 70 else "/tmp"  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="services-", dir=base))
    guard = ["/bin/sh", "-c", GUARD, str(folder)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(guard, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True):
        yield folder


def _run(command: list[str], environment: Mapping[str, str]) -> int:
    """Run `command` to its end, or to ours, and return its code as a shell would."""
    with subprocess.Popen(command, env=environment) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # 0 says nothing: a terminal has told the command already
            end_process(process, 0 if os.isatty(0) else signal.SIGINT)
            raise
        except SystemExit:
            end_process(process, signal.SIGTERM)
            raise
    return code if code >= 0 else 128 - code


def main() -> int:
    description = "Run a command with PostgreSQL and Valkey (or Redis). TMPDIR chooses the disk they write to."
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=description)
    parser.add_argument("--durable", action="store_true", help="let PostgreSQL wait for the disk, as in production")
    parser.add_argument("command", nargs="+", metavar="CMD", help="after --, with its own options")
    options = parser.parse_args()
    if not shutil.which(options.command[0]):
        parser.error(f"there is no program {options.command[0]}")
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    try:
        with running_services(durable=options.durable) as services:
            urls = {"DATABASE_URL": services.database_url, "REDIS_URL": services.redis_url}
            return _run(options.command, {**os.environ, **urls})
    except ServiceError as e:
        parser.exit(2, f"{e}\n")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
