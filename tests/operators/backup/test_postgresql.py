"""Before a restore a database is emptied of all that the role owns in `public`, and nobody else's code runs.

And before that its SQL lies beside the backup.
"""

from pathlib import Path

import pytest
from django.db import connection

from operators.backup import postgresql
from operators.backup.manifest import UnusableBackup
from operators.backup.postgresql import EMPTYING

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql, pytest.mark.requirement("RV-08")]

TRAP = "LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$"


def ask(statement: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def names() -> set[str]:
    found = ask(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    return {name for (name,) in found}


def count_to_an_extension(number: str) -> None:
    """Something else, a type, that has this number: numbers are unique in one catalog alone."""
    ask("SET LOCAL allow_system_table_mods = on")
    ask(
        "INSERT INTO pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)"
        f" SELECT 'pg_type'::regclass, {number}, 0, 'pg_extension'::regclass, oid, 0, 'e'"
        " FROM pg_extension WHERE extname = 'plpgsql'"
    )


def test_nothing_is_left() -> None:
    assert {"oauth_client", "oauth_add_access_token_partition"} <= names()

    ask(EMPTYING)

    assert names() == set()


@pytest.mark.parametrize(
    "trap",
    [
        f"CREATE FUNCTION public.format(text, text, name) RETURNS text {TRAP}",
        f"CREATE FUNCTION public.format(text, name, text) RETURNS text {TRAP}",
        f"CREATE FUNCTION public.joined(text[], text[]) RETURNS text[] {TRAP};"
        "CREATE OPERATOR public.|| (FUNCTION = public.joined, LEFTARG = text[], RIGHTARG = text[])",
    ],
    ids=["format for tables", "format for routines", "the operator that joins arrays"],
)
def test_no_function_of_anybody_else_is_called_with_the_rights_of_who_restores(trap: str) -> None:
    ask("SET LOCAL search_path = public")
    ask(trap)

    ask(EMPTYING)

    assert names() == set()


def test_what_shares_its_number_with_something_of_an_extension_goes_too() -> None:
    ask("CREATE TABLE public.alike (number int); CREATE FUNCTION public.alike() RETURNS int LANGUAGE sql AS 'SELECT 1'")

    count_to_an_extension("'public.alike'::regclass::oid")
    count_to_an_extension("'public.alike()'::regprocedure::oid")

    ask(EMPTYING)

    assert names() == set()


def test_where_the_sql_cannot_be_written_the_backup_is_told_to_be_of_no_use(tmp_path: Path) -> None:
    (tmp_path / "main.sql").mkdir()

    with (
        pytest.raises(UnusableBackup, match=rf"^{tmp_path}/main\.sql cannot be written \(Is a directory\)\.$"),
        postgresql.drafted(tmp_path / "main", {"OPTIONS": {}}, []),
    ):
        pytest.fail("nothing is drafted")
