"""What a scenario measured, what it had to hold, and how that is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

NOT_COUNTED = "–"


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

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Report:
        """Return what `as_dict` was made of."""
        return cls(**{name: value for name, value in kept.items() if name != "passed"})


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
    return _markdown(rows)


#: Columns of the table in docs/reliability.md, with the figures they show.
PAGE_COLUMNS = {
    "promised": "promised",
    "lost": "lost",
    "e-mails doubled": "duplicates_email",
    "texts doubled": "duplicates_sms",
    "recovery, s": "recovery_seconds",
    "p99, s": "p99_seconds",
}
#: What the page says once for all scenarios: it must be 0 everywhere, or follows from the others.
LEFT_OUT = {"events", "delivered", "renamed", "unlisted", "events_failed", "untrue", "p50_seconds", "workers_ended"}


def page(document: dict[str, Any]) -> str:
    """Return the table of docs/reliability.md for what `--json` kept of a run."""
    machine = document["machine"]
    heading = (
        f"Profile {document['profile']}, seed {document['seed']}, {machine['processors']} processors, "
        f"Python {machine['python']}."
    )
    rows = [["scenario", *PAGE_COLUMNS, "other figures"]]
    for report in map(Report.from_dict, document["scenarios"]):
        shown = [_with_limit(report, figure) for figure in PAGE_COLUMNS.values()]
        rows.append([f"`{report.scenario}`", *shown, _others(report)])
    return f"{heading}\n\n{_markdown(rows)}"


def _others(report: Report) -> str:
    """Say what this scenario measured besides what all do; first of all, what it missed."""
    told = [] if report.passed and not report.skipped else [report.verdict]
    names = [name for name in report.figures if name not in LEFT_OUT and name not in PAGE_COLUMNS.values()]
    told += [f"{name.replace('_', ' ')} {_with_limit(report, name)}" for name in names if _is_told(report, name)]
    return "; ".join(told)


def _is_told(report: Report, name: str) -> bool:
    """Every run counts what failed; none is worth telling only where it was asked for."""
    return name in report.limits or report.figures[name] != 0


def _with_limit(report: Report, name: str) -> str:
    """Return a figure, with what it may be unless that is one value."""
    if name not in report.figures:
        return NOT_COUNTED
    limit = report.limits.get(name, "")
    told = limit[:1] in {"≤", "≥"} and limit != "≤ 0" and name != "promised"
    return f"{report.figures[name]} ({limit})" if told else f"{report.figures[name]}"


def _markdown(rows: list[list[str]]) -> str:
    """Return rows, the heading first, as a table of Markdown with its columns aligned; the last is as long as it is."""
    # The last words of a process have lines of their own.
    rows = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    rows = [rows[0], ["-" * width for width in widths] + ["---"], *rows[1:]]
    return "\n".join(
        f"| {' | '.join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])} |"
        for row in rows
    )
