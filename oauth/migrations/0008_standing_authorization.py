from django.db import migrations, models

# the search for patients could make two at the same moment; the older one stands
_END_DOUBLES = """
UPDATE oauth_authorization SET epoch = epoch + 1, ended_at = granted_at, ended_for = 'operator'
WHERE user_id IS NULL AND ended_at = 0 AND id NOT IN (
    SELECT min(id) FROM oauth_authorization WHERE user_id IS NULL AND ended_at = 0
    GROUP BY client_id, fhir_server_id, patient, client_epoch
)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('oauth', '0007_withdrawn_keys'),
    ]

    operations = [
        migrations.RunSQL(_END_DOUBLES, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='authorization',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', 0), ('user__isnull', True)), fields=('client', 'fhir_server', 'patient', 'client_epoch'), name='one_standing_authorization'),
        ),
    ]
