"""On PostgreSQL a token is found also while its row moves from the default partition into a new one."""

from django.db import migrations

from oauth.migrations._by_expiry import ACCESS_TOKENS, REFRESH_TOKENS


class Migration(migrations.Migration):
    dependencies = [("oauth", "0022_room_on_pages")]
    operations = [
        migrations.RunPython(tokens.renew_functions, migrations.RunPython.noop)
        for tokens in (ACCESS_TOKENS, REFRESH_TOKENS)
    ]
