"""Authorizations without a person leave the index of persons: found there, those of all services are read for one.

On PostgreSQL nobody waits for it: neither index is made or dropped under a lock that others meet. What was broken off
begins again.
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models, transaction

PERSONS = ("authorization_person", "(user_id) WHERE user_id IS NOT NULL")
EVERYBODY = ("oauth_authorization_user_id_01703288", "(user_id)")  # as Django names it


def leave_out(apps: Any, schema_editor: Any) -> None:
    """Those without a person stand in it no more."""
    _replace(schema_editor.connection, EVERYBODY, PERSONS)


def take_in(apps: Any, schema_editor: Any) -> None:
    """Back to the index of all."""
    _replace(schema_editor.connection, PERSONS, EVERYBODY)


def _replace(connection: Any, old: tuple[str, str], new: tuple[str, str]) -> None:
    if connection.vendor == "postgresql":
        _run(connection, old, new, "CONCURRENTLY")
    else:
        with transaction.atomic(using=connection.alias):
            _run(connection, old, new)


def _run(connection: Any, old: tuple[str, str], new: tuple[str, str], how: str = "") -> None:
    name, columns = new
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {how} IF EXISTS {name}")  # one that was broken off serves nobody
        cursor.execute(f"CREATE INDEX {how} {name} ON oauth_authorization {columns}")
        cursor.execute(f"DROP INDEX {how} IF EXISTS {old[0]}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("oauth", "0019_access_tokens_by_expiry"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(leave_out, take_in)],
            [
                migrations.AlterField(
                    model_name="authorization",
                    name="user",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="authorizations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddIndex(
                    model_name="authorization",
                    index=models.Index(
                        condition=models.Q(("user__isnull", False)), fields=["user"], name="authorization_person"
                    ),
                ),
            ],
        )
    ]
