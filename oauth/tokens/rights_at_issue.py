"""What client and user may do today of what was granted: asked at the code exchange and at every refresh (RF-11)."""

from oauth.tokens.authorization_state import AuthorizationState
from smart.fhir.versions import resource_types
from smart.remembered import remembered
from smart.scopes.scope_sets import grantable_scope
from smart.tokens import refresh


def allowed_scope(authorization: AuthorizationState) -> str:
    """What of the grant the client may still ask for."""
    return _grantable(authorization.scope, authorization.client_scope, authorization.fhir_version)


@remembered
def _grantable(scope: str, client_scope: str, version: str) -> str:
    return grantable_scope(scope, client_scope, types=resource_types(version))


def refusal_reason(authorization: AuthorizationState) -> str:
    """Why nothing may be issued under this authorization today, or ""."""
    if not authorization.client_reaches_server:
        return "the client may no longer reach the FHIR server"
    if authorization.granted_fhir_user and authorization.granted_fhir_user != authorization.fhir_user:
        return "the person is no longer who granted it"
    if not authorization.may_have_patient:
        return "the person may no longer act for the patient"
    if not allowed_scope(authorization):
        return "the client may no longer have any of the scopes"
    return ""


def refresh_refusal_reason(authorization: AuthorizationState) -> str:
    """Why nothing may be refreshed today, or ""."""
    if reason := refusal_reason(authorization):
        return reason
    if not refresh.refresh_scope(allowed_scope(authorization)):
        return "the client may no longer have offline_access or online_access"
    return ""


def refreshed_scope(authorization: AuthorizationState, requested: str) -> str:
    """The scope of one refresh. Raises InvalidScope."""
    return refresh.narrowed_scope(
        requested,
        allowed_scope(authorization),
        granted_scope=authorization.scope,
        requested_scope=authorization.requested_scope,
        types=resource_types(authorization.fhir_version),
    )
