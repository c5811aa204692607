"""Session rows are named by a digest of their key. Sessions that live go on: their cookies keep the key."""

from typing import Any

from django.db import migrations

from accounts.session_store import row_key


def name_rows_by_digest(apps: Any, schema_editor: Any) -> None:
    session, sign_in = apps.get_model("sessions", "Session"), apps.get_model("accounts", "SignIn")
    for old in session.objects.all():
        new = session.objects.create(
            session_key=row_key(old.session_key), session_data=old.session_data, expire_date=old.expire_date
        )
        sign_in.objects.filter(session_id=old.session_key).update(session_id=new.session_key)
        old.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_email_and_login_after"),
        ("sessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(name_rows_by_digest)]
