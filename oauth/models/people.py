"""Who a user is on a FHIR server, and which patients they may act for."""

from django.conf import settings
from django.db import models

from oauth.models.servers import FhirServer


class FhirIdentity(models.Model):
    """Which Patient, Practitioner, RelatedPerson or Person somebody is on a FHIR server (`fhirUser`)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="identities")
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE, related_name="identities")
    resource = models.TextField("fhirUser", help_text="such as Patient/amy")

    class Meta:
        verbose_name = "FHIR identity"
        verbose_name_plural = "FHIR identities"
        constraints = [models.UniqueConstraint(fields=["user", "fhir_server"], name="one_identity_a_server")]

    def __str__(self) -> str:
        return self.resource


class PatientRecord(models.Model):
    """What the picker shows of a patient at a FHIR server."""

    fhir_server = models.ForeignKey(FhirServer, models.CASCADE, related_name="patients")
    patient = models.TextField("FHIR id")
    name = models.TextField(default="", blank=True)
    sex = models.TextField(default="", blank=True)
    birth_date = models.TextField(default="", blank=True, help_text="2017-05-04")
    record_number = models.TextField(default="", blank=True)
    died = models.TextField(default="", blank=True, help_text="a year, if dead")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fhir_server", "patient"], name="one_record_a_patient")]

    def __str__(self) -> str:
        return self.name or self.patient


class EncounterRecord(models.Model):
    """What the picker shows of a visit of a patient: launch/encounter tells the app its FHIR id."""

    record = models.ForeignKey(PatientRecord, models.CASCADE, related_name="encounters")
    encounter = models.TextField("FHIR id")
    kind = models.TextField(default="", blank=True)
    day = models.TextField(default="", blank=True, help_text="2026-11-03")
    place = models.TextField(default="", blank=True)

    class Meta:
        verbose_name = "encounter"
        constraints = [models.UniqueConstraint(fields=["record", "encounter"], name="one_record_an_encounter")]

    def __str__(self) -> str:
        return self.kind or self.encounter


class ActsFor(models.Model):
    """That a user may share the record of a patient: their own, or one they act for."""

    identity = models.ForeignKey(FhirIdentity, models.CASCADE, related_name="acts_for")
    record = models.ForeignKey(PatientRecord, models.CASCADE, related_name="acted_for_by")

    class Meta:
        verbose_name = "patient acted for"
        verbose_name_plural = "patients acted for"
        constraints = [models.UniqueConstraint(fields=["identity", "record"], name="acts_for_once")]
