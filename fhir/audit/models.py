"""What waits in the main database, and the records in the audit database, where nothing changes any more (SD-10)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class WaitingEvent(models.Model):
    """One access or refusal, in the transaction of what it tells about, until it is shipped.

    `facts` holds references, ids and addresses; never tokens, names, search values or contents.
    """

    event_id = models.TextField()
    at = models.BigIntegerField(db_default=0)  # microseconds; 0 where an earlier release wrote it
    ready_at = models.BigIntegerField(default=0)  # what is counted waits for the end of its window
    count = models.IntegerField(default=1)
    failures = models.IntegerField(db_default=0)  # how often no record could be made of it: it is set aside meanwhile
    facts = models.TextField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["event_id"], name="fhir_audit_waiting_once")]

    def __str__(self) -> str:
        return self.event_id


class Entry(models.Model):
    """An AuditEvent or a Provenance in the form of its FHIR version."""

    fhir_version = models.TextField()
    type = models.TextField()
    resource_id = models.TextField()
    moment = models.DateTimeField()
    content = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fhir_version", "type", "resource_id"], name="fhir_audit_entry_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["fhir_version", "type", "id"], name="fhir_audit_entry_page"),
            models.Index(fields=["fhir_version", "type", "moment"], name="fhir_audit_entry_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.fhir_version} {self.type}/{self.resource_id}"


class Value(models.Model):
    """What an entry says for a search parameter; the columns are those of the four tables beside the records."""

    record = models.ForeignKey(Entry, models.CASCADE, db_index=False)
    parameter = models.TextField()  # such as r4/AuditEvent/outcome
    system = models.TextField(null=True)
    code = models.TextField(null=True)
    start = models.BinaryField(null=True)
    folded = models.TextField(null=True)
    exact = models.TextField(null=True)
    low = models.BigIntegerField(null=True)
    high = models.BigIntegerField(null=True)
    type = models.TextField(null=True)
    target = models.TextField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["parameter", "code", "record"], condition=Q(code__isnull=False), name="fhir_audit_code"
            ),
            models.Index(
                fields=["parameter", "start", "record"], condition=Q(start__isnull=False), name="fhir_audit_start"
            ),
            models.Index(
                fields=["parameter", "low", "high", "record"], condition=Q(low__isnull=False), name="fhir_audit_low"
            ),
            models.Index(
                fields=["parameter", "target", "record"], condition=Q(target__isnull=False), name="fhir_audit_target"
            ),
            models.Index(fields=["record", "parameter"], name="fhir_audit_of_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.parameter} of {self.record}"


# by the names that fhir/search/conditions.py asks for
TokenValue = StringValue = DateValue = ReferenceValue = Value
