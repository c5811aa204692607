"""fhirclient for Python: finds everything in the CapabilityStatement, proves itself by Basic, and sends PKCE (4.4)."""

from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRUnauthorizedException
from requests import HTTPError

from tests.clients.conftest import (
    ALGORITHMS,
    BACKEND,
    PUBLIC,
    SCOPE,
    SECRET,
    SYMMETRIC,
    Clinic,
    assertion,
    private_key,
)  # fmt: skip
from tests.flows.app import StandaloneLaunch, introspect

pytestmark = pytest.mark.clients


def app_of(base: str, client_id: str, secret: str | None, redirect_uri: str) -> Any:
    """An app as its developer writes it."""
    settings = {
        "api_base": base,
        "app_id": client_id,
        "app_secret": secret,  # None for a public app
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
    }
    return FHIRClient(settings=settings)


def launched(clinic: Clinic, app: Any) -> None:
    """Through authorize and back by amy, who allows."""
    app.prepare()
    person = StandaloneLaunch(clinic.server)
    app.handle_callback(person.allow(person.browser.get(app.authorize_url)))


@pytest.mark.requirement("SD-14", "WF-03", "WF-09")
@pytest.mark.requirement("WF-14", "DS-22")
@pytest.mark.parametrize(
    ("client_id", "secret", "end"), [(PUBLIC, None, "/"), (SYMMETRIC, SECRET, "")], ids=["public", "symmetric"]
)
def test_an_app_lives_from_discovery_to_its_end(clinic: Clinic, client_id: str, secret: str | None, end: str) -> None:
    app = app_of(clinic.base + end, client_id, secret, f"{clinic.app}/callback")
    assert app.desired_scope.split().count("launch/patient") == 2

    launched(clinic, app)
    first = app.server.auth.access_token
    assert app.launch_context["scope"].split().count("launch/patient") == 1
    assert app.patient.id == "amy"
    assert app.reauthorize()
    second, refresh_token = app.server.auth.access_token, app.server.auth.refresh_token
    assert Patient.read("amy", app.server).id == "amy"
    assert clinic.is_dead(first)
    assert introspect(clinic.server, second)["client_id"] == client_id

    assert clinic.revoke(refresh_token, client_id, secret).status_code == 200
    assert clinic.is_dead(second)
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("amy", app.server)
    with pytest.raises(HTTPError, match="400"):
        app.reauthorize()


@pytest.mark.requirement("SD-14", "WF-05", "WF-14")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_backend_service_signs_and_reads_until_its_token_is_ended(clinic: Clinic, algorithm: str) -> None:
    key = private_key(algorithm)
    signed = assertion(clinic, BACKEND, key)["client_assertion"]  # fhirclient takes it as it is
    app = FHIRClient(settings={"app_id": BACKEND, "api_base": clinic.base, "scope": "system/*.rs", "jwt_token": signed})

    app.prepare()
    app.authorize()

    token = app.server.auth.access_token
    assert Patient.read("amy", app.server).id == "amy"
    assert introspect(clinic.server, token)["sub"] == BACKEND
    assert clinic.revoke(token, BACKEND, key).status_code == 200
    assert clinic.is_dead(token)
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("amy", app.server)
