"""openid-client in node: an app that checks everything that OpenID Connect lets it check."""

import json
import subprocess
from typing import Any

import pytest

from tests.clients.conftest import (
    ALGORITHMS,
    ASYMMETRIC,
    BACKEND,
    HERE,
    PUBLIC,
    SECRET,
    SYMMETRIC,
    Clinic,
    private_key,
    right,
)  # fmt: skip
from tests.flows.app import RESOURCE_SERVER, StandaloneLaunch
from tests.npm import install

pytestmark = pytest.mark.clients


def told(clinic: Clinic, client_id: str, **more: Any) -> dict[str, Any]:
    """Runs the app to its end, the person's part too; everything that it was answered."""
    command = ["node", "app.mjs", clinic.about(client_id, resourceServer=RESOURCE_SERVER, **more)]
    folder, pipe = install(HERE / "openid-client"), subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as app:
        assert app.stdin
        assert app.stdout
        assert app.stderr
        line = app.stdout.readline()
        if '"visit"' in line:
            person = StandaloneLaunch(clinic.server)
            address = person.allow(person.browser.get(json.loads(line)["visit"]))
            app.stdin.write(f"{address}\n")
            app.stdin.flush()
            line = app.stdout.readline()
        assert line, app.stderr.read()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.requirement("SD-14", "WF-02", "WF-05")
@pytest.mark.requirement("WF-07", "WF-15", "WF-16")
@pytest.mark.requirement("WF-17", "DS-16", "DS-17")
@pytest.mark.parametrize(
    ("client_id", "proof"),
    [
        (PUBLIC, {}),
        (SYMMETRIC, {"clientSecret": SECRET}),
        *((ASYMMETRIC, {"clientPrivateJwk": private_key(algorithm)}) for algorithm in ALGORITHMS),
    ],
    ids=["public", "symmetric", *ALGORITHMS],
)
def test_an_app_lives_from_discovery_to_its_end(clinic: Clinic, client_id: str, proof: dict[str, Any]) -> None:
    found = told(clinic, client_id, **proof)

    assert right(found["first"])
    assert right(found["second"])
    assert found["second"]["id_token"] != found["first"]["id_token"]  # both were verified there
    assert found["claims"]["fhirUser"] == f"{clinic.base}/Patient/amy"
    assert found["userinfo"]["sub"] == found["claims"]["sub"]
    assert found["patient"]["id"] == "amy"
    assert (found["alive"]["active"], found["alive"]["client_id"]) == (True, client_id)
    assert clinic.is_dead(found["first"]["access_token"])
    assert found["dead"] == {"active": False}
    assert found["refusedRead"]["status"] == 401
    assert (found["refused"]["status"], found["refused"]["error"]) == (400, "invalid_grant")


@pytest.mark.requirement("SD-14", "WF-05", "WF-16")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_backend_service_gets_its_token_without_a_person(clinic: Clinic, algorithm: str) -> None:
    key = private_key(algorithm)

    found = told(clinic, BACKEND, clientPrivateJwk=key, backend=True, scope="system/*.rs")

    assert (found["first"]["scope"], found["first"]["expires_in"]) == ("system/*.rs", 300)
    assert "refresh_token" not in found["first"]
    assert found["patient"]["id"] == "amy"
    assert (found["alive"]["active"], found["alive"]["sub"]) == (True, BACKEND)
    assert found["dead"] == {"active": False}
    assert found["refusedRead"]["status"] == 401
