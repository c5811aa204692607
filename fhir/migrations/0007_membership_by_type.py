from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery


def repeat_the_record(apps: Any, schema_editor: Any) -> None:
    """What is here already says of its record what the new columns repeat."""
    record = apps.get_model("fhir", "Record").objects.filter(pk=OuterRef("record"))
    membership = apps.get_model("fhir", "Membership").objects
    membership.update(fhir_version=Subquery(record.values("fhir_version")), type=Subquery(record.values("type")))
    membership.filter(record__is_current=True, record__is_deleted=False).update(is_here=True)


class Migration(migrations.Migration):

    dependencies = [
        ("fhir", "0006_newest_and_labelled"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="record", name="fhir_record_page"),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(
                condition=Q(("is_current", True), ("is_deleted", False), ("is_restricted", False)),
                fields=["fhir_version", "type", "id"],
                name="fhir_record_shown",
            ),
        ),
        migrations.RemoveIndex(model_name="reference", name="fhir_reference_to"),
        migrations.AddIndex(
            model_name="reference",
            index=models.Index(fields=["type", "target", "record"], name="fhir_reference_to"),
        ),
        migrations.RemoveIndex(model_name="referencevalue", name="fhir_reference_record"),
        migrations.AddIndex(
            model_name="referencevalue",
            index=models.Index(fields=["record", "parameter", "type", "target"], name="fhir_reference_record"),
        ),
        migrations.AddField("membership", "fhir_version", models.TextField(default=""), preserve_default=False),
        migrations.AddField("membership", "type", models.TextField(default=""), preserve_default=False),
        migrations.AddField("membership", "is_here", models.BooleanField(default=False), preserve_default=False),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["patient", "fhir_version", "type", "record"], name="fhir_membership_of"),
        ),
        migrations.RunPython(repeat_the_record, migrations.RunPython.noop, elidable=True),
    ]
