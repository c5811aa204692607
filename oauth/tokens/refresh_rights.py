"""What the person and the client may still do when the app comes back to refresh (RF-11)."""

from dataclasses import dataclass
from typing import Annotated

from oauth.models import sql
from oauth.tokens.authorization_state import AuthorizationState
from smart.fhir.versions import resource_types
from smart.scopes.scope_sets import grantable_scope
from smart.tokens import refresh

_REACHES_SERVER = """CASE WHEN c.profile = 'openid' THEN s.version = 'none' ELSE
    EXISTS (SELECT 1 FROM oauth_client_fhir_servers m WHERE m.client_id = c.id AND m.fhirserver_id = s.id) END"""
_ACTS_FOR_PATIENT = """EXISTS (SELECT 1 FROM oauth_actsfor f
    JOIN oauth_fhiridentity i ON i.id = f.identity_id
    JOIN oauth_patientrecord p ON p.id = f.record_id
    WHERE i.user_id = a.user_id AND i.fhir_server_id = s.id AND p.fhir_server_id = s.id AND p.patient = a.patient)"""


@dataclass(frozen=True, slots=True)
class RefreshRights:
    """What holds today, to be compared with what was granted."""

    client_scope: Annotated[str, "c.scope"]
    fhir_version: Annotated[str, "s.version"]
    asked_scope: Annotated[str, "a.asked_scope"]
    granted_as: Annotated[str, "a.fhir_user"]
    patient_vouched: Annotated[int, "a.patient_vouched"]
    reaches_server: Annotated[bool, _REACHES_SERVER]
    acts_for_patient: Annotated[bool, _ACTS_FOR_PATIENT]

    @classmethod
    def of(cls, authorization: AuthorizationState) -> "RefreshRights":
        """One read."""
        return sql.get(_RIGHTS, [authorization.pk])

    def allowed_scope(self, authorization: AuthorizationState) -> str:
        """What of the grant the client may still ask for."""
        return grantable_scope(authorization.scope, self.client_scope, types=resource_types(self.fhir_version))

    def refusal(self, authorization: AuthorizationState) -> str:
        """Why nothing may be refreshed any more, or ""."""
        if not self.reaches_server:
            return "the client may no longer reach the FHIR server"
        if not refresh.refresh_scope(self.allowed_scope(authorization)):
            return "the client may no longer have offline_access or online_access"
        if self.granted_as and self.granted_as != authorization.fhir_user:
            return "the person is no longer who granted it"
        if authorization.patient and not (self.patient_vouched or self.acts_for_patient):
            return "the person may no longer act for the patient"
        return ""

    def narrowed_scope(self, authorization: AuthorizationState, requested: str) -> str:
        """The scope of one refresh. Raises InvalidScope."""
        return refresh.narrowed_scope(
            requested,
            self.allowed_scope(authorization),
            granted_scope=authorization.scope,
            asked_scope=self.asked_scope,
            types=resource_types(self.fhir_version),
        )


_RIGHTS = sql.select(
    RefreshRights,
    """
FROM oauth_authorization a
JOIN oauth_client c ON c.id = a.client_id
JOIN oauth_fhirserver s ON s.id = a.fhir_server_id
WHERE a.id = %s
""",
)
