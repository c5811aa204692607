from typing import Any

from django.db import migrations, models

from fhir.store.index import members_of
from fhir.store.labels import is_restricted


def judge(apps: Any, schema_editor: Any) -> None:
    """What is here already: whether it is labelled, and whose a type is that FHIR's compartment leaves out."""
    record, membership = apps.get_model("fhir", "Record"), apps.get_model("fhir", "Membership")
    for one in record.objects.filter(content__contains='"security"').iterator():
        if is_restricted(one.fhir_version, one.content):
            record.objects.filter(pk=one.pk).update(is_restricted=True)
    for one in record.objects.filter(type="Binary").iterator():
        for patient in members_of(one):
            membership.objects.get_or_create(record=one, patient=patient)


class Migration(migrations.Migration):

    dependencies = [
        ("fhir", "0004_write_lock"),
    ]

    operations = [
        migrations.AddField(
            model_name="record",
            name="is_restricted",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(judge, migrations.RunPython.noop, elidable=True),
    ]
