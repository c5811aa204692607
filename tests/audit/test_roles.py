"""The roles that docker/databases.sh makes: who serves may add to the trail, and neither change nor delete there."""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.postgresql import PostgreSQL
from tests.running import ROOT, Server

pytestmark = [pytest.mark.kill, pytest.mark.requirement("SD-10")]

DATABASES = {"SMARTAUTH_DATABASE_URL": "smartauth", "SMARTAUTH_AUDIT_DATABASE_URL": "smartauth_audit"}


WRITES_EVERYTHING = {
    "log_statement": "all", "log_min_duration_statement": "0", "log_min_duration_sample": "0",
    "log_statement_sample_rate": "1", "log_transaction_sample_rate": "1", "log_min_error_statement": "debug5",
    "debug_print_parse": "on", "debug_print_rewritten": "on",
}  # fmt: skip


PASSWORDS = {"SMARTAUTH_PASSWORD": """it's "$HOME" `id` \\a :owning""", "SMARTAUTH_OWNER_PASSWORD": "owning"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    made = PostgreSQL(superuser="postgres")
    try:
        with settings(made.start(), WRITES_EVERYTHING):
            make_databases(made).check_returncode()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def empty() -> Iterator[PostgreSQL]:
    """One in which the script has made nothing."""
    made = PostgreSQL(superuser="postgres")
    try:
        yield made.start()
    finally:
        made.remove()


@contextmanager
def settings(cluster: PostgreSQL, values: dict[str, str]) -> Iterator[None]:
    """The server's own, for the block."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        for name, value in values.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            for name in values:
                connection.execute(f"ALTER SYSTEM RESET {name}".encode())
            connection.execute("SELECT pg_reload_conf()")


def make_databases(cluster: PostgreSQL, *, without: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What docker/databases.sh does there, with all passwords but that one."""
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(cluster.port), "PGUSER": "postgres"}
    passwords = {name: password for name, password in PASSWORDS.items() if name != without}
    known = {**os.environ, **where, **passwords, **environment}
    return subprocess.run(["sh", str(ROOT / "docker" / "databases.sh")], env=known, capture_output=True)


@pytest.fixture(scope="module")
def migrated(cluster: PostgreSQL) -> Server:
    """A server of the role that serves; its databases were migrated as docker/compose.yaml does."""
    roles = {owned: url(cluster, "smartauth_owner", database) for owned, database in DATABASES.items()}
    server = Server()
    server.environment |= roles
    server.manage("migrate", "--verbosity", "0")
    server.manage("migrate", "--database", "audit", "--verbosity", "0")
    server.environment |= {owned: url(cluster, "smartauth", database) for owned, database in DATABASES.items()}
    return server


def url(cluster: PostgreSQL, role: str, database: str) -> str:
    return f"postgresql://{role}@127.0.0.1:{cluster.port}/{database}"


def test_the_serving_role_ships_the_trail(cluster: PostgreSQL, migrated: Server) -> None:
    migrated.manage("seed", str(ROOT / "smartauth.yaml"))

    migrated.manage("shell", "-c", "from audit.shipping import ship; ship()")

    with psycopg.connect(url(cluster, "smartauth", "smartauth_audit")) as connection:
        row = connection.execute("SELECT count(*) FROM audit_securityevent").fetchone()
    assert row is not None
    assert row[0] > 0


def test_the_serving_role_of_before_one_row_for_a_transaction_records_events_too(
    cluster: PostgreSQL, migrated: Server
) -> None:
    texts = 'client, person, fhir_server, patient, "authorization", token, address, reason, reference, operator'
    columns = f"INSERT INTO audit_outboxevent (event_id, kind, at, {texts})"
    values = "'of before', 'issued', 1" + ", 'x'" * 10
    with psycopg.connect(url(cluster, "smartauth", "smartauth")) as connection:
        connection.execute(f"{columns} VALUES ({values})".encode())

    migrated.manage("shell", "-c", "from audit.shipping import ship; ship()")

    with psycopg.connect(url(cluster, "smartauth", "smartauth_audit")) as connection:
        found = connection.execute("SELECT operator FROM audit_securityevent WHERE event_id = 'of before'").fetchall()
    assert found == [("x",)]


def test_a_role_that_could_read_the_outbox_can_after_its_migration_and_the_way_back(
    cluster: PostgreSQL, migrated: Server
) -> None:
    may = "SELECT has_table_privilege('auditor', to_regclass(%s), 'SELECT')"
    tables = ("audit_outboxevent", "audit_outbox")
    migrated.environment["SMARTAUTH_DATABASE_URL"] = url(cluster, "smartauth_owner", "smartauth")
    found = []
    try:
        with psycopg.connect(cluster.url("smartauth"), autocommit=True) as connection:
            migrated.manage("migrate", "audit", "0005", "--verbosity", "0")
            connection.execute("CREATE ROLE auditor")
            connection.execute("GRANT SELECT ON audit_outboxevent TO auditor")
            for state in ("0006", "0005", "0006"):
                migrated.manage("migrate", "audit", state, "--verbosity", "0")
                found.append([connection.execute(may, [table]).fetchone() for table in tables])
    finally:
        migrated.environment["SMARTAUTH_DATABASE_URL"] = url(cluster, "smartauth", "smartauth")

    assert found == [[(True,), (True,)], [(True,), (None,)], [(True,), (True,)]]


@pytest.mark.parametrize(
    "statement", ["TRUNCATE oauth_client", "DROP TABLE oauth_client", "CREATE TABLE other (a int)"]
)
def test_the_serving_role_changes_no_table_of_the_main_database(
    cluster: PostgreSQL, migrated: Server, statement: str
) -> None:
    with (
        psycopg.connect(url(cluster, "smartauth", "smartauth")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_securityevent SET reason = 'nothing happened'", "DELETE FROM audit_securityevent",
        "TRUNCATE audit_securityevent", "DROP TABLE audit_securityevent", "CREATE TABLE other (a int)",
        "ALTER TABLE audit_securityevent DROP COLUMN reason",
        "UPDATE fhir_audit_entry SET content = '{}'", "DELETE FROM fhir_audit_entry", "TRUNCATE fhir_audit_value",
        "DELETE FROM fhir_audit_value", "DROP TRIGGER fhir_audit_entry_append_only ON fhir_audit_entry",
        "ALTER TABLE fhir_audit_entry DISABLE TRIGGER ALL", "DROP FUNCTION fhir_audit_append_only CASCADE",
        "CREATE OR REPLACE FUNCTION fhir_audit_append_only() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
    ],
)  # fmt: skip
def test_the_serving_role_changes_nothing_in_the_trail(cluster: PostgreSQL, migrated: Server, statement: str) -> None:
    with (
        psycopg.connect(url(cluster, "smartauth", "smartauth_audit")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_the_serving_role_ships_what_the_fhir_server_recorded_and_the_owner_alone_cuts_it(
    cluster: PostgreSQL, migrated: Server
) -> None:
    recorded = (
        "from fhir.audit.outbox import new_row, record; from fhir.audit.shipping import ship;"
        "about = dict(version='r4', base='http://x', at=1, address='', client='app', person='', own_record='');"
        "record([new_row({**about, 'interaction': 'read', 'target': '', 'patient': '', 'status': 404})]); ship()"
    )
    migrated.manage("shell", "--no-imports", "-c", recorded)
    cut = ("fhir-audit", "cut", "--before", "2000-01-01", "--yes", "--json")

    with pytest.raises(AssertionError, match=r"does not let its role do this .*Use the role that owns the tables"):
        migrated.manage(*cut)
    migrated.environment["SMARTAUTH_AUDIT_DATABASE_URL"] = url(cluster, "smartauth_owner", "smartauth_audit")
    try:
        assert json.loads(migrated.manage(*cut))["deleted"] == 1
    finally:
        migrated.environment["SMARTAUTH_AUDIT_DATABASE_URL"] = url(cluster, "smartauth", "smartauth_audit")


@pytest.mark.parametrize("noun", ["access_token", "refresh_token"])
def test_the_serving_role_adds_and_drops_partitions_of_tokens_which_it_does_not_own(
    cluster: PostgreSQL, migrated: Server, noun: str
) -> None:
    named = f"SELECT name FROM oauth_{noun}_partitions()".encode()
    with psycopg.connect(url(cluster, "smartauth", "smartauth"), autocommit=True) as connection:
        before = [name for (name,) in connection.execute(named)]
        connection.execute(f"SELECT oauth_add_{noun}_partition(0, 30)".encode())
        oldest = f"SELECT min(until) FROM oauth_{noun}_partitions()"
        connection.execute(f"SELECT oauth_drop_{noun}_partition(({oldest}))".encode())
        after = [name for (name,) in connection.execute(named)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"DROP TABLE {after[-1]}".encode())

    assert after[:-1] == before[1:]
    assert after[-1] not in before


def test_who_may_write_no_tokens_adds_and_drops_no_partition(cluster: PostgreSQL, migrated: Server) -> None:
    with psycopg.connect(url(cluster, "postgres", "smartauth"), autocommit=True) as owner:
        owner.execute("CREATE ROLE reader LOGIN")
        owner.execute("GRANT CONNECT ON DATABASE smartauth TO reader")
        owner.execute("GRANT USAGE ON SCHEMA public TO reader")
    with psycopg.connect(url(cluster, "reader", "smartauth"), autocommit=True) as connection:
        for kind in ("access", "refresh"):
            for call in (f"oauth_add_{kind}_token_partition(0, 30)", f"oauth_drop_{kind}_token_partition({2**62})"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"no {kind} tokens"):
                    connection.execute(f"SELECT {call}".encode())


@pytest.mark.parametrize(
    ("role", "variable"), [("smartauth", "SMARTAUTH_PASSWORD"), ("smartauth_owner", "SMARTAUTH_OWNER_PASSWORD")]
)
def test_each_role_has_its_password_to_the_letter(cluster: PostgreSQL, role: str, variable: str) -> None:
    with psycopg.connect(cluster.url("postgres")) as connection:
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role]).fetchone()
    assert row is not None
    _, kept, keys = row[0].split("$")  # RFC 5803
    rounds, salt = kept.split(":")

    salted = hashlib.pbkdf2_hmac("sha256", PASSWORDS[variable].encode(), base64.b64decode(salt), int(rounds))

    server_key = hmac.digest(salted, b"Server Key", "sha256")
    assert base64.b64decode(keys.split(":")[1]) == server_key


@pytest.mark.parametrize("missing", [*PASSWORDS])
@pytest.mark.parametrize(
    "value", [{}, {"": ""}, {"_FILE": "/nowhere/password"}], ids=["unset", "empty", "in a file that is not there"]
)
def test_without_a_password_nothing_is_made(empty: PostgreSQL, missing: str, value: dict[str, str]) -> None:
    done = make_databases(empty, without=missing, **{missing + suffix: text for suffix, text in value.items()})

    with psycopg.connect(empty.url("postgres")) as connection:
        made = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'smartauth%'").fetchall()
    assert made == []
    assert done.returncode != 0
    assert done.stderr


def test_no_list_of_processes_and_no_log_shows_a_password(cluster: PostgreSQL, tmp_path: Path) -> None:
    seen, psql = tmp_path / "seen", tmp_path / "psql"
    psql.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{seen}\nexec {shutil.which("psql")} "$@"\n')
    psql.chmod(0o755)
    with settings(cluster, WRITES_EVERYTHING):
        again = make_databases(cluster, PATH=f"{tmp_path}:{os.environ['PATH']}")  # the roles are there

    log = (cluster.folder / "log").read_text()
    assert again.returncode != 0
    assert b"already exists" in again.stderr
    assert "already exists" in log
    assert "statement: SET log_statement" in log
    assert "parse tree" in log
    for text in (seen.read_text(), log, again.stderr.decode()):
        assert not re.search(r"""it'+s|"\$HOME|`id`""", text)


def test_after_a_restore_by_the_owner_who_serves_has_the_same_rights(
    cluster: PostgreSQL, migrated: Server, tmp_path: Path
) -> None:
    serving = dict(migrated.environment)
    migrated.environment.update({owned: url(cluster, "smartauth_owner", each) for owned, each in DATABASES.items()})
    before = [rights(cluster, database) for database in DATABASES.values()]
    try:
        migrated.manage("backup", str(tmp_path / "backup"))
        migrated.manage("restore", str(tmp_path / "backup"), "--yes", "--with-trail")
    finally:
        migrated.environment.update(serving)

    assert [rights(cluster, database) for database in DATABASES.values()] == before
    assert all(before)


def rights(cluster: PostgreSQL, database: str) -> list[tuple[str, ...]]:
    """What the serving role may do there, with which table, sequence or function, or with the schema.

    Also what everybody may do with a function: that is how PostgreSQL grants it.
    """
    query = """
    SELECT relname::text, acl.privilege_type FROM pg_class, aclexplode(relacl) AS acl
     WHERE acl.grantee = 'smartauth'::regrole AND relnamespace = 'public'::regnamespace
    UNION SELECT proname::text, acl.privilege_type
      FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS acl
     WHERE acl.grantee IN (0, 'smartauth'::regrole) AND pronamespace = 'public'::regnamespace
    UNION SELECT nspname::text, acl.privilege_type FROM pg_namespace, aclexplode(nspacl) AS acl
     WHERE acl.grantee = 'smartauth'::regrole ORDER BY 1, 2
    """
    with psycopg.connect(cluster.url(database)) as connection:
        return connection.execute(query.encode()).fetchall()


def test_neither_role_is_a_superuser_or_makes_others(cluster: PostgreSQL) -> None:
    question = "SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb) FROM pg_roles WHERE rolname LIKE 'smartauth%'"

    with psycopg.connect(cluster.url("postgres")) as connection:
        assert connection.execute(question).fetchone() == (False,)
