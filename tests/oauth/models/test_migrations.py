"""What a migration does to rows, also backwards."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

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


@pytest.mark.usefixtures("committed")
def test_the_database_of_the_audit_trail_which_has_no_tokens_gets_no_index_of_them() -> None:
    name = "0024_kept_answers_are_found"
    (add,) = import_module(f"oauth.migrations.{name}").Migration.operations
    state = MigrationLoader(None).project_state(("oauth", name))

    for way in (add.database_forwards, add.database_backwards):
        with connections["audit"].schema_editor() as editor:
            way("oauth", editor, state, state)
