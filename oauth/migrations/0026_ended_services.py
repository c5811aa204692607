"""What services were allowed and lost is found without a look at all authorizations: they have no code to find it by.

On PostgreSQL nobody waits for it. What was broken off begins again.
"""

from typing import Any

from django.db import migrations, models

NAME = "authorization_lost"


def add(apps: Any, schema_editor: Any) -> None:
    """Beside what is written meanwhile."""
    how = "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {how} IF EXISTS {NAME}")  # one that was broken off serves nobody
        cursor.execute(
            f"CREATE INDEX {how} {NAME} ON oauth_authorization (ended_at) WHERE ended_at > 0 AND user_id IS NULL"
        )


def remove(apps: Any, schema_editor: Any) -> None:
    how = "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {how} IF EXISTS {NAME}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("oauth", "0025_no_index_of_ends")]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(add, remove)],
            [
                migrations.AddIndex(
                    "authorization",
                    models.Index(
                        fields=["ended_at"], condition=models.Q(ended_at__gt=0, user__isnull=True), name=NAME
                    ),
                )
            ],
        )
    ]
