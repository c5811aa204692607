"""On PostgreSQL access tokens lie in partitions by expiry."""

from django.db import migrations

from oauth.migrations._by_expiry import ByExpiry

ACCESS_TOKENS = ByExpiry(table="oauth_accesstoken", model="AccessToken", noun="access_token", rows="access tokens")


class Migration(migrations.Migration):
    dependencies = [("oauth", "0018_r4b_and_r5")]
    operations = [migrations.RunPython(ACCESS_TOKENS.split, ACCESS_TOKENS.join)]
