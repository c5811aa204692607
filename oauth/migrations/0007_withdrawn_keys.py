from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("oauth", "0006_every_kind_of_client"),
    ]

    operations = [
        migrations.AddField(
            model_name="signingkey",
            name="withdrawn_at",
            field=models.BigIntegerField(default=0),
        ),
    ]
