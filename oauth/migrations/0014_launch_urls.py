"""A client has any number of launch URLs, kept as words like its redirect URIs; one alone is such a list already."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('oauth', '0013_end_a_fhir_server_at_once'),
    ]

    operations = [
        migrations.RenameField(model_name='client', old_name='launch_url', new_name='launch_urls'),
    ]
