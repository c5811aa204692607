"""client_credentials (SMART Backend Services): a client asks for itself, and no person is in it."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from django.db import transaction

from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import Client, sql
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.backend_authorization import Epochs, get_or_create
from oauth.tokens.issue import issue_without_refresh
from oauth.tokens.unheard_commit import remember_attempt, unheard_answer
from smart.http.errors import TemporarilyUnavailable
from smart.http.parameters import Parameters
from smart.remembered import remembered
from smart.tokens.client_credentials import BackendGrant, BackendService, validate_grant


class BackendRow(NamedTuple):
    """The client (c), a FHIR base that it may use (s), and the authorization under which it uses that (a).

    One row a base, and one more where it has an authorization there for a patient and one without.
    """

    authentication: Annotated[str, "c.authentication"]
    scope: Annotated[str, "c.scope"]
    backend_patient: Annotated[str, "c.backend_patient"]
    backend_by_secret: Annotated[int, "c.backend_by_secret"]
    profile: Annotated[str, "c.profile"]
    refuses_unknown_scopes: Annotated[int, "c.refuses_unknown_scopes"]
    client_epoch: Annotated[int, "c.epoch"]
    fhir_server_epoch: Annotated[int, "s.epoch"]
    fhir_server_pk: Annotated[int | None, "s.id"]
    base: Annotated[str, "s.base"]
    version: Annotated[str, "s.version"]
    authorization_pk: Annotated[int | None, "a.id"]
    patient: Annotated[str, "a.patient"]
    allowed_scope: Annotated[str, "a.scope"]
    use_address: Annotated[str, "COALESCE(a.use_address, '')"]


class Registered(NamedTuple):
    """What the operator has registered, as `BackendService` takes it but for the bases, which a dictionary makes."""

    authentication: str
    scope: str
    bases: tuple[tuple[str, str], ...]
    patient: str
    by_secret: bool
    fhir: bool
    refuses_unknown_scopes: bool


# the authorization under which a client works for itself, as the index one_standing_authorization has it
STANDING = """a.client_id = c.id AND a.fhir_server_id = s.id AND a.client_epoch = c.epoch
    AND a.fhir_server_epoch = s.epoch AND a.user_id IS NULL AND a.ended_at = 0"""
_BACKEND_ROWS = sql.select(
    BackendRow,
    f"""
FROM oauth_client c
LEFT JOIN oauth_client_fhir_servers n ON n.client_id = c.id
LEFT JOIN oauth_fhirserver s ON s.id = n.fhirserver_id
LEFT JOIN oauth_authorization a ON {STANDING}
WHERE c.id = %s
""",
)


def client_credentials(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse:
    """RFC 6749 §4.4 with SMART's rules. Raises the OAuthErrors of E95 to E98."""
    if unheard := unheard_answer(request):
        return unheard
    with transaction.atomic():
        authorization, scope = authorize_client(client.pk, request.parameters, now=request.now)
        answer = issue_without_refresh(authorization, scope, now=request.now, address=request.address)
        return remember_attempt(request, answer)


@transaction.atomic
def issue_for_client(client: int, parameters: Parameters, *, now: int, address: str) -> dict[str, Any]:
    """The token answer for a client that has proved itself."""
    authorization, scope = authorize_client(client, parameters, now=now)
    return issue_without_refresh(authorization, scope, now=now, address=address)


def authorize_client(client: int, parameters: Parameters, *, now: int) -> tuple[AuthorizationState, str]:
    """The authorization of a client that has proved itself, and the scope that its request is granted."""
    rows = sql.many(_BACKEND_ROWS, [client])
    granted = granted_access(parameters, rows)
    authorization = AuthorizationState.of(_authorization_pk(client, rows, granted, now=now))
    if reason := authorization.unusable_reason:  # since the client was read, an operator has ended something
        words, rule = "access of this client is just being ended", authorization.unusable_rule
        raise TemporarilyUnavailable(words, event_reason=reason, rule=rule)
    return authorization, granted.scope


def granted_access(parameters: Parameters, rows: Sequence[BackendRow]) -> BackendGrant:
    """What the request gets of what the operator has registered. Raises the OAuthErrors of E95 to E98."""
    client = rows[0]
    registered = Registered(
        authentication=client.authentication,
        scope=client.scope,
        bases=tuple((row.base, row.version) for row in rows if row.base),
        patient=client.backend_patient,
        by_secret=bool(client.backend_by_secret),
        fhir=client.profile == Client.Profile.SMART,
        refuses_unknown_scopes=bool(client.refuses_unknown_scopes),
    )
    get = parameters.get
    return _access(get("scope", ""), get("aud", ""), get("resource", ""), registered)


@remembered
def _access(scope: str, aud: str, resource: str, registered: Registered) -> BackendGrant:
    asked = Parameters([("scope", scope), ("aud", aud), ("resource", resource)])
    return validate_grant(asked, BackendService(**{**registered._asdict(), "bases": dict(registered.bases)}))


def is_current(row: BackendRow, granted: BackendGrant) -> bool:
    """Whether this authorization is what the request needs: none has to be made or brought up to date."""
    is_same = (row.base, row.patient, row.allowed_scope) == (granted.base, granted.patient, granted.allowed)
    return is_same and row.authorization_pk is not None and not row.use_address


def _authorization_pk(client: int, rows: Sequence[BackendRow], granted: BackendGrant, *, now: int) -> int:
    """The authorization that this token belongs to, made or brought up to date where it has to be."""
    at_base = [row for row in rows if row.base == granted.base]
    for row in at_base:
        if row.authorization_pk and is_current(row, granted):
            return row.authorization_pk
    server, epochs = at_base[0].fhir_server_pk or 0, Epochs(at_base[0].client_epoch, at_base[0].fhir_server_epoch)
    return get_or_create(client, server, epochs, patient=granted.patient, scope=granted.allowed, now=now)
