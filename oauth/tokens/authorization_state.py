"""What an authorization allows at this moment: one read, from which everything about its next token follows."""

from typing import Annotated, NamedTuple

from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.models import public_reference, sql
from oauth.models.clients import keeps_secrets
from smart.tokens import address_binding, liveness, refresh
from smart.tokens.liveness import Dead

_REACHES_SERVER = "CASE WHEN c.profile = 'openid' THEN s.version = 'none' ELSE n.client_id IS NOT NULL END"
# It counts: of EXISTS in a list of many rows PostgreSQL reads the whole tables before the first one.
_MAY_HAVE_PATIENT = """CASE WHEN a.patient = '' OR a.patient_vouched = 1 THEN true ELSE
    (SELECT count(*) FROM oauth_patientrecord p JOIN oauth_actsfor f ON f.record_id = p.id AND f.identity_id = i.id
        WHERE p.fhir_server_id = s.id AND p.patient = a.patient) > 0 END"""

ENDED = "the authorization has ended"
_IN_WORDS = {
    Dead.ENDED: ENDED,
    Dead.CLIENT_DISABLED: "the client's access has ended",
    Dead.CLIENT_ENDED: "the client's access has ended",
    Dead.PERSON_SUSPENDED: "the person's access has ended",
    Dead.PERSON_ENDED: "the person's access has ended",
    Dead.FHIR_SERVER_ENDED: "access at the FHIR server has ended",
}


class AuthorizationState(NamedTuple):
    """What an authorization allows at this moment, and everything that decides whether it still does.

    Each field stands beside its SQL: a is the authorization, c its client, s its FHIR server, n that the client is
    registered for it, u its user, i who that user is there, k the key that signs access tokens, r the key that signs ID
    tokens, read for those alone that may have one. A person may have the patient if there is none, if the EHR has
    vouched, or if they act for the patient.
    """

    pk: Annotated[int, "a.id"]
    epoch: Annotated[int, "a.epoch"]
    scope: Annotated[str, "a.scope"]
    context: Annotated[str, "a.context"]
    patient: Annotated[str, "a.patient"]
    ended_at: Annotated[int, "a.ended_at"]
    ended_for: Annotated[str, "a.ended_for"]
    granted_client_epoch: Annotated[int, "a.client_epoch"]
    granted_user_epoch: Annotated[int, "a.user_epoch"]
    granted_fhir_server_epoch: Annotated[int, "a.fhir_server_epoch"]
    session_ends_at: Annotated[int, "a.session_ends_at"]
    client_pk: Annotated[int, "c.id"]
    client_id: Annotated[str, "c.client_id"]
    client_epoch: Annotated[int, "c.epoch"]
    client_enabled: Annotated[int, "c.enabled"]
    grants: Annotated[str, "c.grants"]
    supersede: Annotated[str, "c.supersede"]
    tokens_to_keep: Annotated[int, "c.tokens_to_keep"]
    client_token_seconds: Annotated[int, "c.access_token_seconds"]
    refresh_token_seconds: Annotated[int, "c.refresh_token_seconds"]
    authentication: Annotated[str, "c.authentication"]
    application_type: Annotated[str, "c.application_type"]
    fhir_server_pk: Annotated[int, "s.id"]
    base: Annotated[str, "s.base"]
    fhir_server_epoch: Annotated[int, "s.epoch"]
    server_token_seconds: Annotated[int, "s.access_token_seconds"]
    token_format: Annotated[str, "s.token_format"]
    user_pk: Annotated[int, "COALESCE(u.id, 0)"]
    subject: Annotated[str, "COALESCE(u.subject, '')"]
    user_epoch: Annotated[int, "COALESCE(u.epoch, 0)"]
    user_suspended_at: Annotated[int, "COALESCE(u.stopped_at, 0)"]
    fhir_user: Annotated[str, "COALESCE(i.resource, '')"]
    signing_kid: Annotated[str | None, "k.kid"]
    signing_key: Annotated[str, "k.private_encrypted"]
    signing_algorithm: Annotated[str, "s.signing_algorithm"]
    token_address: Annotated[str, "a.token_address"]
    server_address_policy: Annotated[str, "s.address_policy"]
    client_address_policy: Annotated[str, "c.address_policy"]
    auth_time: Annotated[int, "a.auth_time"]
    id_token_kid: Annotated[str | None, "r.kid"]
    id_token_key: Annotated[str, "r.private_encrypted"]
    claim_profile: Annotated[str, "s.claim_profile"]
    claim_mapping: Annotated[str, "s.claim_mapping"]
    v1_equivalents: Annotated[int, "s.v1_equivalents"]
    fits_profile: Annotated[int, "CASE WHEN (c.profile = 'openid') = (s.version = 'none') THEN 1 ELSE 0 END"]
    client_scope: Annotated[str, "c.scope"]
    fhir_version: Annotated[str, "s.version"]
    requested_scope: Annotated[str, "a.asked_scope"]
    granted_fhir_user: Annotated[str, "a.fhir_user"]
    client_reaches_server: Annotated[bool, _REACHES_SERVER]
    may_have_patient: Annotated[bool, _MAY_HAVE_PATIENT]

    @classmethod
    def of(cls, pk: int) -> "AuthorizationState":
        """The authorization as it is now; read after the row that is consumed is locked."""
        return sql.get(_STATE, [pk])

    def event(self, kind: EventKind, *, at: int, address: str = "", token: str = "", reason: str = "") -> Event:
        """An event about this authorization."""
        return Event(
            kind=kind,
            at=at,
            client=self.client_id,
            person=self.subject,
            fhir_server=self.base,
            patient=self.patient,
            authorization=public_reference(self.pk),
            token=token,
            address=address,
            reason=reason,
        )

    def record_event(self, kind: EventKind, *, at: int, address: str, reason: str = "") -> None:
        """Writes one event about this authorization."""
        record_events(self.event(kind, at=at, address=address, reason=reason))

    @property
    def _dead_reason(self) -> Dead | None:
        return liveness.unusable_reason(
            has_ended=self.ended_at != 0,
            user_epochs=(self.granted_user_epoch, self.user_epoch),
            client_epochs=(self.granted_client_epoch, self.client_epoch),
            fhir_server_epochs=(self.granted_fhir_server_epoch, self.fhir_server_epoch),
            client_enabled=self.client_enabled,
            user_suspended_at=self.user_suspended_at,
        )

    @property
    def unusable_reason(self) -> str:
        """Why nothing may be issued any more, in words for the trail, or ""."""
        reason = self._dead_reason
        if reason is not None:
            return _IN_WORDS[reason]
        return "" if self.fits_profile else "the client has another profile than when it was granted"

    def unusable_reason_under(self, epoch: int) -> str:
        """Why nothing may be issued for what was issued under that epoch, or "": it ended, or the authorization did."""
        return self.unusable_reason or (ENDED if epoch != self.epoch else "")

    @property
    def unusable_rule(self) -> str:
        """The line of the specification that `unusable_reason_under` is about."""
        return liveness.RULES[self._dead_reason or Dead.ENDED].rule

    @property
    def address_policy(self) -> str:
        """What happens when the token moves to another address (PR-03)."""
        return address_binding.strictest_policy(self.server_address_policy, self.client_address_policy)

    @property
    def fhir_user_url(self) -> str:
        """Who the person is at the FHIR server, as `fhirUser` tells it (ID-03); "" for nobody."""
        return f"{self.base}/{self.fhir_user}" if self.fhir_user else ""

    @property
    def refresh_kind(self) -> str:
        """offline_access or online_access where the app gets refresh tokens, else "" (CG-07)."""
        return refresh.refresh_scope(self.scope) if "refresh_token" in self.grants.split() else ""

    @property
    def keeps_secrets(self) -> bool:
        """Whether the app has a place that others cannot read (RF-07)."""
        return keeps_secrets(self.authentication, self.application_type)


PERSON_AND_KEYS = """
LEFT JOIN accounts_user u ON u.id = a.user_id
LEFT JOIN oauth_fhiridentity i ON i.user_id = a.user_id AND i.fhir_server_id = a.fhir_server_id
LEFT JOIN oauth_signingkey k ON k.algorithm = s.signing_algorithm AND k.state = 'active'
LEFT JOIN oauth_signingkey r
    ON r.algorithm = CASE WHEN a.scope LIKE '%%openid%%' THEN 'RS256' END AND r.state = 'active'
"""
CLIENT_AND_SERVER = """
JOIN oauth_client c ON c.id = a.client_id
JOIN oauth_fhirserver s ON s.id = a.fhir_server_id
"""
STATE_OF_AUTHORIZATION = f"""
{CLIENT_AND_SERVER}
LEFT JOIN oauth_client_fhir_servers n ON n.client_id = c.id AND n.fhirserver_id = s.id
{PERSON_AND_KEYS}
"""
_STATE = sql.select(
    AuthorizationState,
    f"FROM oauth_authorization a {STATE_OF_AUTHORIZATION} WHERE a.id = %s",
)
