"""Set-wise reading and writing: however many rows, one statement with few parameters."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import AutoField, JSONField, Model
from django.db.models.base import ModelState
from django.db.models.expressions import RawSQL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from uuid import UUID

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Field, QuerySet

    from notifications.models import Leased

Row = TypeVar("Row", bound=Model)
Dump: TypeAlias = "Callable[[Any], Any]"


class Blank(Generic[Row]):
    """A form for new rows of a model: its defaults, read once. `Model.__init__` costs more than writing the row."""

    def __init__(self, model: type[Row]) -> None:
        self._model = model
        fields = model._meta.concrete_fields
        self._made: dict[str, Callable[[], Any]] = {
            field.attname: field.default for field in fields if field.has_default() and callable(field.default)
        }
        self._fixed = {field.attname: field.get_default() for field in fields if field.attname not in self._made}

    def filled_in(self, **values: Any) -> Row:
        """Return a new row. Values go by the names of the columns: `recipient_id`."""
        row = self._model.__new__(self._model)
        row._state = ModelState()
        row.__dict__.update(self._fixed)
        for name, make in self._made.items():
            if name not in values:
                row.__dict__[name] = make()
        row.__dict__.update(values)
        return row


def among(field: Field[Any, Any], values: Collection[Any]) -> Any:
    """Return `values` for a lookup `…__in`: as one array where the database has those, not as so many parameters."""
    if connection.vendor != "postgresql":
        return values
    kind = _type(field)
    return RawSQL(f"SELECT unnest(%s::{kind}[])", [list(values)])  # noqa: S611 - the type is ours


def fetch(found: QuerySet[Row], names: Sequence[str]) -> list[Row]:
    """Return what a query finds, with these columns (`recipient_id`): what `only` does, without `Model.__init__`."""
    model = found.model
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in (model._meta.pk.attname, *names)]
    try:
        sql, params = found.values_list(*(field.attname for field in fields)).query.sql_with_params()
    except EmptyResultSet:
        # Asked for none.
        return []
    return read(model, fields, sql, params)


def read(model: type[Row], fields: Sequence[Field[Any, Any]], sql: str, params: Sequence[Any]) -> list[Row]:
    """
    Run a statement that returns these columns, and return the rows; other columns are read when they are asked for.

    What `raw` does, column by column instead of row by row, and without `Model.__init__`.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Django's own, which puts the same zone on each, takes ten times as long.
            cursor.cursor.adapters.register_loader("timestamptz", _timestamps())
        cursor.execute(sql, params)
        found = cursor.fetchall()
    columns = [_converted(field, values) for field, values in zip(fields, zip(*found, strict=True), strict=False)]
    names = [field.attname for field in fields]
    rows, alias = [], connection.alias
    for values in zip(*columns, strict=True):
        row = model.__new__(model)
        row._state = ModelState()
        row._state.adding, row._state.db = False, alias
        row.__dict__.update(zip(names, values, strict=True))
        rows.append(row)
    return rows


@cache
def _timestamps() -> Any:
    """Return what makes a time of what PostgreSQL says, in the zone of the connection: UTC."""
    return psycopg.adapters.get_loader(psycopg.postgres.types["timestamptz"].oid, psycopg.pq.Format.TEXT)


def _converted(field: Field[Any, Any], values: Sequence[Any]) -> Sequence[Any]:
    """Return values as the model has them."""
    # Of a foreign key, the column it points at says how it is stored.
    column = field.get_col(field.model._meta.db_table)
    converters = connection.ops.get_db_converters(column)
    converters += column.output_field.get_db_converters(connection)  # type: ignore[attr-defined]
    for convert in converters:
        values = [convert(value, column, connection) for value in values]
    return values


def insert_one(row: Model) -> None:
    """Insert one new row: what `save` does, without putting the statement together anew and without signals."""
    model, values, database = type(row), row.__dict__, _database()
    # What is as usual needs no parameter: telling the driver of one takes longer than asking.
    names = tuple([name for name, usual in _usual(model) if (value := values[name]) is not usual and value != usual])
    sql, dumps = _insertion(model, names, database.vendor)
    with database.cursor() as cursor:
        cursor.execute(sql, [dump(values[name]) if dump else values[name] for name, dump in dumps])
    row._state.adding = False
    row._state.db = database.alias


def _database() -> BaseDatabaseWrapper:
    """Return the connection itself: `connection` would look it up anew whenever it is asked for something."""
    return connections[DEFAULT_DB_ALIAS]


@lru_cache(maxsize=64)
def _insertion(model: type[Model], names: tuple[str, ...], vendor: str) -> tuple[str, list[tuple[str, Dump | None]]]:
    """Return the INSERT of a row whose other columns are as usual, and how the values of these are told, one by one."""
    quote, usual = connection.ops.quote_name, dict(_usual(model))
    fields = [field for field in _inserted(model) if field.attname in names or usual[field.attname] is not None]
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join("%s" if field.attname in names else _literal(usual[field.attname]) for field in fields)
    dumps = [(field.attname, _dump(field, vendor)) for field in fields if field.attname in names]
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})", dumps  # noqa: S608 - ours


def _literal(value: str | int | None) -> str:
    """Return what is usual as SQL."""
    return "'" + value.replace("'", "''").replace("%", "%%") + "'" if isinstance(value, str) else str(value).upper()


def _dump(field: Field[Any, Any], vendor: str) -> Dump | None:
    """Return what makes a value that the driver understands of one that is not None; None: it does as it is."""
    if vendor == "postgresql":
        return _json if isinstance(field, JSONField) else None
    return lambda value: field.get_db_prep_save(value, _database())


@cache
def _inserted(model: type[Model]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]


@cache
def _usual(model: type[Model]) -> list[tuple[str, str | int | None]]:
    """Return each column with what most rows have there: its default, if that is a text or a number; else nothing."""
    usual = []
    for field in _inserted(model):
        default = None if field.has_default() and callable(field.default) else field.get_default()
        usual.append((field.attname, default if isinstance(default, str | int) else None))
    return usual


def insert(rows: Sequence[Model]) -> None:
    """Insert new rows of one model, in the caller's transaction. What the database itself numbers stays unnumbered."""
    if not rows:
        return
    model = type(rows[0])
    if len(rows) == 1:
        insert_one(rows[0])
        return
    database = _database()
    if database.vendor != "postgresql":
        model._default_manager.bulk_create(rows)
        return
    known = [row.__dict__ for row in rows]
    # What no row has would be said as often as there are rows.
    fields = [field for field in _inserted(model) if any(values[field.attname] is not None for values in known)]
    quote = database.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    values_of = itemgetter(*(field.attname for field in fields))
    dumps = [(at, dump) for at, field in enumerate(fields) if (dump := _dump(field, database.vendor))]
    sql = f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN"
    # Not a call whose errors Django's cursor translates by itself.
    with database.cursor() as cursor, database.wrap_database_errors, cursor.copy(sql) as copy:
        for values in known:
            said = list(values_of(values))
            for at, dump in dumps:
                said[at] = dump(said[at])
            copy.write_row(said)


def update(rows: Sequence[Leased], names: Collection[str], *, token: UUID) -> set[Any]:
    """
    Write these columns, as the rows have them now, of those that are held by `token`; return the keys of those.

    What is the same in all rows is said once; the rest comes as a table of values.
    """
    if not rows:
        return set()
    model = type(rows[0])
    meta, quote = model._meta, connection.ops.quote_name
    table, pk = quote(meta.db_table), f"{quote(meta.db_table)}.{quote(meta.pk.column)}"
    shared: list[Field[Any, Any]] = []
    own: list[Field[Any, Any]] = [meta.pk]
    for field in (field for field in meta.concrete_fields if field.name in names):
        (own if _varies(rows, field.attname) else shared).append(field)
    values, params = _values(own, rows)
    sets = [f"{quote(field.column)} = %s" for field in shared]
    sets += [f"{quote(field.column)} = v.column{number}" for number, field in enumerate(own[1:], start=2)]
    sql = (
        f"UPDATE {table} SET {', '.join(sets)} FROM {values} "  # noqa: S608 - names are ours
        f"WHERE {pk} = v.column1 AND {table}.lease_token = %s RETURNING {pk}"
    )
    held = meta.get_field("lease_token").get_db_prep_save(token, connection)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*(_column(field, rows[:1])[0] for field in shared), *params, held])
        return {meta.pk.to_python(row[0]) for row in cursor.fetchall()}


def _values(fields: Sequence[Field[Any, Any]], rows: Sequence[Model]) -> tuple[str, list[Any]]:
    """Return a table `v` of these columns of the rows, column1 and so on, and its parameters."""
    columns = [_column(field, rows) for field in fields]
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{_type(field)}[]" for field in fields)
        names = ", ".join(f"column{number}" for number in range(1, len(fields) + 1))
        return f"unnest({arrays}) AS v ({names})", columns
    place = f"({', '.join(['%s'] * len(fields))})"
    return f"(VALUES {', '.join([place] * len(rows))}) AS v", [
        value for row in zip(*columns, strict=True) for value in row
    ]


def _type(field: Any) -> str:
    """Return a column's type, without what only the table needs to know."""
    kind: str = field.cast_db_type(connection)
    return kind


def _column(field: Field[Any, Any], rows: Sequence[Model]) -> list[Any]:
    """Return what the database is told of a column."""
    name, dump = field.attname, _dump(field, _database().vendor)
    values = [row.__dict__[name] for row in rows]
    return [None if value is None else dump(value) for value in values] if dump else values


def _varies(rows: Sequence[Model], name: str) -> bool:
    values = [row.__dict__[name] for row in rows]
    return values.count(values[0]) != len(values)


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)
