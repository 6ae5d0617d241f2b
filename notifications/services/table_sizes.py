"""How large the tables are: the database's own figures on PostgreSQL, which costs nothing; counted to a limit on SQLite."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.db import connection

#: Rows are counted up to here where the database keeps no figure.
COUNTED = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """A table of ours."""

    #: Of its model.
    name: str
    rows: int
    #: `rows` is the planner's estimate.
    is_estimate: bool
    #: There are more than were counted.
    at_least: bool = False
    #: With its indexes. None: the database does not say.
    size: int | None
    indexes: int | None


def sizes() -> list[TableSize]:
    """Return every table of ours, the largest first."""
    tables = {
        model._meta.db_table: str(model._meta.verbose_name_plural)
        for model in apps.get_app_config("notifications").get_models()
    }
    found = _of_postgresql(tables) if connection.vendor == "postgresql" else _counted(tables)
    return sorted(found, key=lambda table: (-(table.size or 0), -table.rows, table.name))


def file_size() -> int | None:
    """Return the bytes of an SQLite database as a whole; None: the tables say theirs."""
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return int(cursor.fetchone()[0])


def _of_postgresql(tables: dict[str, str]) -> list[TableSize]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint, pg_total_relation_size(oid), pg_indexes_size(oid) FROM pg_class "
            "WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND relname = ANY(%s)",
            [list(tables)],
        )
        return [
            # Below zero: never analysed.
            TableSize(name=tables[table], rows=max(rows, 0), is_estimate=True, size=size, indexes=indexes)
            for table, rows, size, indexes in cursor.fetchall()
        ]


def _counted(tables: dict[str, str]) -> list[TableSize]:
    quote = connection.ops.quote_name
    found = []
    with connection.cursor() as cursor:
        for table, name in tables.items():
            # Not one COUNT(*): it would read all of a large table.
            sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {quote(table)} LIMIT {COUNTED + 1})"  # noqa: S608 - ours
            cursor.execute(sql)
            rows = cursor.fetchone()[0]
            found.append(
                TableSize(
                    name=name,
                    rows=min(rows, COUNTED),
                    is_estimate=False,
                    at_least=rows > COUNTED,
                    size=None,
                    indexes=None,
                )
            )
    return found
