"""The answers that are kept for apps that lost them are found without a look at every refresh token.

On PostgreSQL each partition has the index, the next ones get it from the default one, and nobody waits for it.
"""

from typing import Any

from django.db import migrations, models

from oauth.migrations._index_of_partitions import IndexOfPartitions

KEPT = IndexOfPartitions("oauth_refreshtoken", "USING btree (id) WHERE (kept_answer > ''::text)")


class AddIndexOfPartitions(migrations.AddIndex):
    """Of a table that is one on SQLite, and on PostgreSQL has no index itself."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self._has_table(app_label, schema_editor, to_state):
            KEPT.add(None, schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        elif self._has_table(app_label, schema_editor, from_state):
            KEPT.remove(None, schema_editor)

    def _has_table(self, app_label: str, schema_editor: Any, state: Any) -> bool:
        """The database of the audit trail has not."""
        model = state.apps.get_model(app_label, self.model_name)
        return bool(self.allow_migrate_model(schema_editor.connection.alias, model))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("oauth", "0023_no_token_is_missed_while_it_moves")]
    operations = [
        AddIndexOfPartitions(
            "refreshtoken",
            models.Index(fields=["id"], condition=models.Q(kept_answer__gt=""), name="refreshtoken_kept_answer"),
        )
    ]
