"""What a publisher is told to publish, and what it writes down about it: lines of JSON in both directions."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One call of the front door. More than one number: a batch."""

    numbers: tuple[int, ...]
    channels: tuple[str, ...]
    priority: str = "normal"
    #: The numbers are told as this audience; empty: as a list.
    audience: str = ""
    key: str = ""
    #: A list cannot be printed: the wording fails when it is rendered.
    tracking_code: str | list[str] = "1Z999AA1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A publication that was committed. Times are `time.monotonic_ns`, which all processes of a machine share."""

    events: tuple[str, ...]
    created: bool
    numbers: tuple[int, ...]
    channels: tuple[str, ...]
    key: str
    #: Before the call, and after the commit.
    begun: int
    at: int

    @property
    def seconds(self) -> float:
        """How long the caller waited."""
        return (self.at - self.begun) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A publication that raised."""

    error: str
    numbers: tuple[int, ...]
    key: str
    at: int


def write_plan(path: Path, publications: Iterable[Publication]) -> None:
    """Write what is to be published."""
    path.write_text("".join(f"{json.dumps(asdict(item))}\n" for item in publications), encoding="utf-8")


def read_plan(path: Path) -> list[Publication]:
    """Read what is to be published."""
    return [Publication(**_tuples(json.loads(line))) for line in path.read_text(encoding="utf-8").splitlines()]


def line(result: Accepted | Refused) -> bytes:
    """Return a result as the line that says it."""
    return f"{json.dumps({type(result).__name__: asdict(result)})}\n".encode()


def read_results(path: Path) -> tuple[list[Accepted], list[Refused]]:
    """Read what a publisher wrote down so far."""
    accepted, refused = [], []
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for written in text.splitlines():
        (kind, values), *_ = json.loads(written).items()
        if kind == "Accepted":
            accepted.append(Accepted(**_tuples(values)))
        else:
            refused.append(Refused(**_tuples(values)))
    return accepted, refused


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    names = ("numbers", "channels", "events")
    return {name: tuple(value) if name in names else value for name, value in values.items()}
