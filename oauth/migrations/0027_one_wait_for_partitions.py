"""On PostgreSQL nobody waits twice behind a partition that is added or dropped.

And one is added also while tokens are issued all the time.
"""

from django.db import migrations

from oauth.migrations._by_expiry import ACCESS_TOKENS, REFRESH_TOKENS


class Migration(migrations.Migration):
    dependencies = [("oauth", "0026_ended_services")]
    operations = [
        migrations.RunPython(tokens.renew_functions, migrations.RunPython.noop)
        for tokens in (ACCESS_TOKENS, REFRESH_TOKENS)
    ]
