from django.db import migrations, models


class Migration(migrations.Migration):
    """A model and a field under other names; table and column stay as they are."""

    dependencies = [("accounts", "0006_claims_of_a_profile")]
    operations = [
        migrations.AlterModelTable("failurecount", "accounts_failurecount"),
        migrations.RenameModel("FailureCount", "RateCount"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("ratecount", "failures", "count"),
                migrations.AlterField("ratecount", "count", models.BigIntegerField(db_column="failures")),
            ]
        ),
    ]
