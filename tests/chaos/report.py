"""What a scenario measured, what it had to hold, and how that is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Report:
    """The figures of one scenario. `missed` is empty when it passed."""

    scenario: str
    profile: str
    seed: int
    seconds: float = 0.0
    figures: dict[str, float | int | str] = field(default_factory=dict)
    #: What was asked of some of the figures.
    limits: dict[str, str] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    #: Why it was not played; empty when it was.
    skipped: str = ""

    @property
    def passed(self) -> bool:
        return not self.missed

    @property
    def verdict(self) -> str:
        """Say in a few words how it went."""
        if self.missed:
            return f"MISSED: {'; '.join(self.missed)}"
        return f"skipped: {self.skipped}" if self.skipped else "passed"

    def note(self, **figures: float | str) -> None:
        """Keep figures that nothing is asked of."""
        self.figures.update(
            {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}
        )

    def equal(self, name: str, value: float | str, expected: float | str) -> None:
        """Keep a figure that must have one value."""
        self._ask(name, value, f"{expected}", holds=value == expected)

    def at_most(self, name: str, value: float, limit: float) -> None:
        """Keep a figure that must not be above a limit."""
        self._ask(name, value, f"≤ {limit:g}", holds=value <= limit)

    def at_least(self, name: str, value: float, limit: float) -> None:
        """Keep a figure that must not be below a limit: mostly to prove that the fault was there at all."""
        self._ask(name, value, f"≥ {limit:g}", holds=value >= limit)

    def _ask(self, name: str, value: float | str, expected: str, *, holds: bool) -> None:
        self.note(**{name: value})
        self.limits[name] = expected
        if not holds:
            self.missed.append(f"{name} is {self.figures[name]}, must be {expected}")

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "scenario": self.scenario,
            "profile": self.profile,
            "seed": self.seed,
            "passed": self.passed,
            "seconds": round(self.seconds, 1),
            "figures": self.figures,
            "limits": self.limits,
            "missed": self.missed,
            "skipped": self.skipped,
        }


#: Columns of the table, with the figures they show.
COLUMNS = {
    "scenario": "scenario",
    "promised": "promised",
    "lost": "lost",
    "doubled e-mails": "duplicates_email",
    "doubled texts": "duplicates_sms",
    "unknown": "unknown",
    "recovery s": "recovery_seconds",
    "p99 s": "p99_seconds",
}


def table(reports: Iterable[Report]) -> str:
    """Return the reports as a table of Markdown, which is also readable as it is."""
    rows = [[*COLUMNS, "took s", "verdict"]]
    for report in reports:
        known = {"scenario": report.scenario, **report.figures}
        rows.append([*(str(known.get(key, "")) for key in COLUMNS.values()), f"{report.seconds:.0f}", report.verdict])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    rows.insert(1, ["-" * width for width in widths] + ["---"])
    return "\n".join(
        f"| {' | '.join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])} |"
        for row in rows
    )
