"""
Which jobs of the clock have something to do: asked of all of them at once, by one statement that is always the same.

Of each table it reads the first entry of the index that a job goes by. In most seconds that is all an idle worker asks.
"Is there any?" would leave the database the choice to read the table from its beginning until it meets one: quick while
many are due, and very slow as soon as none is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Func, QuerySet


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """Whichever of these rows comes first: from the time in `column` on there is something to do."""

    rows: QuerySet[Any]
    column: str


class Lookout:
    """Looks for something to do; in the thread of the clock only."""

    def __init__(self, watched: Mapping[str, Sequence[First]]) -> None:
        self._names = tuple(watched)
        self._watched = watched
        #: The statement, and its parameters less the time, which comes after those of each part; made when first asked.
        self._made: tuple[str, tuple[tuple[Any, ...], ...]] | None = None

    def waiting(self, now: datetime) -> set[str]:
        """Return the names of those that have something to do."""
        sql, parameters = self._made = self._made or self._make()
        at = connection.ops.adapt_datetimefield_value(now)
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for part in parameters for value in (*part, at)])
            return {self._names[index] for (index,) in cursor.fetchall()}

    def _make(self) -> tuple[str, tuple[tuple[Any, ...], ...]]:
        parts, parameters = [], []
        for index, firsts in enumerate(self._watched.values()):
            for first in firsts:
                # Not `Min`: its GROUP BY would read every row.
                earliest = first.rows.order_by().values_list(Func(F(first.column), function="MIN"))
                sql, values = earliest.query.sql_with_params()
                parts.append(f"SELECT {index} WHERE ({sql}) <= %s")
                parameters.append(tuple(values))
        return " UNION ALL ".join(parts), tuple(parameters)
