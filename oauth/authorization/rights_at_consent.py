"""What a client may still have of its request when the user answers: an operator may have changed it meanwhile."""

from oauth.authorization.pending_request import Pending
from oauth.models import Client
from smart.authorize.unvalidated_request import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, REFRESH_TOKEN
from smart.clients.scope_refusal import scope_refusal
from smart.clients.scope_rules import ScopeHolder
from smart.fhir.versions import resource_types
from smart.http.errors import InvalidRequest, UnauthorizedClient
from smart.openid.standard_claims import has_openid
from smart.scopes.scope_sets import grantable_scope, is_within, parse_scopes, scope_string
from smart.tokens.refresh import OFFLINE, ONLINE


def current_scope(pending: Pending) -> str:
    """The scope that may be asked today. Raises the OAuthError that the request would get if it came now."""
    client, request = pending.row.client, pending.request
    if AUTHORIZATION_CODE not in client.grants.split():
        raise UnauthorizedClient("this client may not use the authorization code grant", rule="AZ-01", case="E10")
    if not _reaches_server(pending):
        words, base = "aud is not a FHIR base that this client may use here", pending.row.fhir_server.base
        raise InvalidRequest(words, rule="AZ-08", case="E19", presented=base)
    types = resource_types(request.fhir_version)
    scope = _usable_scope(grantable_scope(request.scope, client.scope, types=types), client)
    if request.openid and not has_openid(scope):
        scope = ""
    if not scope or (client.refuses_unknown_scopes and not is_within(request.scope, scope)):
        grants = frozenset(client.grants.split()) - {CLIENT_CREDENTIALS}
        holder = ScopeHolder(grants, (request.fhir_version,), request.openid)
        raise scope_refusal(request.scope, scope, holder, registered=client.scope)
    return scope


def _reaches_server(pending: Pending) -> bool:
    client, openid = pending.row.client, pending.request.openid
    if openid or client.profile == Client.Profile.OPENID:
        return openid and client.profile == Client.Profile.OPENID
    return client.fhir_servers.filter(pk=pending.row.fhir_server_id).exists()


def _usable_scope(scope: str, client: Client) -> str:
    """No refresh is promised to a client without that grant (SCP-17)."""
    if REFRESH_TOKEN in client.grants.split():
        return scope
    return scope_string(part for part in parse_scopes(scope) if part.short_name not in (OFFLINE, ONLINE))
