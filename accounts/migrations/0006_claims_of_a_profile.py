from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0005_suspended"),
    ]

    operations = [
        migrations.AddField("user", "given_name", models.CharField(blank=True, default="", max_length=200), preserve_default=False),
        migrations.AddField("user", "family_name", models.CharField(blank=True, default="", max_length=200), preserve_default=False),
        migrations.AddField("user", "locale", models.CharField(blank=True, default="", max_length=35), preserve_default=False),
        migrations.AddField("user", "updated_at", models.BigIntegerField(default=0, editable=False)),
        migrations.AlterField("user", "updated_at", models.BigIntegerField(default=accounts.clock.now, editable=False)),
    ]
