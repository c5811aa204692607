"""What was stored before there were versions is the first version of each resource, and is found by the index."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations

from fhir.store.index import write_index
from fhir.store.versions import with_version

BATCH = 200


class Tables:
    """The models as they are at this migration."""

    def __init__(self, apps: Apps) -> None:
        self._apps = apps

    def Membership(self, *, record: Any, patient: str, **later: Any) -> Any:  # noqa: N802  # the model's name
        """Without the columns that 0007 adds, and fills."""
        return self._apps.get_model("fhir", "Membership")(record=record, patient=patient)

    def __getattr__(self, name: str) -> Any:
        return self._apps.get_model("fhir", name)


def index(apps: Apps, schema_editor: Any) -> None:
    tables, after = Tables(apps), 0
    while records := list(tables.Record.objects.filter(pk__gt=after).order_by("pk")[:BATCH]):
        for record in records:
            record.content = with_version(record.content, record.number, record.moment)
        tables.Record.objects.bulk_update(records, ["content"])
        write_index(records, tables)
        after = records[-1].pk


class Migration(migrations.Migration):
    dependencies = [("fhir", "0002_versions_and_index")]
    operations = [migrations.RunPython(index, migrations.RunPython.noop)]
