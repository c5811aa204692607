"""Statements of the machines' side: written by hand, run through Django's cursor, their columns named once.

A row is a class whose fields say from which SQL expression each comes: `pk: Annotated[int, "a.id"]`. The SELECT or
RETURNING list and the constructor are both made from it, so no column is matched to a field by counting. A field
without an expression is a row itself, of the same statement: `client: SecretClient`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar, get_type_hints

from django.db import connection

Row = TypeVar("Row")
Value = str | int | None  # all that a column of the machines' side holds


@dataclass(frozen=True, slots=True)
class Statement(Generic[Row]):
    """A statement that reads rows of one class."""

    text: str
    row: Callable[..., Row]


def select(row: type[Row], source: str) -> Statement[Row]:
    """Reads such rows from `source`, which begins with FROM."""
    return Statement(f"SELECT {columns(row)} {source}", _constructor(row))


def returning(row: type[Row], change: str) -> Statement[Row]:
    """Makes the change and reads what it returns as such rows."""
    return Statement(f"{change} RETURNING {columns(row)}", _constructor(row))


def columns(row: type) -> str:
    """The expression of each field AS its name, in the order of the fields."""
    return ", ".join(f"{expression} AS {name}" for name, expression in _expressions(row))


def expressions(row: type) -> str:
    """The same without names, for what is no list of SELECT or RETURNING."""
    return ", ".join(expression for _, expression in _expressions(row))


def _expressions(row: type, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, hint in get_type_hints(row, include_extras=True).items():
        if _is_row(hint):
            yield from _expressions(hint, f"{prefix}{name}_")
        else:
            yield prefix + name, hint.__metadata__[0]


def _is_row(hint: Any) -> bool:
    return not hasattr(hint, "__metadata__")


def _constructor(row: Callable[..., Row]) -> Callable[..., Row]:
    """Makes the row from its columns, those of a row in it first put together."""
    hints = list(get_type_hints(row, include_extras=True).values())
    if not any(map(_is_row, hints)):
        return row
    parts: list[tuple[Callable[..., Any] | None, Any]] = []  # how each field is made, and of which columns
    first = 0
    for hint in hints:
        length = len(list(_expressions(hint))) if _is_row(hint) else 1
        parts.append((_constructor(hint), slice(first, first + length)) if _is_row(hint) else (None, first))
        first += length

    def construct(*values: Any) -> Row:
        return row(*[make(*values[place]) if make else values[place] for make, place in parts])

    return construct


def numbered(statement: str) -> str:
    """The statement with $1, $2 and so on for its values, as PREPARE takes it on PostgreSQL."""
    places = statement.replace("%%", "").count("%s")
    return statement % tuple(f"${number}" for number in range(1, places + 1))


def records(columns: str) -> str:
    """The rows of one JSON parameter, a list of objects with these members, as the table q; on PostgreSQL."""
    return f"json_to_recordset(%s::json) AS q ({columns})"


def one(statement: Statement[Row], values: Sequence[Value]) -> Row | None:
    """The first row, None where there is none."""
    found = _first(statement.text, values)
    return None if found is None else statement.row(*found)


def get(statement: Statement[Row], values: Sequence[Value]) -> Row:
    """The row that is there for certain. Raises LookupError."""
    found = one(statement, values)
    if found is None:
        raise LookupError(statement.text)
    return found


def many(statement: Statement[Row], values: Sequence[Value]) -> list[Row]:
    """All rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement.text, values)
        return [statement.row(*found) for found in cursor.fetchall()]


def value(statement: str, values: Sequence[Value]) -> Any:
    """The first column of the first row, None where there is none."""
    found = _first(statement, values)
    return None if found is None else found[0]


def insert(table: str, **values: Value) -> int:
    """The primary key of a new row with these values, each beside the name of its column."""
    return int(value(_insert_text(table, tuple(values)), list(values.values())))


def execute(statement: str, values: Sequence[Value]) -> None:
    """Runs a statement that reads nothing."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@lru_cache
def _insert_text(table: str, names: tuple[str, ...]) -> str:
    places = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places}) RETURNING id"  # noqa: S608  # names alone


def _first(statement: str, values: Sequence[Value]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: tuple[Any, ...] | None = cursor.fetchone()
        return found
