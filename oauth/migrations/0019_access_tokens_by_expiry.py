"""On PostgreSQL access tokens lie in partitions by expiry."""

from django.db import migrations

from oauth.migrations._by_expiry import ACCESS_TOKENS


class Migration(migrations.Migration):
    dependencies = [("oauth", "0018_r4b_and_r5")]
    operations = [migrations.RunPython(ACCESS_TOKENS.split, ACCESS_TOKENS.join)]
