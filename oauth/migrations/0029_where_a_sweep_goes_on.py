"""How far a sweep has come: what it has done before then it need not look at again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oauth", "0028_access_tokens_by_issue")]
    operations = [
        migrations.CreateModel(
            name="SweepProgress",
            fields=[
                ("part", models.TextField(primary_key=True, serialize=False)),
                ("until", models.BigIntegerField()),
            ],
        )
    ]
