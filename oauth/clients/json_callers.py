"""Who calls a JSON endpoint: a confidential client, by Basic or by an assertion among the members of the body."""

import asyncio
import threading

from django.conf import settings
from rest_framework.request import Request

from accounts import clock
from oauth.clients.authentication import authenticate, run_as_client
from oauth.clients.jwks_cache import KeysNotCached
from oauth.http.credentials import ASSERTION_PARAMETERS, AuthenticatedClient, parse_credentials
from oauth.http.failures import count_failure
from oauth.http.json_endpoint import Forbidden
from oauth.http.machine_request import MachineRequest
from oauth.models import FhirServer
from smart.fhir.audience import canonical_url
from smart.http.about_token import ABOUT_TOKEN
from smart.http.errors import InvalidClient, TemporarilyUnavailable
from smart.http.parameters import Parameters

# Of the threads that answer people too only half may wait for the servers of clients, however slow those are.
_may_wait = threading.BoundedSemaphore(max(1, settings.SMARTAUTH_WEB_THREADS // 2))


def authenticate_confidential(request: Request) -> AuthenticatedClient:
    """The confidential client that sent the request. Failures are counted as at the other endpoints (E58)."""
    machine = _machine_request(request)
    try:
        found = _authenticate_and_wait(machine)  # a public client proves nothing by Basic, and has no assertion
    except InvalidClient as error:
        raise count_failure(error, machine) from None
    request._request.META[ABOUT_TOKEN] = {"client_id": found.client_id}
    return found


def _authenticate_and_wait(machine: MachineRequest) -> AuthenticatedClient:
    """The client; while its keys are fetched this thread waits. Raises InvalidClient or TemporarilyUnavailable."""
    try:
        return authenticate(machine)
    except KeysNotCached:
        pass
    if not _may_wait.acquire(blocking=False):
        raise TemporarilyUnavailable("too many clients' keys are being fetched, try again", rule="CL-12")
    try:
        return asyncio.run(run_as_client(machine, lambda client: client))
    finally:
        _may_wait.release()


def has_client_credentials(request: Request) -> bool:
    """Whether a client wants to prove itself, so that no session of a browser counts."""
    return "HTTP_AUTHORIZATION" in request.META or ASSERTION_PARAMETERS[0] in dict(request.data)


def protected_fhir_server(client: AuthenticatedClient, base: str) -> FhirServer:
    """The FHIR base of that URL, one that the caller protects. Raises Forbidden."""
    found = FhirServer.of(canonical_url(base), FhirServer.objects.filter(resource_servers__client=client.pk))
    if found is None:
        raise Forbidden("aud is not a FHIR base that this client protects", presented=base)
    return found


def _machine_request(request: Request) -> MachineRequest:
    """The request as the machines' side knows one: credentials by Basic, or an assertion among the members."""
    header = request.META.get("HTTP_AUTHORIZATION")
    body = {} if header is not None else dict(request.data)
    assertion = [(name, body[name]) for name in ASSERTION_PARAMETERS if isinstance(body.get(name), str)]
    parameters = Parameters(assertion)
    forwarded = {b"x-forwarded-for": request.META.get("HTTP_X_FORWARDED_FOR", "").encode("latin-1", "replace")}
    return MachineRequest(
        path=request.path,
        headers=forwarded,
        peer=request.META.get("REMOTE_ADDR", ""),
        parameters=parameters,
        credentials=parse_credentials(header, parameters),
        now=clock.now(),
    )
