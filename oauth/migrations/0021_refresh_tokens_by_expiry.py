"""On PostgreSQL refresh tokens lie in partitions by expiry.

That a token has one successor is then unique within a partition, and follows for all of them from its own row: who
issues the successor has locked it and found it unused.
"""

from django.db import migrations

from oauth.migrations._by_expiry import REFRESH_TOKENS


class Migration(migrations.Migration):
    dependencies = [("oauth", "0020_standing_authorizations_by_client")]
    operations = [migrations.RunPython(REFRESH_TOKENS.split, REFRESH_TOKENS.join)]
