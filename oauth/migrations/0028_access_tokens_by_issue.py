"""On PostgreSQL access tokens are found by when they were issued, so that addresses are forgotten without a look at all.

They lie in that order. So it takes a line for each 32 pages and not one for each row, and no look-up of a token can take
it: that names no moment of issue. The next partitions get it from the default one.
"""

from typing import Any

from django.db import migrations

from oauth.migrations._by_expiry import column

LOCK = "LOCK TABLE oauth_accesstoken IN SHARE MODE"
PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'oauth_accesstoken'::regclass ORDER BY inhrelid
"""
INDEXES = """
SELECT x.indexrelid::regclass::text FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid
JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE i.inhparent = 'oauth_accesstoken'::regclass AND m.amname = 'brin' ORDER BY x.indrelid
"""


def add(apps: Any, schema_editor: Any) -> None:
    """In each partition."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(LOCK)
        for partition in column(cursor, PARTITIONS):
            cursor.execute(
                f"CREATE INDEX ON {partition} USING brin (issued_at) WITH (pages_per_range = 32, autosummarize = on)"
            )


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        for index in column(cursor, INDEXES):
            cursor.execute(f"DROP INDEX {index}")


class Migration(migrations.Migration):
    dependencies = [("oauth", "0027_one_wait_for_partitions")]
    operations = [migrations.RunPython(add, remove)]
