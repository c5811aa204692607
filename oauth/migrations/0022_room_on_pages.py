"""On PostgreSQL codes and authorizations leave room on their pages, for what is written of each a moment later.

A row that is changed in a column that no index has, and stays on its page, is written into no index.
"""

from typing import Any

from django.db import migrations

FILLFACTORS = {"oauth_code": 80, "oauth_authorization": 80}


def leave_room(apps: Any, schema_editor: Any) -> None:
    """What is there already stays where it is."""
    if schema_editor.connection.vendor == "postgresql":
        for table, fillfactor in FILLFACTORS.items():
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {fillfactor})")


def leave_none(apps: Any, schema_editor: Any) -> None:
    """As PostgreSQL fills pages by itself."""
    if schema_editor.connection.vendor == "postgresql":
        for table in FILLFACTORS:
            schema_editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("oauth", "0021_refresh_tokens_by_expiry")]
    operations = [migrations.RunPython(leave_room, leave_none)]
