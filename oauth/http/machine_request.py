"""A request of a machine, read and parsed before anybody judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Unpack

from django.conf import settings

from accounts import clock
from oauth.http.asgi import Scope
from oauth.http.credentials import ASSERTION_PARAMETERS, AuthenticatedClient, Credentials, parse_credentials
from oauth.http.machine_response import MachineResponse
from smart.clients.assertions import Assertion
from smart.explanation import Why
from smart.http import addresses, strict_json
from smart.http.errors import InvalidRequest
from smart.http.media_types import FORM, JSON
from smart.http.parameters import MalformedParameters, Parameters

NEVER_IN_QUERY = frozenset({"client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "token"})


_FORM = FORM.encode()


class Attempt(NamedTuple):
    """An answer that was ready when its transaction was to be committed, and the digest of its access token."""

    digest: str
    answer: MachineResponse


@dataclass(slots=True)
class MachineRequest:
    """One request of a machine, parsed: its parameters, what it presented, where it came from, and when.

    `token_claims` is JSON: what this server says of the token that was asked about, once it was looked up. `members`
    are those of a JSON body, which only the endpoints of decisions take. `attempt` is what was tried before.
    `assertion` is the one that it brought, once it was read; `assertion_tried` says that it was about to be used up
    when that failed.
    """

    path: str
    headers: dict[bytes, bytes]
    peer: str
    parameters: Parameters
    credentials: Credentials
    now: int
    client: AuthenticatedClient | None = None
    token_claims: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)
    attempt: Attempt | None = None
    assertion: Assertion | None = None
    assertion_tried: bool = False

    @property
    def address(self) -> str:
        """The caller's address, through the proxies that are trusted (PR-05)."""
        forwarded = self.headers.get(b"x-forwarded-for", b"").decode("latin-1")
        return addresses.caller_address(self.peer, forwarded, settings.SMARTAUTH_TRUSTED_PROXIES)

    def required(self, name: str, **why: Unpack[Why]) -> str:
        """The parameter, or InvalidRequest, explained so, if it is missing, empty or repeated."""
        try:
            return self.parameters[name]
        except KeyError:
            raise InvalidRequest(f"{name} is missing", **why) from None


def parse_request(scope: Scope, headers: dict[bytes, bytes], body: bytes) -> MachineRequest:
    """The request. Raises InvalidRequest or InvalidClient where it does not have the form of one."""
    return _request(scope, headers, _parse_parameters(headers, scope["query_string"], body))


def parse_json_request(scope: Scope, headers: dict[bytes, bytes], body: bytes) -> MachineRequest:
    """The same of a JSON object; credentials that are no header stand in it as an assertion (AuthZEN §10.1)."""
    members = _parse_members(headers, body)
    sent = [(name, value) for name in ASSERTION_PARAMETERS if isinstance(value := members.get(name), str)]
    request = _request(scope, headers, Parameters(sent))
    request.members = members
    return request


def _request(scope: Scope, headers: dict[bytes, bytes], parameters: Parameters) -> MachineRequest:
    presented = parse_credentials(_authorization_header(headers, scope["headers"]), parameters)
    peer = scope["client"][0] if scope.get("client") else ""
    return MachineRequest(scope["path"], headers, peer, parameters, presented, clock.now())


def _parse_members(headers: dict[bytes, bytes], body: bytes) -> dict[str, Any]:
    """What the body says. Another media type is 400 here, as AuthZEN's certification asks (§10.1.2)."""
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type != JSON.encode():
        presented = media_type.decode("latin-1") or "no content type"
        raise InvalidRequest(f"the body must be {JSON}", rule="SD-27", presented=presented, expected=JSON)
    try:
        members = strict_json.loads(body.decode())
    except strict_json.DuplicateMember:
        raise InvalidRequest("a member of the body was sent twice", rule="SD-27") from None
    except ValueError:
        raise InvalidRequest("the body is not JSON in UTF-8", rule="SD-27") from None
    if not isinstance(members, dict):
        raise InvalidRequest("the body must be a JSON object", rule="SD-27")
    return members


def headers_by_name(lines: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers, those that were sent in several lines joined in order (RFC 9110 §5.3)."""
    headers = dict(lines)
    if len(headers) == len(lines):
        return headers
    joined: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        joined.setdefault(name, []).append(value)
    return {name: b", ".join(values) for name, values in joined.items()}


def _parse_parameters(headers: dict[bytes, bytes], query: bytes, body: bytes) -> Parameters:
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type != _FORM:
        presented = media_type.decode("latin-1") or "no content type"
        raise InvalidRequest(f"the body must be {FORM}", rule="TK-01", case="E45", presented=presented, expected=FORM)
    try:
        if query and not NEVER_IN_QUERY.isdisjoint(Parameters.parse(query)):
            raise InvalidRequest(
                "credentials, codes and tokens belong in the body, never in the URL", rule="TK-01", case="E45"
            )
        parameters = Parameters.parse(body)
    except MalformedParameters as error:
        raise InvalidRequest(f"the request is malformed: {error}", rule="TK-01", case="E45") from None
    if parameters.repeated:
        raise InvalidRequest(f"{min(parameters.repeated)} was sent twice", rule="TK-08", case="E49")
    return parameters


def _authorization_header(headers: dict[bytes, bytes], lines: list[tuple[bytes, bytes]]) -> str | None:
    found = headers.get(b"authorization")
    if found is None:
        return None
    if b"," in found and sum(name == b"authorization" for name, _ in lines) > 1:  # they are joined by a comma
        raise InvalidRequest("the Authorization header was sent twice", rule="CL-01", case="E54")
    return found.decode("latin-1")
