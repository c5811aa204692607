"""What a migration does to rows, also backwards."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from accounts import clock
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.models import Authorization
from tests.fixture_types import Issue, MakeClient


@pytest.mark.requirement("RV-08")
def test_backwards_what_an_epoch_has_ended_stays_dead_for_code_that_reads_none(
    issue: Issue, make_client: MakeClient
) -> None:
    """Of a FHIR server that ended, of a client whose end marked no row yet; and what lives goes on living."""
    migration = import_module("oauth.migrations.0013_end_a_fhir_server_at_once")
    unmarked, old, living = (issue(make_client())["granted"].authorization for _ in range(3))
    now = clock.now()
    access.end_epoch(unmarked.client, Actor(now=now - 5), EndedFor.CLIENT_DISABLED)
    # one to come: of one that was, other tests may have left an ending unmarked
    Authorization.objects.filter(pk=old.pk).update(fhir_server_epoch=old.fhir_server.epoch + 1)

    migration.end_what_older_code_would_revive(apps, None)

    for row in (unmarked, old, living):
        row.refresh_from_db()
    assert (unmarked.ended_for, unmarked.ended_at, unmarked.epoch) == ("client-disabled", now - 5, 1)
    assert (old.ended_for, old.ended_at >= now, old.epoch) == ("fhir-server-ended", True, 1)
    assert (living.ended_for, living.ended_at, living.epoch) == ("", 0, 0)


@pytest.mark.usefixtures("committed")
def test_the_index_of_persons_is_made_in_place_of_the_one_of_all_also_after_it_was_broken_off() -> None:
    """Outside a transaction on PostgreSQL, which could not make it there without stopping everybody."""
    migration = import_module("oauth.migrations.0020_standing_authorizations_by_client")
    assert migration.Migration.atomic is False
    with connection.schema_editor(atomic=False) as editor:
        migration.take_in(apps, editor)
        before = _indexes_of_persons()
        with connection.cursor() as cursor:  # as far as it came
            cursor.execute("CREATE INDEX authorization_person ON oauth_authorization (patient)")
        migration.leave_out(apps, editor)

    assert [name for name, _ in before] == ["oauth_authorization_user_id_01703288"]
    assert [name for name, _ in _indexes_of_persons()] == ["authorization_person"]
    assert "IS NOT NULL" in _indexes_of_persons()[0][1]


def _indexes_of_persons() -> list[tuple[str, str]]:
    """Names and definitions of those that begin with the person."""
    known = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
    if connection.vendor == "sqlite":
        known = "SELECT name, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL"
    with connection.cursor() as cursor:
        cursor.execute(known, ["oauth_authorization"])
        return [(name, made) for name, made in cursor.fetchall() if "(user_id)" in made]


@pytest.mark.usefixtures("committed")
def test_the_index_of_what_services_lost_is_made_also_after_it_was_broken_off_and_goes_backwards() -> None:
    migration = import_module("oauth.migrations.0026_ended_services")
    assert migration.Migration.atomic is False
    with connection.schema_editor(atomic=False) as editor:
        before = _index("authorization_lost")
        migration.remove(apps, editor)
        assert not _index("authorization_lost")

        with connection.cursor() as cursor:  # as far as it came
            cursor.execute("CREATE INDEX authorization_lost ON oauth_authorization (patient)")
        migration.add(apps, editor)

    assert len(before) == 1
    assert _index("authorization_lost") == before


def _index(name: str) -> list[str]:
    """The definition of that index of authorizations."""
    known = "SELECT indexdef FROM pg_indexes WHERE indexname = %s"
    if connection.vendor == "sqlite":
        known = "SELECT replace(sql, '\"', '') FROM sqlite_master WHERE name = %s AND type = 'index'"
    with connection.cursor() as cursor:
        cursor.execute(known, [name])
        return [" ".join(made.split()) for (made,) in cursor.fetchall()]


OF_PARTITIONS = [
    pytest.param("0024_kept_answers_are_found", "KEPT", id="kept answers"),
    pytest.param("0028_access_tokens_by_issue", "BY_ISSUE", id="by issue"),
]
INDEXES_OF_PARTITIONS = """
SELECT t.relname, x.indisvalid, regexp_replace(pg_get_indexdef(x.indexrelid), '^.* (USING .*)$', '\\1')
FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid JOIN pg_class t ON t.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY 1, 3
"""


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("name", "index"), OF_PARTITIONS)
def test_an_index_of_partitions_is_made_also_after_it_was_broken_off_and_no_other_goes_backwards(
    name: str, index: str
) -> None:
    """While others write: a transaction that has the table open meanwhile holds up nobody."""
    module = import_module(f"oauth.migrations.{name}")
    made, table = getattr(module, index), getattr(module, index).table
    assert module.Migration.atomic is False
    with connection.schema_editor(atomic=False) as editor, connection.cursor() as cursor:
        before = _indexes(table)
        partitions = {partition for partition, *_ in before}
        try:
            cursor.execute(f"CREATE INDEX operators_own ON {table}_first USING brin (expires_at)")
            made.remove(apps, editor)
            without = _indexes(table)

            cursor.execute(f"CREATE INDEX ON {table}_default {made.definition}")  # as far as it came
            cursor.execute(
                "UPDATE pg_index SET indisvalid = false WHERE indrelid = %s::regclass "
                "AND pg_get_indexdef(indexrelid) LIKE '%%' || %s",
                [f"{table}_default", made.definition],
            )
            made.add(apps, editor)
            made.add(apps, editor)
        finally:
            cursor.execute("DROP INDEX IF EXISTS operators_own")

    assert len(partitions) >= 3
    assert without == sorted(
        [each for each in before if each[2] != made.definition] + [(f"{table}_first", True, "USING brin (expires_at)")]
    )
    assert _indexes(table) == before
    assert len([each for each in before if each[2] == made.definition]) == len(partitions)


@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("name", "index"), OF_PARTITIONS)
def test_the_default_partition_gets_its_index_first_and_nobody_waits_for_any(name: str, index: str) -> None:
    """A partition that is added meanwhile has it then."""
    made = getattr(import_module(f"oauth.migrations.{name}"), index)
    with connection.schema_editor(atomic=False) as editor:
        for way, words in ((made.remove, "DROP INDEX CONCURRENTLY"), (made.add, "CREATE INDEX CONCURRENTLY ON")):
            with CaptureQueriesContext(connection) as ran:
                way(apps, editor)
            changes = [query["sql"] for query in ran.captured_queries if " INDEX " in query["sql"]]
            assert all(change.startswith(words) for change in changes)
            assert f"{words} {made.table}_default" in changes[0]
            assert not [query["sql"] for query in ran.captured_queries if "LOCK TABLE" in query["sql"]]


def _indexes(table: str) -> list[tuple[str, bool, str]]:
    """Those of each partition: whether it is valid, and what it is."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXES_OF_PARTITIONS, [table])
        return sorted(cursor.fetchall())


@pytest.mark.usefixtures("committed")
def test_the_database_of_the_audit_trail_which_has_no_tokens_gets_no_index_of_them() -> None:
    name = "0024_kept_answers_are_found"
    (add,) = import_module(f"oauth.migrations.{name}").Migration.operations
    state = MigrationLoader(None).project_state(("oauth", name))

    for way in (add.database_forwards, add.database_backwards):
        with connections["audit"].schema_editor() as editor:
            way("oauth", editor, state, state)
