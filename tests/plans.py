"""What the database makes of a statement: the plan, and whether it goes by an index."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext


def plans_of(ask, *, table):
    """Return [(statement, its plan)] of what `ask` does with a table."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    statements = [query["sql"] for query in captured if table in query["sql"]]
    assert statements
    return [(statement, plan_of(statement)) for statement in statements]


def plan_of(statement):
    prefix = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
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
