"""node-fhir-server-core with its sof-strategy, as published, asks about tokens (WF-18 to WF-20)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.npm import install
from tests.oracle import Answer, Oracle
from tests.running import Server, free_port
from tests.strangers import Process

pytestmark = pytest.mark.clients

FOLDER = Path(__file__).parent / "node_fhir_server_core"
WHO_IS_WHO = """
fhir_servers:
  - {{base: "{base}", name: In node, patients: [{{id: amy}}, {{id: ben}}]}}
people:
  - username: amy
    identities:
      - {{fhir_server: "{base}", fhir_user: Patient/amy, acts_for: [amy]}}
clients:
  - client_id: in-node
    name: An app of that server
    authentication: none
    grants: [authorization_code, refresh_token]
    supersede: "off"
    scope: offline_access patient/*.cruds
    fhir_servers: ["{base}"]
    redirect_uris: ["http://127.0.0.1:4999/cb"]
"""


READ = {
    "type by wildcard": "patient/*.rs",
    "type": "patient/Patient.rs",
    "letters apart": "patient/Patient.r patient/*.s",
    "v1": "patient/*.read",
}
CLOSED = {
    "another type": "patient/Observation.rs",
    "part of the right": "patient/Patient.r",
    "another right": "patient/Patient.cud",
    "a restricted scope": "patient/Observation.rs?category=http://x.example/s|a",
    "a scope behind a comma": "patient/Patient.r patient/Observation.rs?code=a|%5C,patient/*.*",
}
MORE = {"everything": "patient/*.cruds", "revoked": "patient/*.rs", "refreshable": "offline_access patient/*.rs"}
MINT = """
from django.core.management import call_command
for scope in {scopes!r}:
    call_command("token", client="in-node", user="amy", patient="amy", aud={base!r}, json=True, scope=scope)
    print("--- end")
"""


class InNode:
    """The server in node, and the token answers that it is tried with, one for each kind."""

    def __init__(self, server: Server, base: str) -> None:
        self.server, self.base = server, base
        scopes = {**READ, **CLOSED, **MORE}
        printed = server.manage("shell", "-c", MINT.format(scopes=list(scopes.values()), base=base))
        answers = [json.loads(part[part.index("{") :]) for part in printed.split("--- end")[:-1]]
        self.answers: dict[str, dict[str, Any]] = dict(zip(scopes, answers, strict=True))

    def token(self, kind: str = "type") -> str:
        return str(self.answers[kind]["access_token"])

    def ask(self, token: str, path: str = "Patient/amy", *, method: str = "GET") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        body = {"content": '{"resourceType":"Patient"}'} if method == "PUT" else {}
        return httpx.request(method, f"{self.base}/{path}", headers=headers, timeout=20, **body)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def in_node(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InNode]:
    """Protected with `fhir-server add --claims node --v1-equivalents`, and running."""
    folder = tmp_path_factory.mktemp("node")
    base = f"http://127.0.0.1:{free_port()}/4_0_1"
    printed = server.manage("fhir-server", "add", base, "--claims", "node", "--v1-equivalents", "--env")
    environment = dict(line.removeprefix("export ").split("=", 1) for line in printed.splitlines())
    seed = folder / "who-is-who.yaml"
    seed.write_text(WHO_IS_WHO.format(base=base), encoding="utf-8")
    server.manage("seed", str(seed))
    process = Process(["node", str(install(FOLDER) / "strategy_server.js")], base, folder, **environment)
    yield InNode(server, base)
    process.stop()


def is_refused(answer: httpx.Response) -> bool:
    """The strategy tells a token that is not active to express as an error of the server, 500."""
    return answer.status_code == 500 and "Unable to retrieve valid token" in answer.text and "Shaw" not in answer.text


@pytest.mark.requirement("WF-18", "WF-19")
@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("path", ["Patient/amy", "Patient"])
def test_a_token_with_v2_scopes_reads(in_node: InNode, kind: str, path: str) -> None:
    answer = in_node.ask(in_node.token(kind), path)

    assert answer.status_code == 200
    assert "Shaw" in answer.text


@pytest.mark.requirement("WF-19")
def test_whole_rights_also_write(in_node: InNode) -> None:
    assert in_node.ask(in_node.token("everything"), method="PUT").status_code in (200, 201)


@pytest.mark.requirement("WF-19")
@pytest.mark.parametrize("kind", CLOSED)
def test_without_the_scope_nothing_is_read(in_node: InNode, kind: str) -> None:
    answer = in_node.ask(in_node.token(kind))

    assert (answer.status_code, "Shaw" in answer.text) == (401, False)
    assert "None of the provided scopes matched" in answer.text


@pytest.mark.requirement("WF-19")
def test_who_may_read_does_not_write(in_node: InNode) -> None:
    assert in_node.ask(in_node.token(), method="PUT").status_code == 401


@pytest.mark.requirement("WF-18")
def test_a_revoked_token_is_refused_at_the_next_request(in_node: InNode) -> None:
    token = in_node.token("revoked")
    before = in_node.ask(token)

    httpx.post(f"{in_node.server.url}/o/revoke", data={"client_id": "in-node", "token": token}).raise_for_status()

    assert before.status_code == 200
    assert is_refused(in_node.ask(token))


@pytest.mark.requirement("WF-20")
def test_a_refresh_token_opens_nothing(in_node: InNode) -> None:
    answer = in_node.answers["refreshable"]

    assert in_node.ask(answer["access_token"]).status_code == 200
    assert is_refused(in_node.ask(answer["refresh_token"]))


@pytest.mark.parametrize("token", ["garbage", "a.b.c"])
def test_garbage_is_refused(in_node: InNode, token: str) -> None:
    assert is_refused(in_node.ask(token))


def test_without_a_token_there_is_a_challenge(in_node: InNode) -> None:
    answer = httpx.get(f"{in_node.base}/Patient/amy", timeout=20)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Users"')


def test_another_patient_is_answered_like_nobody(in_node: InNode) -> None:
    ben, nobody = (in_node.ask(in_node.token(), f"Patient/{key}") for key in ("ben", "nobody"))

    assert (ben.status_code, ben.text) == (nobody.status_code, nobody.text)
    assert ben.status_code == 404


@pytest.mark.requirement("DS-01")
def test_an_app_without_a_token_finds_the_document_below_the_base(in_node: InNode) -> None:
    answer = httpx.get(f"{in_node.base}/.well-known/smart-configuration", timeout=20)

    asked = httpx.get(f"{in_node.server.url}/o/smart-configuration", params={"aud": in_node.base})
    assert asked.json()["token_endpoint"] == f"{in_node.server.url}/o/token"
    assert answer.json() == asked.json()
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


PUBLIC_BASE = "https://fhir.example.org"
RIGHT = {"active": True, "aud": PUBLIC_BASE, "scope": "patient/*.read", "patient": "amy"}


@pytest.fixture(scope="module")
def misled(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server in node below a base without a path, which asks the oracle. Where it listens."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    me = {"INTROSPECT": oracle.url, "CLIENT_ID": "it", "CLIENT_SECRET": "secret"}
    command, folder = ["node", str(install(FOLDER) / "strategy_server.js")], tmp_path_factory.mktemp("misled")
    process = Process(command, address, folder, FHIR_BASE=PUBLIC_BASE, PORT=str(port), **me)
    yield address
    process.stop()


def read_with(address: str, oracle: Oracle, path: str, **claims: object) -> httpx.Response:
    oracle.say_claims({**RIGHT, **claims})
    return httpx.get(f"{address}/{path}", headers={"Authorization": "Bearer x"}, timeout=20)


@pytest.mark.parametrize("path", ["Patient/amy", "Patient"])
@pytest.mark.parametrize("aud", [PUBLIC_BASE, ["https://other.example.org", PUBLIC_BASE]], ids=["one aud", "a list"])
def test_a_base_without_a_path_is_served_too(misled: str, oracle: Oracle, aud: object, path: str) -> None:
    answer = read_with(misled, oracle, path, aud=aud)

    assert answer.status_code == 200
    assert "Shaw" in answer.text


@pytest.mark.requirement("TV-14", "XT-955", "XT-965", "XT-974", "XT-978")
@pytest.mark.parametrize("path", ["Patient/amy", "Patient"])
@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"active": "true"}, 401, id="active as text"),
        pytest.param({"aud": ["https://other.example.org"]}, 401, id="another aud"),
        pytest.param({"cnf": {"jkt": "x"}}, 401, id="bound to a key"),
        pytest.param({"scope": ["patient/*.read"]}, 403, id="scope as a list"),
        pytest.param({"patient": ["amy"]}, 403, id="patient as a list"),
        pytest.param({"patient": "amy,ben"}, 403, id="a patient with a comma"),
    ],
)
def test_an_answer_that_is_not_exactly_right_opens_nothing(
    misled: str, oracle: Oracle, claims: dict[str, object], status: int, path: str
) -> None:
    answer = read_with(misled, oracle, path, **claims)

    assert (answer.status_code, "Shaw" in answer.text) == (status, False)


def test_the_document_is_kept_for_a_while_but_an_error_is_not(misled: str, oracle: Oracle) -> None:
    document = f"{misled}/.well-known/smart-configuration"

    oracle.says = Answer(status=500)
    refused = httpx.get(document, timeout=20)
    oracle.says = Answer(body='{"issuer":"https://auth.example.org"}')
    found = httpx.get(document, timeout=20)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert found.json() == {"issuer": "https://auth.example.org"}
