"""The outbox (main database) and the trail (audit database): events of the same members, so that shipping is a copy."""

import os

from django.db import models

_ID_BYTES = 16


def new_event_id() -> str:
    return new_event_ids(1)[0]


def new_event_ids(count: int) -> list[str]:
    """So many ids, drawn at random all at once."""
    drawn = os.urandom(count * _ID_BYTES).hex()
    return [drawn[start : start + 2 * _ID_BYTES] for start in range(0, len(drawn), 2 * _ID_BYTES)]


class Event(models.Model):
    """References, ids and addresses; never names, contents, tokens or a jti."""

    event_id = models.TextField(default=new_event_id)
    kind = models.TextField()
    at = models.BigIntegerField()
    client = models.TextField(default="", blank=True)
    person = models.TextField(default="", blank=True)
    fhir_server = models.TextField(default="", blank=True)
    patient = models.TextField(default="", blank=True)
    authorization = models.TextField(default="", blank=True)
    token = models.TextField(default="", blank=True)
    address = models.TextField(default="", blank=True)
    reason = models.TextField(default="", blank=True)
    reference = models.TextField(default="", blank=True)
    operator = models.TextField(default="", blank=True)
    rule = models.TextField(default="", db_default="", blank=True)
    case = models.TextField(default="", db_default="", blank=True)
    presented = models.TextField(default="", db_default="", blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class Outbox(models.Model):
    """What one transaction tells, until it is shipped: written with the changes that it records, and never changed.

    Its events are a list in JSON, as audit.trail makes it, which no database takes apart until somebody reads them.
    """

    at = models.BigIntegerField()  # of its oldest event
    number = models.IntegerField()
    events = models.TextField()

    def __str__(self) -> str:
        return f"{self.number} events"


class OutboxEvent(Event):
    """An event in the outbox: a view, for those who read. Its key says in which row it is, and where there."""

    class Meta(Event.Meta):
        managed = False


class SecurityEvent(Event):
    """One line of the trail."""

    class Meta(Event.Meta):
        # no unique=True: it would add an index for LIKE on PostgreSQL
        constraints = [models.UniqueConstraint(fields=["event_id"], name="securityevent_event_id")]
        indexes = [
            models.Index(fields=["kind", "at"], name="event_kind"),
            models.Index(fields=["client", "at"], name="event_client"),
            models.Index(fields=["person", "at"], name="event_person"),
            models.Index(fields=["token"], name="event_token"),
            models.Index(fields=["at"], name="event_at"),
            models.Index(fields=["authorization"], name="event_authorization"),
            models.Index(fields=["address", "at"], name="event_address"),
            models.Index(fields=["reference"], name="event_reference"),
            models.Index(fields=["operator", "at"], name="event_operator"),
        ]
