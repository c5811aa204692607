"""What people and operators have granted."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from accounts import clock
from oauth.models.clients import Client
from oauth.models.locking import lock_in_pk_order
from oauth.models.references import public_reference
from oauth.models.servers import FhirServer

if TYPE_CHECKING:
    from accounts.models import User


_ZERO = RawSQL("0", [])  # in the text, not as a value: a plan for any value knows of no index of some rows


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    def of(self, user: "User") -> Self:
        return self.filter(user=user).select_related("client", "fhir_server", "user")

    def of_sessions(self, session_digests: Iterable[str]) -> Self:
        """Those whose refresh tokens live only while these sessions do (SCP-17)."""
        return self.filter(session_digest__in=list(session_digests))

    def standing_for_services(self) -> Self:
        """What services are allowed, found by `one_standing_authorization`."""
        return self.filter(user__isnull=True, ended_at=_ZERO)

    def lost_by_services(self) -> Self:
        """What services were allowed until it ended, found by `authorization_lost`."""
        return self.filter(user__isnull=True, ended_at__gt=_ZERO)

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

    What a refresh asks again: `requested_scope` as the app asked it, `fhir_user` as who the user granted it,
    `patient_vouched` (1 = the EHR or the FHIR server vouched for the patient, so no list of ours can take that back),
    and for `online_access` the session it was granted in, by a digest, and when that session ends.
    """

    client = models.ForeignKey(Client, models.CASCADE, related_name="authorizations")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="authorizations", db_index=False
    )
    fhir_server = models.ForeignKey(FhirServer, models.PROTECT, related_name="authorizations")
    patient = models.TextField(default="", blank=True)
    scope = models.TextField()
    requested_scope = models.TextField(default="", blank=True, db_column="asked_scope")
    context = models.TextField(default="{}")
    fhir_user = models.TextField(default="", blank=True)
    patient_vouched = models.BigIntegerField(default=0)
    auth_time = models.BigIntegerField(default=0)
    session_digest = models.TextField(default="", blank=True)
    session_ends_at = models.BigIntegerField(default=0)
    epoch = models.BigIntegerField(default=0)
    client_epoch = models.BigIntegerField()
    user_epoch = models.BigIntegerField(default=0)
    fhir_server_epoch = models.BigIntegerField(default=0)
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
            # not of those without a person: a plan that looks for them here reads those of all services
            models.Index(fields=["user"], name="authorization_person", condition=Q(user__isnull=False)),
            models.Index(fields=["fhir_server", "patient"], name="authorization_patient"),
            models.Index(fields=["-flagged_at", "-id"], name="authorization_flagged"),
            models.Index(fields=["session_digest"], name="authorization_session", condition=~Q(session_digest="")),
            models.Index(
                fields=["ended_at"], name="authorization_lost", condition=Q(ended_at__gt=0, user__isnull=True)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "fhir_server", "patient", "client_epoch", "fhir_server_epoch"],
                condition=Q(user__isnull=True, ended_at=0),
                name="one_standing_authorization",
            )
        ]

    def __str__(self) -> str:
        return public_reference(self.pk)

    def event_fields(self) -> dict[str, str]:
        """The fields of an event that name this authorization."""
        return {
            "client": self.client.client_id,
            "person": self.user.subject if self.user else "",
            "fhir_server": self.fhir_server.base,
            "patient": self.patient,
            "authorization": public_reference(self.pk),
        }
