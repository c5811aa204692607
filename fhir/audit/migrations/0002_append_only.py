from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from fhir.audit.append_only import protect, unprotect


def refuse_changes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in protect(schema_editor.connection.vendor):
        schema_editor.execute(statement, None)


def allow_changes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in unprotect(schema_editor.connection.vendor):
        schema_editor.execute(statement, None)


class Migration(migrations.Migration):
    dependencies = [("fhir_audit", "0001_initial")]

    operations = [migrations.RunPython(refuse_changes, allow_changes)]
