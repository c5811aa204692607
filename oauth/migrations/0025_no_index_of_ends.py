"""On PostgreSQL no partition of tokens has an index on expires_at alone.

A look-up names a token and between which moments it expires, which says in which partition it is. A plan that was made
for a partition without rows could take that index there, and read all that ends within the bounds once it has filled.
"""

from typing import Any

from django.db import migrations

from oauth.migrations._by_expiry import column

TABLES = ("oauth_accesstoken", "oauth_refreshtoken")
INDEXES = """
SELECT x.indexrelid::regclass::text FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid
JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attname = 'expires_at'
WHERE i.inhparent = %s::regclass AND x.indkey::text = a.attnum::text ORDER BY x.indrelid
"""


def drop(apps: Any, schema_editor: Any) -> None:
    """The next partitions have the indexes of the default one."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            for index in column(cursor, INDEXES, table):
                cursor.execute(f"DROP INDEX {index}")


class Migration(migrations.Migration):
    dependencies = [("oauth", "0024_kept_answers_are_found")]
    operations = [migrations.RunPython(drop, migrations.RunPython.noop)]
