"""Ask the database without waiting for ever: somebody wants to know now whether all is well."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import Error, connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds the database has to answer at all.
ANSWER_WITHIN = 3.0
#: Milliseconds one statement may take on PostgreSQL, waiting for locks included.
STATEMENT_TIMEOUT = 2000


def fault() -> str:
    """Return why the database does not answer; empty: it does. Takes `ANSWER_WITHIN` at most."""
    global _ping  # noqa: PLW0603
    ping = _ping
    # One that got no answer is waited for again: a database that hangs costs one thread, however often it is asked.
    if ping is None or not ping.is_alive():
        ping = _ping = _Ping()
        ping.start()
    ping.join(ANSWER_WITHIN)
    return f"no answer within {ANSWER_WITHIN:g} s" if ping.is_alive() else ping.fault


@contextmanager
def patience() -> Iterator[None]:
    """End statements that take too long. SQLite waits for nobody who reads."""
    if connection.vendor != "postgresql":
        yield
        return
    # For this transaction only, because connections go back to a pool.
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}")
        yield


class _Ping(threading.Thread):
    """One question, in a thread of its own: a network that swallows packets holds up nobody else."""

    def __init__(self) -> None:
        super().__init__(name="database-ping", daemon=True)
        self.fault = ""

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error as e:
            # The name only: the text of the error may hold the address and the user of the database.
            self.fault = type(e).__name__
        finally:
            connection.close()


_ping: _Ping | None = None
