"""What the bundled server holds: resources as they were given, and whose compartment each belongs to."""

from collections.abc import Collection
from typing import ClassVar

from django.db import models


class RecordQuerySet(models.QuerySet["Record"]):
    def in_compartments_of(self, patients: Collection[str]) -> "RecordQuerySet":
        """Only what belongs to one of them; nothing at all where the patients themselves are not here (PC-19)."""
        members = Membership.objects.filter(patient__resource_id__in=patients)
        return self.filter(pk__in=members.values("record"))


class Record(models.Model):
    """One resource of one FHIR version; `content` is its JSON, kept to the character."""

    fhir_version = models.TextField()
    type = models.TextField()
    resource_id = models.TextField()
    content = models.TextField()

    objects = RecordQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fhir_version", "type", "resource_id"], name="fhir_record_once")
        ]

    def __str__(self) -> str:
        return f"{self.fhir_version} {self.type}/{self.resource_id}"


class Membership(models.Model):
    """A record lies in the compartment of a patient, which is a record too, of the same version."""

    record = models.ForeignKey(Record, models.CASCADE, related_name="memberships")
    patient = models.ForeignKey(Record, models.CASCADE, related_name="members")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["record", "patient"], name="fhir_membership_once")]

    def __str__(self) -> str:
        return f"{self.record} of {self.patient}"
