"""The outbox (main database) and the trail (audit database): the same columns, so that shipping is a copy."""

import secrets

from django.db import models


def new_event_id() -> str:
    return secrets.token_hex(16)


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
        # no unique=True: it would add an index for LIKE on PostgreSQL, which every event pays for
        constraints = [models.UniqueConstraint(fields=["event_id"], name="%(class)s_event_id")]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class OutboxEvent(Event):
    """An event in the transaction of the change it records, until it is shipped."""


class SecurityEvent(Event):
    """One line of the trail."""

    class Meta(Event.Meta):
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
