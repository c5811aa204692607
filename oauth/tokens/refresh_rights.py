"""What the person and the client may still do when the app comes back to refresh (RF-11)."""

from dataclasses import dataclass

from django.db import connection

from oauth.tokens.authorization_state import AuthorizationState
from smart.fhir.versions import resource_types
from smart.scopes.scope_sets import grantable_scope
from smart.tokens import refresh

_RIGHTS = """
SELECT c.scope, s.version, a.asked_scope, a.fhir_user, a.patient_vouched,
    CASE WHEN c.profile = 'openid' THEN s.version = 'none' ELSE
        EXISTS (SELECT 1 FROM oauth_client_fhir_servers m WHERE m.client_id = c.id AND m.fhirserver_id = s.id) END,
    EXISTS (SELECT 1 FROM oauth_actsfor f
        JOIN oauth_fhiridentity i ON i.id = f.identity_id
        JOIN oauth_patientrecord p ON p.id = f.record_id
        WHERE i.user_id = a.user_id AND i.fhir_server_id = s.id AND p.fhir_server_id = s.id AND p.patient = a.patient)
FROM oauth_authorization a
JOIN oauth_client c ON c.id = a.client_id
JOIN oauth_fhirserver s ON s.id = a.fhir_server_id
WHERE a.id = %s
"""


@dataclass(frozen=True, slots=True)
class RefreshRights:
    """What was granted, beside what holds today."""

    grant: AuthorizationState
    client_scope: str
    fhir_version: str
    asked_scope: str
    granted_as: str
    patient_vouched: int
    reaches_server: bool
    acts_for_patient: bool

    @classmethod
    def of(cls, grant: AuthorizationState) -> "RefreshRights":
        with connection.cursor() as cursor:
            cursor.execute(_RIGHTS, [grant.authorization_id])
            return cls(grant, *cursor.fetchone())

    @property
    def types(self) -> frozenset[str]:
        return resource_types(self.fhir_version)

    @property
    def held(self) -> str:
        """What of the grant the client may still ask for."""
        return grantable_scope(self.grant.scope, self.client_scope, types=self.types)

    @property
    def lost(self) -> str:
        """Why nothing may be refreshed any more, or ""."""
        if not self.reaches_server:
            return "the client may no longer reach the FHIR server"
        if not refresh.refresh_scope(self.held):
            return "the client may no longer have offline_access or online_access"
        if self.granted_as and self.granted_as != self.grant.fhir_user:
            return "the person is no longer who granted it"
        if self.grant.patient and not (self.patient_vouched or self.acts_for_patient):
            return "the person may no longer act for the patient"
        return ""

    def narrowed(self, requested: str) -> str:
        """The scope of one refresh. Raises InvalidScope."""
        return refresh.narrowed_scope(
            requested,
            self.held,
            granted_scope=self.grant.scope,
            asked_scope=self.asked_scope,
            types=self.types,
        )
