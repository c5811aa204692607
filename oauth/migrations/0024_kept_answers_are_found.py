"""The answers that are kept for apps that lost them are found without a look at every refresh token.

On PostgreSQL each partition has the index, and the next ones get it from the default one.
"""

from typing import Any

from django.db import migrations, models

from oauth.migrations._by_expiry import column

LOCK = "LOCK TABLE oauth_refreshtoken IN SHARE MODE"
PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'oauth_refreshtoken'::regclass ORDER BY inhrelid
"""
INDEXES = """
SELECT x.indexrelid::regclass::text FROM pg_index x JOIN pg_inherits i ON i.inhrelid = x.indrelid
WHERE i.inhparent = 'oauth_refreshtoken'::regclass AND pg_get_expr(x.indpred, x.indrelid) LIKE '%kept_answer%'
ORDER BY x.indrelid
"""


class AddIndexOfPartitions(migrations.AddIndex):
    """Of a table that is one on SQLite, and on PostgreSQL has no index itself."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self._has_table(app_label, schema_editor, to_state):
            schema_editor.execute(LOCK)
            with schema_editor.connection.cursor() as cursor:
                for partition in column(cursor, PARTITIONS):
                    schema_editor.execute(f"CREATE INDEX ON {partition} (id) WHERE kept_answer > ''")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        elif self._has_table(app_label, schema_editor, from_state):
            with schema_editor.connection.cursor() as cursor:
                for index in column(cursor, INDEXES):
                    schema_editor.execute(f"DROP INDEX {index}")

    def _has_table(self, app_label: str, schema_editor: Any, state: Any) -> bool:
        """The database of the audit trail has not."""
        model = state.apps.get_model(app_label, self.model_name)
        return bool(self.allow_migrate_model(schema_editor.connection.alias, model))


class Migration(migrations.Migration):
    dependencies = [("oauth", "0023_no_token_is_missed_while_it_moves")]
    operations = [
        AddIndexOfPartitions(
            "refreshtoken",
            models.Index(fields=["id"], condition=models.Q(kept_answer__gt=""), name="refreshtoken_kept_answer"),
        )
    ]
