"""What the scenarios share: one PostgreSQL with a prepared database, of which each gets a copy."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.chaos.processes import Household
from tests.services import running_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services import Services

#: Seconds that making a database ready may take.
PREPARATION_LIMIT = 120.0

#: Environment of every process of ours that loads Django.
DJANGO = {
    "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
    "SECRET_KEY": "chaos-needs-no-secret",
    "SECURE": "off",
    "DATABASE_POOL_SIZE": "12",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A PostgreSQL for all who do not break it."""

    url: str
    people: int
    #: Set when everybody shall come to an end.
    stopping: threading.Event = field(default_factory=threading.Event)
    #: PostgreSQL copies a database for one at a time.
    _copying: threading.Lock = field(default_factory=threading.Lock)

    def copy(self, name: str) -> str:
        """Make a database of its own for a scenario; return its URL."""
        url = _with_name(self.url, "prepared")
        with self._copying, psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE prepared')
        return url.replace("/prepared?", f"/{name}?")

    def drop(self, name: str) -> None:
        """Remove the database of a scenario."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def opened(*, people: int) -> Iterator[Stage]:
    """Run a PostgreSQL with `people` recipients in it."""
    with Household() as household, running_services(given={"REDIS_URL": "none"}) as services:
        with psycopg.connect(services.database_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE prepared")
        prepare(_with_name(services.database_url, "prepared"), household, people=people)
        yield Stage(url=services.database_url, people=people)


@contextmanager
def own_postgres(household: Household, *, people: int) -> Iterator[Services]:
    """Run a PostgreSQL that may be broken: what it has committed is on the disk, as in production."""
    with running_services(durable=True, given={"REDIS_URL": "none"}) as services:
        prepare(services.database_url, household, people=people)
        yield services


def prepare(url: str, household: Household, *, people: int) -> None:
    """Make the tables, the wording and the recipients in a database."""
    environment = {**DJANGO, "DATABASE_URL": url, "CHAOS_FOLDER": str(household.folder)}
    household.run(
        "prepare", ["-m", "tests.chaos.prepare", str(people)], environment=environment, limit=PREPARATION_LIMIT
    )


def _with_name(url: str, name: str) -> str:
    return re.sub(r"/postgres\?", f"/{name}?", url)
