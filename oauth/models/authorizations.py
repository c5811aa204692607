"""What people have granted, and what they are being asked."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q

from accounts import clock
from oauth.models.clients import Client
from oauth.models.servers import FhirServer

if TYPE_CHECKING:
    from accounts.models import User


_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def public_reference(row: int) -> str:
    """The public number of a row, written 4-4 such as 2223-7F3K: names it on pages and in events, opens nothing."""
    letters = "".join(_LETTERS[row >> shift & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"


def parse_reference(number: str) -> int | None:
    """The row that a public number names; None for what is no number."""
    letters = number.strip().replace("-", "").upper()
    if len(letters) != 8 or not set(letters) <= set(_LETTERS):
        return None
    return sum(_LETTERS.index(letter) << 5 * place for place, letter in enumerate(reversed(letters)))


def lock_in_pk_order(rows: models.QuerySet[Any]) -> list[Any]:
    """These rows, locked until the transaction ends, the first made first."""
    return list(rows.order_by("pk").select_for_update(of=("self",), no_key=True))


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    def of(self, user: "User") -> Self:
        return self.filter(user=user).select_related("client", "fhir_server")

    def of_sessions(self, session_digests: Iterable[str]) -> Self:
        """Those whose refresh tokens live only while these sessions do (SCP-17)."""
        return self.filter(session_digest__in=list(session_digests))

    def end(self, reason: str, *, now: int) -> int:
        """Every token of these authorizations is dead at the next introspection. Counts those that were not ended.

        Their rows are locked in one order, so that two endings at once never wait for each other in a circle.
        """
        with transaction.atomic():
            standing = self.filter(ended_at=0)
            lock_in_pk_order(standing.select_related(None).only("pk"))
            return standing.update(epoch=F("epoch") + 1, ended_at=now, ended_for=reason)


class Authorization(models.Model):
    """What a person has granted to a client at one FHIR base; codes and tokens belong to it.

    Without a person it is what the operator allows a backend service: one row stands for all its tokens there.

    `auth_time` is when the person had logged in, `use_address` the first address that a resource server told of,
    `used_at` and `used_from` the last use that one told of.

    What a refresh asks again: `asked_scope` as the app asked it, `fhir_user` as whom the person granted it,
    `patient_vouched` (1 = the EHR or the FHIR server vouched for the patient, so no list of ours can take him back),
    and for `online_access` the session it was granted in, by a digest, and when that session ends.
    """

    client = models.ForeignKey(Client, models.CASCADE, related_name="authorizations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="authorizations")
    fhir_server = models.ForeignKey(FhirServer, models.PROTECT, related_name="authorizations")
    patient = models.TextField(default="", blank=True)
    scope = models.TextField()
    asked_scope = models.TextField(default="", blank=True)
    context = models.TextField(default="{}")
    fhir_user = models.TextField(default="", blank=True)
    patient_vouched = models.BigIntegerField(default=0)
    auth_time = models.BigIntegerField(default=0)
    session_digest = models.TextField(default="", blank=True)
    session_ends_at = models.BigIntegerField(default=0)
    epoch = models.BigIntegerField(default=0)
    client_epoch = models.BigIntegerField()
    user_epoch = models.BigIntegerField(default=0)
    granted_at = models.BigIntegerField(default=clock.now)
    ended_at = models.BigIntegerField(default=0)
    ended_for = models.TextField(default="", blank=True)
    token_address = models.TextField(default="", blank=True)
    use_address = models.TextField(null=True)
    used_at = models.BigIntegerField(default=0)
    used_from = models.TextField(default="", blank=True)
    flagged_at = models.BigIntegerField(default=0)

    objects = AuthorizationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["fhir_server", "patient"], name="authorization_patient"),
            models.Index(fields=["-flagged_at", "-id"], name="authorization_flagged"),
            models.Index(fields=["session_digest"], name="authorization_session", condition=~Q(session_digest="")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "fhir_server", "patient", "client_epoch"],
                condition=Q(user__isnull=True, ended_at=0),
                name="one_standing_authorization",
            )
        ]

    def __str__(self) -> str:
        return public_reference(self.pk)


class AddressBlock(models.Model):
    """A token was stopped at another address: before this client gets the next one, the person logs in anew (SD-06)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="address_blocks")
    client = models.ForeignKey(Client, models.CASCADE)
    address = models.TextField()
    blocked_at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "client"], name="one_block_a_person_and_client")]


class RefusalCount(models.Model):
    """Refused requests that resource servers reported of one person, client and FHIR server within a window (SD-05)."""

    client = models.ForeignKey(Client, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE)
    key = models.TextField(unique=True, help_text="client|user|FHIR server, the user 0 for a backend service")
    count = models.BigIntegerField(default=0)
    window_ends_at = models.BigIntegerField(db_index=True)


class Seat(models.Model):
    """Two counters per supersede key: issuing takes the next number of `latest`, a new launch also of `launches`.

    Access tokens live while their number is among the last N of the one, refresh tokens among the last N of the other.
    """

    key = models.TextField(unique=True)
    latest = models.BigIntegerField()
    launches = models.BigIntegerField(default=0)


class Launch(models.Model):
    """A single-use EHR launch handle with its context (EL-02), kept by its digest.

    `patient_vouched` is 1 when the EHR that holds the records says that its user sees this patient.
    """

    digest = models.TextField(unique=True)
    client = models.ForeignKey(Client, models.CASCADE)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    context = models.TextField(default="{}")
    patient_vouched = models.BigIntegerField(default=0)
    created_at = models.BigIntegerField(default=clock.now)
    expires_at = models.BigIntegerField(db_index=True)
    consumed_at = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return public_reference(self.pk)


class PendingRequest(models.Model):
    """A judged authorization request that waits for a person. The browser that brought it holds the cookie."""

    handle_digest = models.TextField(unique=True)
    cookie_digest = models.TextField()
    client = models.ForeignKey(Client, models.CASCADE)
    fhir_server = models.ForeignKey(FhirServer, models.CASCADE)
    request = models.TextField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)
    patient = models.TextField(default="", blank=True)
    encounter = models.TextField(default="", blank=True)
    launch = models.ForeignKey(Launch, models.CASCADE, null=True)
    created_at = models.BigIntegerField(default=clock.now)
    expires_at = models.BigIntegerField(db_index=True)
    answered_at = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return public_reference(self.pk)
