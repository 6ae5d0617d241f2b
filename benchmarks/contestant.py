"""
What every contestant can do: ours and the peers run the same cases, in turn, on the same servers.

A case is one work for everybody: for each recipient read the template and their preferences, render the words, write a
notification and two deliveries (in-app and e-mail), hand the e-mail to a provider that accepts everything in no time,
and write that both are sent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Processes that work, and what each does at once where the contestant has such a number: one for each core here.
WORKERS, AT_ONCE = 2, 10
#: Recipients of one job where a batch is split.
CHUNK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run did."""

    #: Notifications settled.
    count: int
    seconds: float

    @property
    def rate(self) -> float:
        """Notifications a second."""
        return self.count / self.seconds


class Void(Exception):
    """Rows were lost or doubled, or the run did not end: there is no figure."""


class Contestant(ABC):
    """Somebody who notifies. Has a database of its own on the common server, and empties its tables before each run."""

    #: As it stands in the table.
    name: str

    def __init__(self, *, database_url: str, redis_url: str, folder: Path) -> None:
        """`folder`: for what has to be installed or written, kept between runs."""
        self.database_url = database_url
        self.redis_url = redis_url
        self.folder = folder

    def missing(self) -> str:
        """Return why it cannot run here; empty: it can."""
        return ""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Return what it is made of: package → version."""

    @abstractmethod
    def prepare(self, people: int) -> None:
        """Make the tables, the template and so many people with their preferences; once, before all cases."""

    @abstractmethod
    def single_drain(self, count: int) -> Run:
        """Publish `count` one by one, then start the workers; from their start until all is settled."""

    @abstractmethod
    def single_live(self, count: int, producers: int) -> Run:
        """Have so many processes publish while the workers run; from the first publish until all is settled."""

    @abstractmethod
    def batch(self, people: int, *, shared: bool) -> Run:
        """Tell so many people at once, workers running; `shared`: the words name nobody, one text serves all."""

    @abstractmethod
    def pickup(self, samples: int) -> list[float]:
        """Return how many seconds passed between publishing (commit) and the start of the work, on an idle system."""
