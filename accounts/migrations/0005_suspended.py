from django.db import migrations, models


class Migration(migrations.Migration):
    """Fields under other names; their columns stay as they are."""

    dependencies = [("accounts", "0004_digests_of_session_keys")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("user", "stopped_at", "suspended_at"),
                migrations.RenameField("user", "stopped_for", "suspended_for"),
                migrations.AlterField(
                    "user",
                    "suspended_at",
                    models.BigIntegerField(default=0, editable=False, db_column="stopped_at"),
                ),
                migrations.AlterField(
                    "user",
                    "suspended_for",
                    models.TextField(default="", blank=True, editable=False, db_column="stopped_for"),
                ),
            ]
        )
    ]
