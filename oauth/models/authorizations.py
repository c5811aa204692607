"""What people have granted, and what they are being asked."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F

from accounts import clock
from oauth.models.clients import Client
from oauth.models.servers import FhirServer

if TYPE_CHECKING:
    from accounts.models import User


_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def numbered(row: int) -> str:
    """The public number of a row, written 4-4 such as 2223-7F3K: names it on pages and in events, opens nothing."""
    letters = "".join(_LETTERS[row >> shift & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    def of(self, user: "User") -> Self:
        return self.filter(user=user).select_related("client", "fhir_server")

    def end(self, reason: str, *, now: int) -> int:
        """Every token of these authorizations is dead at the next introspection. Counts those that were not ended."""
        return self.filter(ended_at=0).update(epoch=F("epoch") + 1, ended_at=now, ended_for=reason)


class Authorization(models.Model):
    """What a person has granted to a client at one FHIR base; codes and tokens belong to it."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="authorizations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="authorizations")
    fhir_server = models.ForeignKey(FhirServer, models.PROTECT, related_name="authorizations")
    patient = models.TextField(default="", blank=True)
    scope = models.TextField()
    context = models.TextField(default="{}")
    epoch = models.BigIntegerField(default=0)
    client_epoch = models.BigIntegerField()
    user_epoch = models.BigIntegerField(default=0)
    granted_at = models.BigIntegerField(default=clock.now)
    ended_at = models.BigIntegerField(default=0)
    ended_for = models.TextField(default="", blank=True)
    token_address = models.TextField(default="", blank=True)
    use_address = models.TextField(null=True)
    flagged_at = models.BigIntegerField(default=0)

    objects = AuthorizationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["fhir_server", "patient"], name="authorization_patient")]

    def __str__(self) -> str:
        return numbered(self.pk)


class Seat(models.Model):
    """A counter per supersede key: issuing takes the next number, and only the last N numbers are live."""

    key = models.TextField(unique=True)
    latest = models.BigIntegerField()


class PendingRequest(models.Model):
    """A judged authorization request that waits for a person. The browser that brought it holds the cookie."""

    handle_digest = models.TextField(unique=True)
    cookie_digest = models.TextField()
    client = models.ForeignKey(Client, models.CASCADE)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE)
    request = models.TextField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)
    patient = models.TextField(default="", blank=True)
    created_at = models.BigIntegerField(default=clock.now)
    expires_at = models.BigIntegerField(db_index=True)
    answered_at = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return numbered(self.pk)


class Launch(models.Model):
    """A single-use EHR launch handle with its context."""

    digest = models.TextField(unique=True)
    client = models.ForeignKey(Client, models.CASCADE)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    context = models.TextField(default="{}")
    created_at = models.BigIntegerField(default=clock.now)
    expires_at = models.BigIntegerField()
    consumed_at = models.BigIntegerField(default=0)
