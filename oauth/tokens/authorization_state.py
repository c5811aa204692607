"""What an authorization allows at this moment: read once, and everything about its next token follows from it."""

from dataclasses import dataclass

from django.db import connection

from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.models import Client, public_reference
from oauth.models.clients import keeps_secrets
from smart.fhir.fhir_user import is_practitioner
from smart.tokens import address_binding, refresh

# Everything that decides about an authorization's next token, read after the row that is consumed is locked.
_FACTS = """
SELECT a.id, a.epoch, a.scope, a.context, a.patient, a.ended_at, a.client_epoch, a.user_epoch, a.session_ends_at,
    c.id, c.client_id, c.epoch, c.enabled, c.grants, c.supersede, c.tokens_to_keep, c.access_token_seconds,
    c.refresh_token_seconds, c.authentication, c.application_type,
    s.id, s.base, s.access_token_seconds, s.token_format,
    COALESCE(u.id, 0), COALESCE(u.subject, ''), COALESCE(u.epoch, 0), COALESCE(u.stopped_at, 0),
    COALESCE(i.resource, ''), k.kid, k.private_encrypted, s.signing_algorithm,
    a.token_address, s.address_policy, c.address_policy,
    a.auth_time, r.kid, r.private_encrypted, s.claim_profile, s.claim_mapping, s.v1_equivalents,
    CASE WHEN (c.profile = 'openid') = (s.version = 'none') THEN 1 ELSE 0 END
FROM oauth_authorization a
JOIN oauth_client c ON c.id = a.client_id
JOIN oauth_fhirserver s ON s.id = a.fhir_server_id
LEFT JOIN accounts_user u ON u.id = a.user_id
LEFT JOIN oauth_fhiridentity i ON i.user_id = a.user_id AND i.fhir_server_id = a.fhir_server_id
LEFT JOIN oauth_signingkey k ON k.algorithm = s.signing_algorithm AND k.state = 'active'
LEFT JOIN oauth_signingkey r ON r.algorithm = 'RS256' AND r.state = 'active' AND a.scope LIKE '%%openid%%'
WHERE a.id = %s
"""


@dataclass(frozen=True, slots=True)
class AuthorizationState:
    """What an authorization allows at this moment, and everything that decides whether it still does."""

    authorization_id: int
    authorization_epoch: int
    scope: str
    context: str
    patient: str
    ended_at: int
    granted_client_epoch: int
    granted_user_epoch: int
    session_ends_at: int
    client_pk: int
    client_id: str
    client_epoch: int
    client_enabled: int
    grants: str
    supersede: str
    tokens_to_keep: int
    client_seconds: int
    client_refresh_seconds: int
    authentication: str
    application_type: str
    fhir_server_pk: int
    base: str
    server_seconds: int
    token_format: str
    user_pk: int
    subject: str
    user_epoch: int
    user_stopped_at: int
    fhir_user: str
    kid: str | None
    private_encrypted: str
    algorithm: str
    token_address: str
    server_address_policy: str
    client_address_policy: str
    auth_time: int
    id_token_kid: str | None
    id_token_key: str
    claim_profile: str
    claim_mapping: str
    v1_equivalents: int
    fits_profile: int

    @classmethod
    def of(cls, authorization_id: int) -> "AuthorizationState":
        """The grant of an authorization, in one statement."""
        with connection.cursor() as cursor:
            cursor.execute(_FACTS, [authorization_id])
            return cls(*cursor.fetchone())

    def event(self, kind: EventKind, *, at: int, address: str = "", token: str = "", reason: str = "") -> Event:
        """An event about this grant."""
        return Event(
            kind=kind,
            at=at,
            client=self.client_id,
            person=self.subject,
            fhir_server=self.base,
            patient=self.patient,
            authorization=public_reference(self.authorization_id),
            token=token,
            address=address,
            reason=reason,
        )

    def record(self, kind: EventKind, *, at: int, address: str = "", reason: str = "") -> None:
        """Writes one event about this grant."""
        record(self.event(kind, at=at, address=address, reason=reason))

    @property
    def lost(self) -> str:
        """Why nothing may be issued any more, or ""."""
        if self.ended_at:
            return "the authorization has ended"
        if self.granted_client_epoch != self.client_epoch or not self.client_enabled:
            return "the client's access has ended"
        if self.granted_user_epoch != self.user_epoch or self.user_stopped_at:
            return "the person's access has ended"
        if not self.fits_profile:
            return "the client has another profile than when it was granted"
        return ""

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
        return keeps_secrets(self.authentication, self.application_type)

    @property
    def policy(self) -> Client.Supersede:
        """The client's supersede policy; the default one depends on who launched, if anybody did (PR-01, BK-07)."""
        chosen = Client.Supersede(self.supersede)
        if chosen != Client.Supersede.BY_PERSON:
            return chosen
        if not self.user_pk:
            return Client.Supersede.CLIENT
        by_practitioner = is_practitioner(self.fhir_user)
        return Client.Supersede.USER_CLIENT_PATIENT if by_practitioner else Client.Supersede.USER_CLIENT

    @property
    def seat_key(self) -> str:
        """The supersede key of that policy; "" when nothing supersedes."""
        policy, server = self.policy, self.fhir_server_pk
        keys = {
            Client.Supersede.USER_CLIENT: f"{self.client_pk}|{self.user_pk}|{server}",
            Client.Supersede.USER_CLIENT_PATIENT: f"{self.client_pk}|{self.user_pk}|{server}|{self.patient}",
            Client.Supersede.GRANT: f"{self.authorization_id}",
            Client.Supersede.CLIENT: f"{self.client_pk}|{server}",
        }
        return f"{policy}|{keys[policy]}" if policy in keys else ""
