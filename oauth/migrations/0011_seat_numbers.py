"""The token that took a seat is found by its number: by the event of the one that lost it, and by the pages that say when.

The index of both replaces that of the seat alone, so issuing writes as many as before.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('oauth', '0010_address_changes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='accesstoken',
            index=models.Index(fields=['seat', 'seat_number'], name='accesstoken_seat_number'),
        ),
        migrations.AlterField(
            model_name='accesstoken',
            name='seat',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to='oauth.seat'),
        ),
    ]
