from django.db import migrations, models


class Migration(migrations.Migration):
    """A model and fields under other names; tables and columns stay as they are."""

    dependencies = [("oauth", "0014_launch_urls")]
    operations = [
        migrations.AlterModelTable("resourceserver", "oauth_resourceserver"),
        migrations.RenameModel("ResourceServer", "ResourceServerRole"),
        migrations.AlterModelOptions("resourceserverrole", {"verbose_name": "resource server"}),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("authorization", "asked_scope", "requested_scope"),
                migrations.RenameField("seat", "latest", "latest_number"),
                migrations.RenameField("seat", "launches", "latest_launch"),
                migrations.RenameField("refreshtoken", "launch", "launch_number"),
                migrations.AlterField(
                    "authorization",
                    "requested_scope",
                    models.TextField(default="", blank=True, db_column="asked_scope"),
                ),
                migrations.AlterField("seat", "latest_number", models.BigIntegerField(db_column="latest")),
                migrations.AlterField(
                    "seat", "latest_launch", models.BigIntegerField(default=0, db_column="launches")
                ),
                migrations.AlterField(
                    "refreshtoken", "launch_number", models.BigIntegerField(default=0, db_column="launch")
                ),
            ]
        ),
    ]
