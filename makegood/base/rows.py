"""The statements of hot paths: prepared once, so that nothing is built, parsed and planned anew for each row.

The ORM builds each statement anew and PostgreSQL plans it anew; for a break or an opening that was most of its time.
:func:`add` and :func:`change` write one row. Inside :func:`together` new rows are kept until the block ends, then sent in
two statements, for opening a case writes nine and waits for each answer. Same rows, constraints and triggers as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from functools import cache, lru_cache
from itertools import count
from typing import Any, TypeVar

from django.db import connection
from django.db.models import JSONField, Model
from django.db.models.fields import Field
from psycopg import RawCursor
from psycopg.types.json import Jsonb

Row = TypeVar("Row", bound=Model)


class _Together:
    """The rows that wait, and the ids that were drawn for them."""

    def __init__(self, ids: dict[type[Model], int]) -> None:
        self.ids = ids
        self.rows: list[Model] = []


_open: ContextVar[_Together | None] = ContextVar("together", default=None)


def add(row: Row) -> Row:
    """Insert a new row: now, or with the others at the end of :func:`together`. Returns it, with its id where one was drawn."""
    batch = _open.get()
    if batch is None:
        _insert_now(row)
        return row
    if row.pk is None:
        row.pk = batch.ids.pop(type(row), None)
    batch.rows.append(row)
    return row


def add_all(rows: Iterable[Model]) -> None:
    """:func:`add` for each."""
    for row in rows:
        add(row)


def _insert_now(row: Model) -> None:
    """One INSERT; the row has its id and what else the database made (a case's number) afterwards."""
    shape, made = ((type(row), row.pk is not None),), _made(type(row))
    with connection.wrap_database_errors, _cursor() as cursor:
        cursor.execute(_returning(shape), list(_values(row)), prepare=True)
        for field, value in zip(made, cursor.fetchone() or (), strict=True):
            setattr(row, field.attname, value)
    row._state.adding, row._state.db = False, connection.alias


def change(model: type[Model], pk: int, **values: Any) -> bool:
    """Set these columns (by the names of their attributes) of one row; whether there was one."""
    with connection.wrap_database_errors, _cursor() as cursor:
        statement = _update(model, tuple(values))
        sent = [value.value if isinstance(value, Enum) else value for value in values.values()]
        return cursor.execute(statement, [*sent, pk], prepare=True).rowcount == 1


def change_all(changed: Sequence[Model], names: Iterable[str]) -> None:
    """Write these columns (by the names of their attributes) of these rows of one table, in one statement.

    Django's ``bulk_update`` builds a CASE for each value, ten times as slow.
    """
    if not changed:
        return
    model, wanted = type(changed[0]), tuple(names)
    values = [[_sent(row, field) for row in changed] for field in _named(model, wanted)]
    with connection.wrap_database_errors, _cursor() as cursor:
        cursor.execute(_update_all(model, wanted), [[row.pk for row in changed], *values], prepare=True)


@contextmanager
def together(*models: type[Model]) -> Iterator[None]:
    """Send what :func:`add` is given in this block at its end; the first row of each of ``models`` has its id at once.

    For acts that only insert: a query inside the block does not find the rows yet. Must be called inside a transaction;
    raises what the database raises (IntegrityError …) at the end of the block, and sends nothing when the block fails.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("rows are sent together inside a transaction only")
    batch = _Together(_draw(models))
    token = _open.set(batch)
    try:
        yield
    finally:
        _open.reset(token)
    _send(batch.rows)


def _draw(models: tuple[type[Model], ...]) -> dict[type[Model], int]:
    """The next id of each model's sequence, in one query."""
    with connection.wrap_database_errors, _cursor() as cursor:
        found = cursor.execute(_next_ids(models)).fetchone()
    return dict(zip(models, found or (), strict=True))


@cache
def _next_ids(models: tuple[type[Model], ...]) -> bytes:
    # Identity columns own a sequence; its name is what PostgreSQL says, not what we guess.
    wanted = ", ".join(
        f"nextval(pg_get_serial_sequence('{m._meta.db_table}', '{_key(m).column}'))" for m in models
    )
    return f"SELECT {wanted}".encode()


def _send(rows: list[Model]) -> None:
    """The first row by itself, since triggers on the others look at it; then all others in one statement."""
    with connection.wrap_database_errors, _cursor() as cursor:
        for part in (rows[:1], rows[1:]):
            if part:
                statement = _insert(tuple((type(row), row.pk is not None) for row in part))
                cursor.execute(statement, [value for row in part for value in _values(row)], prepare=True)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _values(row: Model) -> Iterator[Any]:
    """The values as psycopg takes them. What our fields hold it knows by itself; only JSON is said, and codes are plain text."""
    for field in _fields(type(row), row.pk is not None):
        yield _sent(row, field)


def _sent(row: Model, field: Field[Any, Any]) -> Any:
    value = getattr(row, field.attname)
    if isinstance(value, Enum):
        value = value.value
    return Jsonb(value) if isinstance(field, JSONField) else value


def ask(statement: str, *values: Any, binary: bool = False) -> list[tuple[Any, ...]]:
    """One prepared statement (``$1``, ``$2`` …) on Django's connection, for the look-ups of a hot path.

    Django writes values into the text, so PostgreSQL parses and plans it anew each time; this one is planned once.
    ``binary``: what is answered comes as PostgreSQL holds it (bytes would else be written out in hexadecimal).
    """
    with connection.wrap_database_errors, _cursor() as cursor:
        return cursor.execute(statement.encode(), values, prepare=True, binary=binary).fetchall()


def _cursor() -> RawCursor[Any]:
    """A raw psycopg cursor: nothing is converted on the way, and what it sends is prepared."""
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    return RawCursor(connection.connection)


@cache
def _fields(model: type[Model], with_id: bool) -> tuple[Field[Any, Any], ...]:
    return tuple(f for f in model._meta.concrete_fields if not f.generated and (with_id or not f.primary_key))


@lru_cache(maxsize=512)
def _insert(shape: tuple[tuple[type[Model], bool], ...]) -> bytes:
    """One statement that inserts a row of each of these models, with or without its id."""
    inserts, place = [], count(1)
    for model, with_id in shape:
        fields = _fields(model, with_id)
        columns, places = (
            ", ".join(f'"{f.column}"' for f in fields),
            ", ".join(f"${next(place)}" for _ in fields),
        )
        inserts.append(f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({places})')
    before = ", ".join(f"r{n} AS ({insert})" for n, insert in enumerate(inserts[:-1]))
    return f"{'WITH ' + before if before else ''} {inserts[-1]}".encode()


@cache
def _made(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    """What the database makes by itself: the id, and generated columns."""
    return tuple(f for f in model._meta.concrete_fields if f.generated or f.primary_key)


@lru_cache(maxsize=512)
def _returning(shape: tuple[tuple[type[Model], bool], ...]) -> bytes:
    """:func:`_insert` of one row that answers with what the database made."""
    made = ", ".join(f'"{f.column}"' for f in _made(shape[0][0]))
    return _insert(shape) + f" RETURNING {made}".encode()


@lru_cache(maxsize=512)
def _update(model: type[Model], names: tuple[str, ...]) -> bytes:
    """One statement that sets these columns of the row with an id."""
    columns = {f.attname: f.column for f in model._meta.concrete_fields if not isinstance(f, JSONField)}
    sets = ", ".join(f'"{columns[name]}" = ${n}' for n, name in enumerate(names, start=1))
    where = f'"{_key(model).column}" = ${len(names) + 1}'
    return f'UPDATE "{model._meta.db_table}" SET {sets} WHERE {where}'.encode()


@cache
def _named(model: type[Model], names: tuple[str, ...]) -> tuple[Field[Any, Any], ...]:
    columns = {f.attname: f for f in model._meta.concrete_fields}
    return tuple(columns[name] for name in names)


@lru_cache(maxsize=512)
def _update_all(model: type[Model], names: tuple[str, ...]) -> bytes:
    """One statement that sets these columns of many rows, an array a column, the ids first."""
    fields, key = _named(model, names), f'"{_key(model).column}"'
    arrays = ", ".join(f"${n}::{f.db_type(connection)}[]" for n, f in enumerate(fields, start=2))
    columns = ", ".join(f'"{f.column}"' for f in fields)
    sets = ", ".join(f'"{f.column}" = v."{f.column}"' for f in fields)
    given = f"unnest($1::bigint[], {arrays}) AS v({key}, {columns})"
    return f'UPDATE "{model._meta.db_table}" AS t SET {sets} FROM {given} WHERE t.{key} = v.{key}'.encode()


def _key(model: type[Model]) -> Field[Any, Any]:
    key = model._meta.pk
    assert key is not None
    return key
