"""What a failure of a database is told as: never that it does not answer where it has answered."""

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import DatabaseError, Error, InterfaceError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.database_failure import FAILURES, NO_ANSWER, OTHER, failure_of, text_of


def what(error: Exception) -> str:
    return failure_of(error).what


def execute_all(of: sqlite3.Connection | CursorWrapper, statements: Iterable[str]) -> None:
    for statement in statements:
        of.execute(statement)


# SQLite ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of a table with one row."""
    path = tmp_path / "some.sqlite3"
    with closing(sqlite3.connect(path)) as made, made:
        made.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO t VALUES (1, '')")
    return path


def failure_in(path: Path, *statements: str) -> sqlite3.Error:
    """What the last of them raises."""
    with pytest.raises(sqlite3.Error) as raised, closing(sqlite3.connect(path, timeout=0)) as database:
        execute_all(database, statements)
    return raised.value


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["SELECT * FROM lost"], "lacks tables of this version"),
        (["SELECT lost FROM t"], "lacks tables of this version"),
        (["INSERT INTO t (lost) VALUES (1)"], "lacks tables of this version"),
        (["PRAGMA max_page_count = 2", "INSERT INTO t VALUES (2, zeroblob(99999))"], "cannot use its disk"),
        (["PRAGMA query_only = 1", "DELETE FROM t"], "has files that this account cannot open or write"),
        (["INSERT INTO t VALUES (1, '')"], "refuses what its rows or rules contradict"),
        (["SELECT"], "refuses this"),
    ],
)
def test_what_sqlite_refuses_is_told_by_its_name(file: Path, statements: list[str], told: str) -> None:
    assert what(failure_in(file, *statements)) == told


def test_a_file_that_another_process_writes_is_in_use(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert what(failure_in(file, "DELETE FROM t")) == "is in use by others, who hold what this needs"


def test_a_file_that_cannot_be_opened_or_is_no_database_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but longer than its header would be " * 20)

    assert what(failure_in(tmp_path / "no/such", "SELECT 1")).startswith("has files that this account cannot open")
    assert what(failure_in(tmp_path / "text", "SELECT * FROM t")) == "is damaged"


# PostgreSQL -----------------------------------------------------------------------------------------------------------

BY_STATEMENTS = [
    pytest.param(["SELECT * FROM lost"], "lacks tables of this version", id="no table"),
    pytest.param(["SELECT lost FROM oauth_client"], "lacks tables of this version", id="no column"),
    pytest.param(["SELECT lost()"], "lacks tables of this version", id="no function"),
    pytest.param(
        ["SET LOCAL statement_timeout = 1", "SELECT pg_sleep(9)"], "has stopped this before its end", id="too long"
    ),
    pytest.param(["SET TRANSACTION READ ONLY", "DELETE FROM oauth_seat"], "takes no writes", id="a standby"),
    pytest.param(
        ["INSERT INTO oauth_seat (key) VALUES (NULL)"], "refuses what its rows or rules contradict", id="a constraint"
    ),
    pytest.param(
        ["CREATE ROLE guest", "SET LOCAL ROLE guest", "DELETE FROM oauth_seat"],
        "does not let its role do this",
        id="no right",
    ),
    pytest.param(["SELECT 1 / 0"], "refuses this", id="a fault"),
]


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("statements", "told"), BY_STATEMENTS)
def test_what_postgresql_refuses_is_told_by_its_sqlstate(statements: list[str], told: str) -> None:
    with pytest.raises(Error) as raised, transaction.atomic(), connection.cursor() as cursor:
        execute_all(cursor, statements)

    assert what(raised.value) == told


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
def test_neither_the_statement_nor_what_a_row_holds_is_told_of_what_postgresql_refuses() -> None:
    with pytest.raises(Error) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO oauth_seat (key, latest, launches) VALUES ('a secret', 0, 0), ('a secret', 0, 0)")

    assert "a secret" in str(raised.value)
    assert text_of(raised.value) == 'duplicate key value violates unique constraint "one_seat_a_key"'


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("of_type", ["bigint", "timestamptz", "uuid", "inet", "boolean"])
def test_no_value_is_told_that_postgresql_cannot_read(of_type: str) -> None:
    with pytest.raises(Error) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{of_type}", ["hidden-value"])

    assert "hidden-value" in str(raised.value)
    assert re.fullmatch("a value that it does not take, SQLSTATE 22[0-9A-Z]{3}", text_of(raised.value))


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
def test_a_lock_that_another_holds_is_told_as_that(other: None) -> None:
    with pytest.raises(OperationalError) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', '1', true); LOCK TABLE oauth_seat")

    assert what(raised.value) == "is in use by others, who hold what this needs"


@pytest.fixture
def other() -> Iterator[None]:
    """Another connection, which holds a table."""
    holds = connection.copy()
    try:
        with holds.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE oauth_seat")
            yield
    finally:
        holds.close()


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"PASSWORD": "wrong", "USER": "nobody"}, "refuses the connection"),
        ({"NAME": "no_such_directory/database"}, "refuses the connection"),  # where SQLite makes no file either
        ({"PORT": "1"}, "does not answer"),
        ({"HOST": "no-such-host.invalid"}, "does not answer"),
        ({"OPTIONS": {"options": "-c default_transaction_read_only=on"}}, "takes no writes"),
        ({"OPTIONS": {"sslmode": "require"}}, "refuses the connection"),  # of a server without TLS, as the tests have
        ({"OPTIONS": {"channel_binding": "require"}}, "refuses the connection"),
        ({"OPTIONS": {"require_auth": "none"}}, "refuses the connection"),
        ({"PASSWORD": "", "OPTIONS": {"passfile": os.devnull}}, "refuses the connection"),
    ],
)
def test_a_connection_that_cannot_be_made_is_told_by_whether_somebody_has_answered(
    wrong: dict[str, object], told: str
) -> None:
    stranger = connection.copy()
    stranger.settings_dict = {**stranger.settings_dict, **wrong}
    try:
        with pytest.raises(Error) as raised:
            stranger.ensure_connection()
    finally:
        stranger.close()

    assert what(raised.value) == told


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
def test_a_connection_that_the_server_ends_is_one_that_does_not_answer() -> None:
    ended = connection.copy()
    try:
        with pytest.raises(Error) as raised, ended.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    finally:
        ended.close()

    assert what(raised.value) == "does not answer"


@pytest.mark.parametrize(
    ("sqlstate", "told"),
    [
        ("08006", "does not answer"),
        ("57P01", "does not answer"),
        ("57014", "has stopped this before its end"),
        ("40P01", "is in use by others, who hold what this needs"),
        ("53100", "cannot use its disk"),
        ("58030", "cannot use its disk"),
        ("58P01", "refuses this"),
        ("53300", "is at one of its limits"),
        ("28P01", "refuses the connection"),
        ("3D000", "refuses the connection"),
        ("XX001", "is damaged"),
        ("23505", "refuses what its rows or rules contradict"),
        ("XX000", "refuses this"),
    ],
)
def test_what_a_test_cannot_bring_about_is_told_by_the_class_of_its_sqlstate(sqlstate: str, told: str) -> None:
    driver = Exception("FATAL: some word")
    driver.sqlstate = sqlstate  # type: ignore[attr-defined]
    error = OperationalError("FATAL: some word")
    error.__cause__ = driver

    assert what(error) == told


# Without a code -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OperationalError("the database took too long"), "does not answer"),
        (InterfaceError("connection already closed"), "does not answer"),
        (OperationalError("consuming input failed: SSL connection has been closed unexpectedly"), "does not answer"),
        (OperationalError("consuming input failed: SSL SYSCALL error: EOF detected"), "does not answer"),
        (OperationalError("connection failed: SSL error: unexpected eof while reading"), "does not answer"),
        (OperationalError("connection failed: SSL error: certificate verify failed"), "refuses the connection"),
        (OperationalError('root certificate file "/x" does not exist'), "refuses the connection"),
        (OperationalError('server certificate for "x" does not match host name "y"'), "refuses the connection"),
        (OperationalError('private key file "/x" has group or world access'), "refuses the connection"),
        (OperationalError("connection failed: SSL error: tlsv1 alert unknown ca"), "refuses the connection"),
        (OperationalError("fe_sendauth: no password supplied"), "refuses the connection"),
        (DatabaseError("Save with update_fields did not affect any rows."), "refuses this"),
    ],
)
def test_what_has_no_code_does_not_answer_unless_words_say_that_somebody_has(error: Exception, told: str) -> None:
    assert what(error) == told


def test_the_sentence_says_what_it_is_what_was_said_and_what_to_do() -> None:
    error = OperationalError("connection\n\tfailed")

    told = failure_of(error).sentence(error, "smartauth", "SOME_URL")

    assert text_of(error) == "connection failed"
    assert told == "The database does not answer (connection failed). Start it, or correct SOME_URL."


def test_the_sentence_names_the_database_where_there_are_several() -> None:
    told = NO_ANSWER.sentence(OperationalError("away"), "smartauth", "SOME_URL", "audit")

    assert told == "The database audit does not answer (away). Start it, or correct SOME_URL."


def test_no_text_of_a_failure_lacks_what_is_put_in() -> None:
    for each in (*FAILURES, NO_ANSWER, OTHER):
        assert "{" not in each.sentence(DatabaseError("x"), "smartauth", "SOME_URL"), each.what
