"""fhirclient JS in node: a web app of its own, public, with a secret and with keys."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any, Protocol

import httpx
import pytest

from tests.clients.conftest import (
    ALGORITHMS,
    ASYMMETRIC,
    HERE,
    PUBLIC,
    SECRET,
    SYMMETRIC,
    Clinic,
    private_key,
    right,
)  # fmt: skip
from tests.flows.app import StandaloneLaunch, introspect
from tests.npm import install

pytestmark = pytest.mark.clients

UNESCAPED = re.compile(r"code=[\w.~-]+&.*", re.ASCII)  # fhirclient sends the code on as it came


class App:
    """The app under test, asked as its user's browser asks it."""

    def __init__(self, clinic: Clinic, client_id: str, **secrets: Any) -> None:
        folder, told = install(HERE / "fhirclient-js"), clinic.about(client_id, **secrets)
        self.clinic = clinic
        self.process = subprocess.Popen(["node", "app.mjs", told], cwd=folder, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "listening\n"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.clinic.app}{path}", timeout=30)

    def launch(self, username: str = "amy", opened: str = "/launch") -> dict[str, Any]:
        """Through authorize and back by a person who allows; what the app then holds."""
        person = StandaloneLaunch(self.clinic.server, username)
        address = person.allow(person.browser.get(self.get(opened).headers["Location"]))
        back, _, query = address.partition("?")
        assert (back, UNESCAPED.fullmatch(query) is not None) == (f"{self.clinic.app}/callback", True)
        response = httpx.get(address, timeout=30)
        assert response.status_code == 200, response.text
        held: dict[str, Any] = response.json()
        return held


class Run(Protocol):
    def __call__(self, client_id: str, **secrets: Any) -> App: ...


@pytest.fixture
def run(clinic: Clinic) -> Iterator[Run]:
    """Starts an app; it ends with the test."""
    started: list[App] = []

    def start(client_id: str, **secrets: Any) -> App:
        started.append(App(clinic, client_id, **secrets))
        return started[-1]

    yield start
    for app in started:
        app.process.kill()
        app.process.wait(10)


@pytest.mark.requirement("SD-14", "WF-01", "WF-08")
@pytest.mark.requirement("WF-07", "WF-10", "WF-16")
@pytest.mark.parametrize(
    ("client_id", "secrets"), [(PUBLIC, {}), (SYMMETRIC, {"clientSecret": SECRET})], ids=["public", "symmetric"]
)
def test_an_app_lives_from_launch_to_its_end(clinic: Clinic, run: Run, client_id: str, secrets: dict[str, str]) -> None:
    app = run(client_id, **secrets)

    first = app.launch()["token"]
    assert right(first)
    assert app.get("/patient").json()["id"] == "amy"
    second = app.get("/refresh").json()["token"]
    assert right(second)
    assert app.get("/patient").json()["id"] == "amy"
    assert clinic.is_dead(first["access_token"])
    assert introspect(clinic.server, second["access_token"])["client_id"] == client_id

    ended = clinic.revoke(second["refresh_token"], client_id, secrets.get("clientSecret"))
    assert (ended.status_code, ended.content) == (200, b"")
    refused = app.get("/refresh")
    assert (refused.status_code, "invalid_grant" in refused.text) == (400, True)
    assert app.get("/patient").status_code == 401


@pytest.mark.requirement("SD-14", "WF-05")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_app_with_keys_signs_in_and_cannot_refresh_because_it_then_signs_nothing(
    clinic: Clinic, run: Run, algorithm: str
) -> None:
    app = run(ASYMMETRIC, clientPrivateJwk=private_key(algorithm))

    held = app.launch()["token"]
    assert right(held)
    assert app.get("/patient").json()["id"] == "amy"
    refused = app.get("/refresh")
    assert (refused.status_code, "invalid_client" in refused.text) == (401, True)
    assert app.get("/patient").status_code == 200

    assert clinic.revoke(held["refresh_token"], ASYMMETRIC, private_key(algorithm)).status_code == 200
    assert app.get("/patient").status_code == 401


@pytest.mark.requirement("SD-14", "EL-01")
def test_the_ehr_launches_an_app_with_a_secret(clinic: Clinic, run: Run) -> None:
    app = run(SYMMETRIC, clientSecret=SECRET, scope="openid fhirUser launch offline_access patient/*.rs")

    held = app.launch("dr-green", clinic.opened_by_the_ehr(SYMMETRIC).removeprefix(clinic.app))

    assert (held["token"]["patient"], held["token"]["intent"]) == ("dan", "growth")
    assert held["profile"]["fhirUser"] == f"{clinic.base}/Practitioner/dr-green"
    assert app.get("/patient").json()["id"] == "dan"
    assert clinic.revoke(held["token"]["refresh_token"], SYMMETRIC, SECRET).status_code == 200
    assert app.get("/refresh").status_code == 400
    assert app.get("/patient").status_code == 401


@pytest.mark.requirement("WF-17")
def test_an_app_knows_its_user_by_the_id_token(clinic: Clinic, run: Run) -> None:
    app = run(PUBLIC)

    held = app.launch("carol")

    profile = held["profile"]
    assert (profile["iss"], profile["aud"]) == (clinic.issuer, PUBLIC)
    assert profile["fhirUser"] == f"{clinic.base}/RelatedPerson/carol"
    assert held["token"]["patient"] == "dan"
    assert app.get("/user").json()["id"] == "carol"
