"""What a development server keeps in mind of introspection: who asked about which token, and what it was told."""

import secrets

import pytest

from oauth.workbench.memory.questions import last_question_of, question_about
from tests.conftest import SECRET, App, basic
from tests.fixture_types import MakeResourceServer
from tests.oauth.workbench.conftest import Asker


@pytest.mark.parametrize(
    ("bad", "is_active"), [(None, True), ("aud-longer", True), ("expired", False), ("noise", False)]
)
def test_a_question_about_a_token_is_kept_in_mind(
    asker: Asker, app: App, make_resource_server: MakeResourceServer, bad: str | None, is_active: bool
) -> None:
    caller = make_resource_server(asker.client.fhir_servers.get())
    token = asker.get(bad=bad)["access_token"]
    assert question_about(token) is None

    for _ in range(2):
        app.post("/o/introspect", data={"token": token}, headers=basic(caller.client_id, SECRET))

    question = question_about(token)
    assert question is not None
    assert (question.client_id, question.is_active, question.number) == (caller.client_id, is_active, 2)
    assert last_question_of(caller.client_id) == question


@pytest.mark.parametrize("path", ["/access/v1/evaluation", "/access/v1/evaluations"])
@pytest.mark.parametrize(("bad", "is_active"), [(None, True), ("expired", False)])
def test_who_asks_for_a_decision_has_asked_about_its_token(
    asker: Asker, app: App, make_resource_server: MakeResourceServer, path: str, bad: str | None, is_active: bool
) -> None:
    server = asker.client.fhir_servers.get()
    caller, token = make_resource_server(server), asker.get(bad=bad)["access_token"]
    asked = {
        "action": {"name": "search-type"},
        "resource": {"type": "Observation", "id": "*", "properties": {"base": server.base}},
    }
    many = {"evaluations": [asked]} if path.endswith("s") else asked

    body = {"subject": {"type": "access_token", "id": token}, **many}
    assert app.post(path, json=body, headers=basic(caller.client_id, SECRET)).status_code == 200

    question = question_about(token)
    assert question is not None
    assert (question.client_id, question.is_active, question.number) == (caller.client_id, is_active, 1)


def test_a_caller_who_proves_nothing_has_asked_nothing(app: App) -> None:
    token = secrets.token_urlsafe(16)

    app.post("/o/introspect", data={"token": token}, headers=basic("nobody-here", SECRET))

    assert question_about(token) is None
    assert last_question_of("nobody-here") is None


@pytest.mark.parametrize(
    ("bad", "base", "is_active"), [(None, "", True), (None, "https://elsewhere.example", False), ("expired", "", False)]
)
def test_who_asks_for_a_gateway_has_asked_about_the_token_of_its_client(
    asker: Asker, app: App, make_resource_server: MakeResourceServer, bad: str | None, base: str, is_active: bool
) -> None:
    server = asker.client.fhir_servers.get()
    caller, token = make_resource_server(server), asker.get(bad=bad)["access_token"]
    named = {"x-smartauth-base": base or server.base, "x-smartauth-understands": "nothing"}
    original = {"x-original-method": "GET", "x-original-uri": "/fhir/r4/Observation/none-of-amy"}
    own = {"x-smartauth-authorization": basic(caller.client_id, SECRET)["Authorization"]}

    for authorization in (f"Bearer {token}", "Bearer a b"):
        app.post("/access/v1/gateway", headers={**named, **original, **own, "authorization": authorization})

    question = question_about(token)
    assert question is not None
    assert (question.client_id, question.is_active, question.number) == (caller.client_id, is_active, 1)
    assert last_question_of(caller.client_id) == question
