"""The outbox has one row for what one transaction tells; its events are a view of them.

Processes of before insert into the view, which takes each event as a row of the outbox. They cannot delete there: what
a worker of before has copied waits for one of today.
"""

from typing import Any

from django.core.management.base import CommandError
from django.db import OperationalError, migrations, models

# after event_id, kind and at, which each event has
TEXTS = (
    "client", "person", "fhir_server", "patient", "authorization", "token", "address", "reason", "reference",
    "operator", "rule", "case", "presented",
)  # fmt: skip
COLUMNS = ("event_id", "kind", "at", *TEXTS)
PLACES = 1_000_000  # more events than any transaction tells


def _listed(pattern: str, names: tuple[str, ...] = COLUMNS) -> str:
    return ", ".join(pattern.format(name=name) for name in names)


EVENTS = {
    "postgresql": f"""
SELECT o.id * {PLACES} + e.ordinality - 1 AS id, e.event_id, e.kind, e.at,
    {_listed('''coalesce(e."{name}", '') AS "{name}"''', TEXTS)}
FROM audit_outbox o CROSS JOIN ROWS FROM (json_to_recordset(o.events::json) AS (
    event_id text, kind text, at bigint, {_listed('"{name}" text', TEXTS)})) WITH ORDINALITY AS e
""",  # noqa: S608  # our own names
    "sqlite": f"""
SELECT o.id * {PLACES} + e.key AS id, {_listed("json_extract(e.value, '$.{name}') AS {name}", COLUMNS[:3])},
    {_listed('''CAST(coalesce(json_extract(e.value, '$.{name}'), '') AS TEXT) AS "{name}"''', TEXTS)}
FROM audit_outbox o, json_each(o.events) e
""",  # noqa: S608  # our own names
}
# What an event says, as the outbox has it: a list of one object, in which nothing is empty. SQLite reads a text out of
# JSON up to the first NUL only; the escape of a backslash stands aside while that of NUL is sought.
ALONE = {
    "postgresql": "json_build_array(json_strip_nulls(json_build_object({members})))::text",
    "sqlite": r"replace(replace(replace(json_array(json_patch('{{}}', json_object({members}))),"
    r" '\\', char(1)), '\u0000', char(65533)), char(1), '\\')",
}
TAKE = {
    "postgresql": """
CREATE FUNCTION audit_outboxevent_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.audit_outbox (at, number, events) VALUES (NEW.at, 1, {alone});
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_outboxevent_insert INSTEAD OF INSERT ON audit_outboxevent
    FOR EACH ROW EXECUTE FUNCTION audit_outboxevent_insert();
""",
    "sqlite": """
CREATE TRIGGER audit_outboxevent_insert INSTEAD OF INSERT ON audit_outboxevent BEGIN
    INSERT INTO audit_outbox (at, number, events) VALUES (NEW.at, 1, {alone});
END
""",
}
# needs less than half the time of PostgreSQL's own method, and is not in every build
HAS_LZ4 = "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
COMPRESS = "ALTER TABLE audit_outbox ALTER events SET COMPRESSION lz4"
# PostgreSQL's autovacuum gives way after a second; longer is no good, for all who record an event wait behind this
PATIENCE = "SET LOCAL lock_timeout = '3s'"
LOCK_NOT_AVAILABLE = "55P03"
GRANTS = """
SELECT format('GRANT %%s ON TABLE %%s TO %%s', a.privilege_type, t.name, coalesce(quote_ident(r.rolname), 'PUBLIC'))
FROM pg_class c CROSS JOIN aclexplode(c.relacl) a CROSS JOIN unnest(%s::text[]) AS t (name)
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.oid = %s::regclass AND a.grantee <> c.relowner
"""


def gather(apps: Any, schema_editor: Any) -> None:
    """What waits moves over, each event in a row of its own. Who writes meanwhile waits."""
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        if vendor == "postgresql" and _value(cursor, HAS_LZ4):
            cursor.execute(COMPRESS)
        grants = _prepare(cursor, vendor, "audit_outboxevent", "audit_outbox", "audit_outboxevent")
        cursor.execute(
            f"INSERT INTO audit_outbox (at, number, events)"  # noqa: S608  # our own texts
            f" SELECT at, 1, {_alone(vendor, 'e')} FROM audit_outboxevent e ORDER BY id"
        )
        cursor.execute("DROP TABLE audit_outboxevent")
        cursor.execute(f"CREATE VIEW audit_outboxevent AS {EVENTS[vendor]}")
        schema = _value(cursor, "SELECT quote_ident(current_schema())") if vendor == "postgresql" else ""
        cursor.execute(TAKE[vendor].format(schema=schema, alone=_alone(vendor, "NEW")))
        for statement in grants:
            cursor.execute(statement)


def part(apps: Any, schema_editor: Any) -> None:
    """Each event has its row again."""
    vendor = schema_editor.connection.vendor
    names = _listed('"{name}"')
    with schema_editor.connection.cursor() as cursor:
        grants = _prepare(cursor, vendor, "audit_outbox", "audit_outboxevent")
        cursor.execute("DROP VIEW audit_outboxevent")  # and its trigger
        if vendor == "postgresql":
            cursor.execute("DROP FUNCTION audit_outboxevent_insert")
        schema_editor.create_model(apps.get_model("audit", "OutboxEvent"))
        cursor.execute(
            f"INSERT INTO audit_outboxevent ({names}) SELECT {names} FROM ({EVENTS[vendor]}) AS e ORDER BY id"  # noqa: S608
        )
        for statement in grants:
            cursor.execute(statement)


def _prepare(cursor: Any, vendor: str, table: str, *later: str) -> list[str]:
    """Nobody writes there from now on. The statements that give the rights on it for those of later, too.

    Raises CommandError if somebody else has the table for too long.
    """
    if vendor != "postgresql":
        return []  # a migration is the only one that writes
    cursor.execute(PATIENCE)
    try:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        what = f"a backup, or another transaction that is open for long, holds {table}"
        raise CommandError(f"audit.0006 has changed nothing: {what}. Try again when it has ended.") from error
    cursor.execute(GRANTS, [list(later), table])
    return [statement for (statement,) in cursor.fetchall()]


def _alone(vendor: str, row: str) -> str:
    members = "'event_id', {row}.event_id, 'kind', {row}.kind, 'at', {row}.at, " + _listed(
        """'{name}', nullif({{row}}."{name}", '')""", TEXTS
    )
    return ALONE[vendor].format(members=members.format(row=row))


def _value(cursor: Any, statement: str) -> Any:
    cursor.execute(statement)
    return cursor.fetchone()[0]


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_no_index_of_ids_in_the_outbox")]
    operations = [
        migrations.CreateModel(
            name="Outbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.BigIntegerField()),
                ("number", models.IntegerField()),
                ("events", models.TextField()),
            ],
        ),
        migrations.RunPython(gather, part),
        migrations.AlterModelOptions(name="outboxevent", options={"managed": False}),
    ]
