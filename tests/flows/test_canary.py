"""Whole flows with planted secrets and names; then everything that was written down is searched for them (SD-11)."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from tests.flows.app import RESOURCE_SERVER, StandaloneLaunch, introspect, read, revoke
from tests.running import Server
from tests.tables import rows
from tests.waiting import wait_until

USERNAME, PASSWORD, WRONG = "canary-user-5121", "canary-password-8834", "canary-guess-3307"
NAME, PATIENT_NAME, FAMILY = "Canaria Planted", "Quillon Planted", "Zephyrine"
PATIENT, OBSERVATION, STRANGER = "canary-patient-6642", "canary-observation-7753", "canary-stranger-9921"
SECRET, SEARCHED, STATE = "canary-secret-1448-" + "x" * 20, "canary-search-2259", "canary-state-4416"
ELSEWHERE = f"https://{STATE}@elsewhere.example/?state={STATE}#{STATE}"  # an event tells its host and path (AZ-25)
ADDRESS = "203.0.113.77"
SEED = f"""
people:
  - username: {USERNAME}
    name: {NAME}
    password: {PASSWORD}
    identities:
      - {{fhir_server: "{{issuer}}/fhir/r4", fhir_user: Patient/{PATIENT}, acts_for: [{PATIENT}]}}
fhir_servers:
  - base: "{{issuer}}/fhir/r4"
    name: Harbour Clinic
    patients: [{{id: {PATIENT}, name: {PATIENT_NAME}}}]
clients:
  - client_id: canary-app
    name: Canary
    authentication: secret
    secret: {SECRET}
    scope: launch/patient patient/*.rs
    fhir_servers: ["{{issuer}}/fhir/r4"]
    redirect_uris: ["http://127.0.0.1:4999/cb"]
"""
RECORDS = [
    {"resourceType": "Patient", "id": PATIENT, "name": [{"family": FAMILY}]},
    {
        "resourceType": "Observation", "id": OBSERVATION, "status": "final", "code": {"text": FAMILY},
        "subject": {"reference": f"Patient/{PATIENT}"},
    },
]  # fmt: skip


@dataclass
class Written:
    """Everything that outlives the flows, and what must not be in it."""

    log: str
    events: str
    refusals: str
    secrets: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def written() -> Iterator[Written]:
    server = Server(SMARTAUTH_TRUSTED_PROXIES="1")
    try:
        server.prepare()
        (server.folder / "canary.yaml").write_text(SEED)
        records = server.folder / "canary" / "r4.json"  # the file's name is the version
        records.parent.mkdir()
        records.write_text(json.dumps(RECORDS))
        server.manage("seed", str(server.folder / "canary.yaml"))
        server.manage("load_fhir", str(records))
        server.start()
        secrets, refusals = flows(server)
        assert reported(server), "the FHIR server has told of no refusal"
        server.stop()
        shipped = server.manage("shell", "--no-imports", "-c", "from audit.shipping import ship; print(ship())")
        assert int(shipped) > 5
        told = "from fhir.audit.shipping import ship; print(ship(2 ** 62))"
        assert int(server.manage("shell", "--no-imports", "-c", told)) > 4
        events = rows(server, "audit", "SELECT * FROM audit_securityevent")
        events += rows(server, "audit", "SELECT * FROM fhir_audit_entry")
        events += rows(server, "audit", "SELECT * FROM fhir_audit_value")
        assert rows(server, "main", "SELECT * FROM audit_outboxevent") == []
        yield Written(server.log(), repr(events), "\n".join(refusals), secrets)
    finally:
        server.remove()


def reported(server: Server) -> bool:
    """Whether the bundled FHIR server has told of what it refused, which it does some time after its answers."""
    kinds = "SELECT kind FROM audit_outboxevent"
    return wait_until(lambda: ("request-refused",) in rows(server, "main", kinds))


def flows(server: Server) -> tuple[set[str], list[str]]:
    """A launch, reads, searches, refusals of every kind. What was secret in it, and what refusals said."""
    launch = StandaloneLaunch(server, USERNAME, PASSWORD, state=STATE)
    launch.browser.headers["X-Forwarded-For"] = ADDRESS
    refused = [guessed(launch)]
    code = launch.code()
    bad = launch.exchange(code[:-1] + ("A" if code[-1] != "A" else "B"))
    token = launch.exchange(code).json()["access_token"]
    introspect(server, token)
    assert read(server, f"Patient/{PATIENT}", token).status_code == 200
    assert read(server, f"Observation/{OBSERVATION}", token).status_code == 200
    assert read(server, f"Patient?name={SEARCHED}&family={FAMILY}", token).status_code == 200
    changed = token.rpartition(".")[0] + "." + "A" * 86
    refused += [
        bad,
        read(server, f"Patient/{STRANGER}", token),
        read(server, f"Patient/{PATIENT}?access_token={token}", None),
        read(server, f"Nonsense/{STRANGER}/{SEARCHED}", token),
        httpx.get(f"{server.url}/{STRANGER[:6]}/{token}"),
        httpx.post(f"{server.url}/o/token?client_secret={SECRET}&code={code}", data={"grant_type": "x"}),
        httpx.post(f"{server.url}/o/token", auth=("canary-app", SECRET), data={"grant_type": SEARCHED, "code": code}),
        httpx.post(f"{server.url}/o/introspect", auth=("demo-resource-server", SECRET), data={"token": token}),
        httpx.get(f"{server.url}/o/authorize", params={**launch.request, "redirect_uri": ELSEWHERE}),
        httpx.get(f"{server.url}/login", headers={"Host": f"{SEARCHED} {STATE}"}),
        read(server, f"Patient/{PATIENT}", changed),
        launch.exchange(code),
    ]
    revoke(server, token)
    refused.append(read(server, f"Patient/{PATIENT}", token))
    assert all(answer.status_code >= 400 for answer in refused), [answer.status_code for answer in refused]
    payload = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    secrets = {token, changed, code, launch.verifier, payload["jti"], SECRET, PASSWORD, WRONG, *token.split(".")[1:]}
    return secrets | {RESOURCE_SERVER[1]}, [answer.text for answer in refused]


def guessed(launch: StandaloneLaunch) -> httpx.Response:
    """A wrong password at the login page."""
    page = launch.browser.get("/login").text
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    form = {"csrfmiddlewaretoken": token, "username": USERNAME, "password": WRONG}
    return launch.browser.post("/login", data=form)


@pytest.mark.requirement("SD-11")
def test_the_log_holds_no_secret_no_name_no_id_and_no_address(written: Written) -> None:
    planted = written.secrets | {
        USERNAME, NAME, PATIENT_NAME, FAMILY, PATIENT, OBSERVATION, STRANGER, SEARCHED, STATE, ADDRESS, "Canaria",
    }  # fmt: skip

    assert written.log.count("smartauth.request") > 10
    assert {secret for secret in planted if secret in written.log} == set()


@pytest.mark.requirement("SD-11")
def test_the_events_hold_references_and_no_secret_and_no_name(written: Written) -> None:
    planted = written.secrets | {NAME, PATIENT_NAME, FAMILY, USERNAME, SEARCHED, STATE, "Canaria", "Quillon"}

    assert "canary-patient" in written.events
    assert ADDRESS in written.events
    assert {secret for secret in planted if secret in written.events} == set()


@pytest.mark.requirement("SD-11", "TV-27")
def test_a_refusal_repeats_no_secret_and_no_name(written: Written) -> None:
    planted = written.secrets | {NAME, PATIENT_NAME, FAMILY, STRANGER, SEARCHED, "Traceback"}

    assert written.refusals.count("error") >= 3
    assert {secret for secret in planted if secret in written.refusals} == set()
