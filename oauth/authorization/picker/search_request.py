"""One search at a producer's FHIR server, with a token of our own that is good for nothing else (BK-06)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from django.conf import settings
from django.db import transaction

from accounts import clock
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.ending.tokens import END_BY_DIGEST, end_token
from oauth.models import Client, FhirServer
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.backend_authorization import Epochs, get_or_create
from oauth.tokens.issue import issue
from smart.digests import sha256_hex
from smart.http.outgoing_tls import outgoing_tls

CLIENT_ID = "smartauth-picker"
SCOPE = "system/Patient.rs"
SECONDS = 5.0
BODY_LIMIT = 1_048_576
ACCEPT = "application/fhir+json, application/json+fhir;q=0.9"  # the second one is DSTU2's
HEADERS = {"Accept": ACCEPT, "Accept-Encoding": "identity"}


class SearchFailed(Exception):
    """The FHIR server did not answer the search."""


def fetch_patients(server: FhirServer, parameters: dict[str, str]) -> bytes:
    """The body of a 200, within the time and size allowed; redirects are not followed. Raises SearchFailed."""
    deadline, tls = time.monotonic() + SECONDS, outgoing_tls(settings.SMARTAUTH_CA_FILE)
    with _token(server) as token:
        headers = {"Authorization": f"Bearer {token}", **HEADERS}
        with (
            httpx.Client(verify=tls, trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
            client.stream("GET", f"{server.base}/Patient", params=parameters, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise SearchFailed(f"status {response.status_code}")
            return _read_body(response, deadline)


def _read_body(response: httpx.Response, deadline: float) -> bytes:
    body = b""
    for piece in response.iter_raw():
        body += piece
        if len(body) > BODY_LIMIT or time.monotonic() > deadline:
            raise SearchFailed("too long")
    return body


@contextmanager
def _token(server: FhirServer) -> Iterator[str]:
    """A token that lives while the search does."""
    token = _issue_token(server)
    try:
        yield token
    finally:
        with transaction.atomic():
            end_token(END_BY_DIGEST, [sha256_hex(token)], Actor(now=clock.now(), client_id=CLIENT_ID), EndedFor.USED)


@transaction.atomic
def _issue_token(server: FhirServer) -> str:
    """It belongs to a client of our own, which cannot authenticate and gets nothing else."""
    client = Client.of(CLIENT_ID) or Client.objects.create(
        client_id=CLIENT_ID,
        name="Patient picker",
        maker="smartauth",
        grants="",
        scope=SCOPE,
        authentication=Client.Authentication.KEYS,
        supersede=Client.Supersede.OFF,
    )
    now = clock.now()
    epochs = Epochs(client.epoch, server.epoch)
    authorization = AuthorizationState.of(get_or_create(client.pk, server.pk, epochs, patient="", scope=SCOPE, now=now))
    if authorization.unusable_reason:
        raise SearchFailed(authorization.unusable_reason)
    return str(issue(authorization, now=now, address="")["access_token"])
