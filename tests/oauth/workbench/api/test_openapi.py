"""The OpenAPI description says what the JSON doors really take and answer."""

import json
from typing import Any

import pytest

from oauth.workbench.api.openapi import description
from smartauth.urls import DEVELOPMENT
from smartauth_probe.catalogue import kinds
from smartauth_probe.token_order import MEMBERS
from tests.conftest import App
from tests.fixture_types import MakeResourceServer
from tests.oauth.workbench.api.json_schema import problems
from tests.oauth.workbench.conftest import Asker


def schema(path: str, method: str, status: str) -> dict[str, Any]:
    """The schema of an answer."""
    found: dict[str, Any] = description()["paths"][path][method]["responses"][status]["content"]
    return dict(found["application/json"]["schema"])


def references(value: Any) -> set[str]:
    """Every schema that something refers to."""
    if isinstance(value, list):
        return {each for item in value for each in references(item)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if "$ref" in value else set()
    return own | {each for item in value.values() for each in references(item)}


def test_the_description_is_served_as_it_is(app: App) -> None:
    response = app.get("/dev/openapi.json")

    assert response.json() == description()
    assert response.json()["openapi"] == "3.1.0"


def test_it_names_addresses_that_are_there_and_schemas_that_it_has() -> None:
    schemas = description()["components"]["schemas"]

    assert set(description()["paths"]) <= {f"/{each.pattern}" for each in DEVELOPMENT}
    assert references(description()) == {f"#/components/schemas/{name}" for name in schemas}


def test_an_order_has_the_members_that_the_door_knows() -> None:
    order = description()["components"]["schemas"]["Order"]

    assert set(order["properties"]) == set(MEMBERS)
    assert order["required"] == ["client"]
    assert order["properties"]["bad"]["enum"] == list(kinds())


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({}, id="good"),
        pytest.param({"claims": {"acr": "2"}, "without": ["scope"], "header": {"a": 1}, "lifetime": 60}, id="changed"),
        *(pytest.param({"bad": kind}, id=kind) for kind in ("expired", "two-headers", "in-body", "patient-other")),
    ],
)
def test_an_order_that_is_described_gets_the_answer_that_is_described(asker: Asker, order: dict[str, Any]) -> None:
    body = {"client": asker.client.client_id, "user": asker.person.username, **order}

    answer = asker.get(**order)

    assert problems(body, description()["components"]["schemas"]["Order"], description()) == []
    assert problems(answer, schema("/dev/tokens", "post", "201"), description()) == []


@pytest.mark.parametrize(
    "order", [{"colour": "red"}, {"lifetime": 0}, {"lifetime": 315360001}, {"bad": "x"}, {"without": "a"}]
)
def test_an_order_that_is_not_described_is_refused_as_described(asker: Asker, order: dict[str, Any]) -> None:
    body = {"client": asker.client.client_id, **order}

    answer = asker.post(**order)

    assert problems(body, description()["components"]["schemas"]["Order"], description())
    assert answer.status_code == 400
    assert problems(answer.json(), schema("/dev/tokens", "post", "400"), description()) == []


def test_the_catalogue_is_as_described(app: App) -> None:
    answer = app.get("/dev/tokens/kinds").json()

    assert problems(answer, schema("/dev/tokens/kinds", "get", "200"), description()) == []
    assert problems({"groups": [{}]}, schema("/dev/tokens/kinds", "get", "200"), description())


def test_faults_of_introspection_are_begun_and_listed_as_described(
    app: App, make_resource_server: MakeResourceServer
) -> None:
    path, caller = "/dev/introspection-faults", make_resource_server().client_id
    order = {"resource_server": caller, "fault": "empty", "seconds": 5}

    begun = app.post(path, content=json.dumps(order), headers={"Content-Type": "application/json"}).json()
    listed = app.get(path).json()
    app.request("DELETE", path, params={"resource_server": caller})

    assert problems(order, description()["components"]["schemas"]["NewFault"], description()) == []
    assert problems(begun, schema(path, "post", "201"), description()) == []
    assert problems(listed, schema(path, "get", "200"), description()) == []
    assert [each["resource_server"] for each in listed["current"]] == [caller]
