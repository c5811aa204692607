"""What the bundled server holds: each version of each resource, and by what it is found."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Record(models.Model):
    """One version of one resource; `content` is its JSON, kept to the character.

    A deletion is a version too. It keeps what was there last: by that it is judged who may hear of it (HV-03, HV-04).
    """

    fhir_version = models.TextField()
    type = models.TextField()
    resource_id = models.TextField()
    number = models.PositiveIntegerField(default=1)
    moment = models.DateTimeField()
    is_current = models.BooleanField(default=True)
    is_deleted = models.BooleanField(default=False)
    is_restricted = models.BooleanField(default=False)  # by a security label: shown with no token
    content = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fhir_version", "type", "resource_id", "number"], name="fhir_record_once"),
            models.UniqueConstraint(
                fields=["fhir_version", "type", "resource_id"],
                condition=Q(is_current=True),
                name="fhir_record_current_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["fhir_version", "type", "id"],
                condition=Q(is_current=True, is_deleted=False, is_restricted=False),
                name="fhir_record_shown",
            ),
            models.Index(fields=["fhir_version", "type", "moment"], name="fhir_record_moment"),
            models.Index(fields=["fhir_version", "-moment", "-id"], name="fhir_record_newest"),
            models.Index(
                fields=["fhir_version", "type", "resource_id"],
                condition=Q(is_current=True, is_restricted=True),
                name="fhir_record_labelled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fhir_version} {self.type}/{self.resource_id} version {self.number}"


class Membership(models.Model):
    """A version that names a patient as the compartment's rules say, whether that patient is here or not.

    What the record says is repeated, so that whose records there are is answered by an index alone.
    """

    record = models.ForeignKey(Record, models.CASCADE, related_name="memberships")
    patient = models.TextField()
    fhir_version = models.TextField()
    type = models.TextField()
    is_here = models.BooleanField()  # the current version, and no deletion

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["patient", "record"], name="fhir_membership_once")]
        indexes: ClassVar = [
            models.Index(fields=["patient", "fhir_version", "type", "record"], name="fhir_membership_of"),
        ]

    def __str__(self) -> str:
        return f"{self.record} of {self.patient}"


class Reference(models.Model):
    """A version refers to a resource, anywhere in its content."""

    record = models.ForeignKey(Record, models.CASCADE, related_name="references")
    type = models.TextField()
    target = models.TextField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["type", "target", "record"], name="fhir_reference_to")]

    def __str__(self) -> str:
        return f"{self.record} to {self.type}/{self.target}"


class WriteLock(models.Model):
    """Held by a transaction that stores a resource only if there is none yet: one at a time for each type."""

    name = models.TextField(primary_key=True)  # such as r4/Observation

    def __str__(self) -> str:
        return self.name


class Value(models.Model):
    """What a version says for a search parameter of its type."""

    record = models.ForeignKey(Record, models.CASCADE, db_index=False)
    parameter = models.TextField()  # such as r4/Observation/code

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.parameter} of {self.record}"


class TokenValue(Value):
    system = models.TextField(null=True)  # no text is one thing, an empty one another
    code = models.TextField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["parameter", "code", "system", "record"], name="fhir_token_code"),
            models.Index(fields=["record", "parameter"], name="fhir_token_record"),
        ]


class StringValue(Value):
    start = models.BinaryField(null=True)  # bytes stand in one order in every database
    folded = models.TextField()
    exact = models.TextField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["parameter", "start", "record"], name="fhir_string_start"),
            models.Index(fields=["record", "parameter"], name="fhir_string_record"),
        ]


class DateValue(Value):
    """From the first to after the last moment that is meant, in microseconds since 1970."""

    low = models.BigIntegerField(null=True)
    high = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["parameter", "low", "high", "record"], name="fhir_date_low"),
            models.Index(fields=["record", "parameter"], name="fhir_date_record"),
        ]


class ReferenceValue(Value):
    type = models.TextField()
    target = models.TextField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["parameter", "target", "type", "record"], name="fhir_reference_target"),
            models.Index(fields=["record", "parameter", "type", "target"], name="fhir_reference_record"),
        ]
