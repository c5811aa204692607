"""The token endpoint (RFC 6749 §3.2): one plain function per grant, each with one transaction."""

from collections.abc import Awaitable, Callable

from django.conf import settings

from oauth.clients.authentication import write_as_client
from oauth.http.credentials import AUTHENTICATION_FAILED, NO_CREDENTIALS, AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.http.writer_pool import writer_pool
from oauth.tokens.allowed_method import is_allowed_method
from oauth.tokens.authorization_code import authorization_code
from oauth.tokens.client_credentials import client_credentials
from oauth.tokens.gathered_client_credentials import gathered_client_credentials
from oauth.tokens.gathered_exchange import gathered_exchange
from oauth.tokens.gathered_refresh import gathered_refresh
from oauth.tokens.refresh_token import refresh_token
from oauth.tokens.unnamed_client import credentials_of_holder
from smart.http.errors import InvalidClient, OAuthError, UnauthorizedClient, UnsupportedGrantType

BY_BASIC = "here a secret is taken by HTTP Basic (client_secret_basic), not in the body"

# A refusal that has consequences is returned by a grant, so that they are committed with it; any other is raised.
GRANTS: dict[str, Callable[[MachineRequest, AuthenticatedClient], MachineResponse | OAuthError]] = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    "client_credentials": client_credentials,
}

# The same, together with others that wait: where a request is plain, and on PostgreSQL.
GATHERED: dict[str, Callable[[MachineRequest], Awaitable[MachineResponse | None]]] = {
    "authorization_code": gathered_exchange,
    "refresh_token": gathered_refresh,
    "client_credentials": gathered_client_credentials,
}


async def token(request: MachineRequest) -> MachineResponse:
    """RFC 6749 §3.2. Raises the OAuthError of the bad input (E44 to E98)."""
    if request.credentials == NO_CREDENTIALS:
        request.credentials = await writer_pool.run(lambda: credentials_of_holder(request))
    try:
        gathered = GATHERED.get(request.parameters.get("grant_type", ""))
        if gathered and (answer := await gathered(request)):
            return answer
        return await write_as_client(request, lambda client: _run_grant(request, client))
    except InvalidClient as error:
        raise _with_advice(error, request) from None


def _with_advice(error: InvalidClient, request: MachineRequest) -> InvalidClient:
    """Who sent a secret in the body hears which way is taken here, whether it was right or not (CL-02, CL-03)."""
    if not request.credentials.in_body or settings.SMARTAUTH_TOKEN_SECRET_IN_BODY:
        return error
    return InvalidClient(f"{error.description}; {BY_BASIC}", event_reason=error.event_reason, **error.why)


def _run_grant(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse:
    _require_allowed_method(request, client)
    answer = GRANTS[_allowed_grant_type(request, client)](request, client)
    if isinstance(answer, OAuthError):
        raise answer
    return answer


def _allowed_grant_type(request: MachineRequest, client: AuthenticatedClient) -> str:
    grant_type = request.required("grant_type", rule="TK-01", case="E46", expected=", ".join(GRANTS))
    if grant_type not in GRANTS:
        raise UnsupportedGrantType(
            "this server does not know that grant_type",
            rule="AZ-01",
            case="E47",
            presented=grant_type,
            expected=", ".join(GRANTS),
        )
    if grant_type not in client.grants:
        raise UnauthorizedClient(
            "this client may not use that grant_type",
            rule="RG-09",
            case="E48",
            presented=grant_type,
            expected=", ".join(sorted(client.grants)),
        )
    return grant_type


def _require_allowed_method(request: MachineRequest, client: AuthenticatedClient) -> None:
    if not is_allowed_method(request, client):
        event_reason = "client_secret in the body is switched off at the token endpoint"
        raise InvalidClient(AUTHENTICATION_FAILED, event_reason=event_reason, rule="CL-02", case="E56")
