"""What came out: one table for people, one JSON file for whoever compares."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, Any

import psycopg
import redis

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from benchmarks.cases import Line
    from benchmarks.contestant import Contestant

COLUMNS = ("case", "against", "ours", "theirs", "ratio", "from - to", "must", "aim", "")


def table(lines: Iterable[Line]) -> str:
    """Return the table. A ratio is that of pairs: of the medians it may be another."""
    rows = [COLUMNS, *(_row(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join((texts[0], "-" * max(map(len, texts)), *texts[1:]))


def save(path: Path, lines: Iterable[Line], about: dict[str, Any]) -> None:
    """Write everything that was measured."""
    found = [{**asdict(line), "verdict": _verdict(line)} for line in lines]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**about, "lines": found}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def about(contestants: Iterable[Contestant], *, database_url: str, redis_url: str, now: datetime) -> dict[str, Any]:
    """Return what it ran on: cores, memory, versions."""
    with psycopg.connect(database_url) as connection:
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        postgres = {name: (connection.execute(f"SHOW {name}").fetchone() or ("",))[0] for name in names}
    server: dict[str, Any] = redis.Redis.from_url(redis_url).info("server")
    return {
        "at": now.isoformat(timespec="seconds"),
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        },
        "postgresql": postgres,
        "redis": {name: server[name] for name in ("server_name", "valkey_version", "redis_version") if name in server},
        "versions": {contestant.name: contestant.versions() for contestant in contestants},
    }


def _row(line: Line) -> tuple[str, ...]:
    goal = line.goal
    sign = ("≤ " if goal.at_most else "≥ ") if goal else ""
    unit = " x" if line.ratios else f" {line.unit}"
    return (
        line.case,
        line.against,
        _figure(line.ours, line.unit),
        _figure(line.theirs, line.unit),
        f"{median(line.ratios):.2f} x" if line.ratios else "",
        f"{min(line.ratios):.2f} - {max(line.ratios):.2f}" if len(line.ratios) > 1 else "",
        f"{sign}{goal.must:g}{unit}" if goal else "",
        f"{sign}{goal.aim:g}{unit}" if goal else "",
        f"void: {line.void}" if line.void else _verdict(line),
    )


def _figure(values: list[float], unit: str) -> str:
    if not values:
        return ""
    middle = median(values)
    return f"{middle:,.0f}{unit}" if unit == "/s" else f"{middle:,.2f} {unit}"


def _verdict(line: Line) -> str:
    figures = line.ratios or line.ours
    return line.goal.verdict(median(figures)) if line.goal and figures and not line.void else ""
