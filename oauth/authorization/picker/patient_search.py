"""Finding patients at a producer's own FHIR server, for practitioners, with a token of ours (`system/Patient.rs`)."""

import json
import logging
import re
import time
from typing import Any

import httpx
from django.db import transaction

from accounts import clock
from oauth.models import AccessToken, Client, FhirServer, PatientRecord
from oauth.people.patient_resources import patient_fields
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.backend_authorization import get_or_create
from oauth.tokens.issue import issue
from smart.digests import sha256_hex
from smart.fhir.id import is_fhir_id

log = logging.getLogger("smartauth.authorize")

CLIENT_ID = "smartauth-picker"
SCOPE = "system/Patient.rs"
COUNT = 20
SECONDS = 5.0
BODY_LIMIT = 1_048_576

_SPECIAL = re.compile(r"([\\,$|])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class SearchFailed(Exception):
    """The FHIR server did not say whom it has."""


def search_patients(server: FhirServer, sought: str) -> list[int]:
    """The rows of those whom the FHIR server finds: kept, so that a choice can be proved. Raises Unanswered."""
    parameter = "birthdate" if _DAY.fullmatch(sought) else "identifier" if sought[-1:].isdigit() else "name"
    try:
        wanted = _SPECIAL.sub(r"\\\1", sought)  # FHIR search, escaping search parameters
        bundle = json.loads(_fetch(server, {parameter: wanted, "_count": str(COUNT)}))
        resources = [entry["resource"] for entry in bundle.get("entry", [])][:COUNT]
        shown = [patient_fields(resource) for resource in resources if resource.get("resourceType") == "Patient"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        log.warning("the patient search of FHIR server %s failed: %s", server.pk, type(error).__name__)
        raise SearchFailed from error
    return [_store(server, each) for each in shown if is_fhir_id(str(each["id"]))]


def _fetch(server: FhirServer, parameters: dict[str, str]) -> bytes:
    """The body of a 200, within the time and size allowed; redirects are not followed."""
    token, deadline = _issue_token(server), time.monotonic() + SECONDS
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/fhir+json", "Accept-Encoding": "identity"}
    try:
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
            client.stream("GET", f"{server.base}/Patient", params=parameters, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise SearchFailed(f"status {response.status_code}")
            return _read_body(response, deadline)
    finally:
        AccessToken.objects.filter(authorization__client__client_id=CLIENT_ID, digest=sha256_hex(token)).update(
            revoked_at=clock.now(), revoked_for="used"
        )


def _read_body(response: httpx.Response, deadline: float) -> bytes:
    body = b""
    for piece in response.iter_raw():
        body += piece
        if len(body) > BODY_LIMIT or time.monotonic() > deadline:
            raise SearchFailed("too long")
    return body


@transaction.atomic
def _issue_token(server: FhirServer) -> str:
    """A token for one search. It belongs to a client of our own, which cannot authenticate and gets nothing else."""
    client = Client.of(CLIENT_ID) or Client.objects.create(
        client_id=CLIENT_ID, name="Patient picker", maker="smartauth", grants="", scope=SCOPE,
        authentication=Client.Authentication.KEYS, supersede=Client.Supersede.OFF,
    )  # fmt: skip
    now = clock.now()
    grant = AuthorizationState.of(get_or_create(client.pk, client.epoch, server.pk, scope=SCOPE, now=now))
    if grant.lost:
        raise SearchFailed(grant.lost)
    return str(issue(grant, now=now, address="")["access_token"])


def _store(server: FhirServer, shown: dict[str, Any]) -> int:
    fields = {name: str(value) for name, value in shown.items() if name not in ("id", "encounters")}
    row, _ = PatientRecord.objects.update_or_create(fhir_server=server, patient=shown["id"], defaults=fields)
    return int(row.pk)
