"""What the database makes of a statement: the plan, and whether it goes by an index."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count

from django.core.management.color import no_style
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

_numbers = count()


@contextmanager
def committed(make, blocker):
    """
    Make rows that a module's tests share, give what `make` returns, and take the rows away when the tests are over.

    For a module's fixture, with pytest-django's `django_db_blocker`. What the migrations made stays.
    """
    with blocker.unblock():
        empty = _empty_tables()
        with transaction.atomic():
            made = make()
            analyse()
    try:
        yield made
    finally:
        with blocker.unblock():
            connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), empty))
            _forget_sizes()


def _empty_tables():
    empty = []
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f'SELECT 1 FROM "{table}" LIMIT 1')  # noqa: S608 - Django's own names
            if not cursor.fetchone():
                empty.append(table)
    return empty


def _forget_sizes():
    """Have SQLite plan as if nobody had analysed; PostgreSQL forgets a table's size when it is emptied."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sqlite_stat1")
        # What this connection has read of them it would keep.
        connection.close()


def plans_of(ask, *, table):
    """Return [(statement, its plan)] of what `ask` does with a table."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    statements = [query["sql"] for query in captured if table in query["sql"]]
    assert statements
    return [(statement, plan_of(statement)) for statement in statements]


def plan_of(statement):
    # Numbered, because SQLite keeps the plan of a statement it knows, even when the index is dropped.
    prefix = f"EXPLAIN QUERY PLAN /* {next(_numbers)} */ " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(prefix + statement)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def reads_all(plan, *, table):
    """Tell whether the plan reads the whole table."""
    if connection.vendor == "sqlite":
        return any(line.startswith(f"SCAN {table}") and "INDEX" not in line for line in plan.splitlines())
    return f"Seq Scan on {table}" in plan


def sorts(plan):
    """Tell whether the plan collects rows and sorts them before the first comes out."""
    return "TEMP B-TREE FOR ORDER BY" in plan if connection.vendor == "sqlite" else "Sort" in plan


def analyse():
    """Tell the planner how large the tables are."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def prefer_indexes():
    """Have PostgreSQL go by an index wherever one serves, however few rows there are; until the end of the transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")


def drop_index(name):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {name}")
