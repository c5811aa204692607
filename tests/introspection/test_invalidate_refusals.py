"""Who may not invalidate, and what is wrong with a request to."""

from typing import Any

import pytest

from tests.conftest import BASE, SECRET, App, basic
from tests.explained import error_of
from tests.fixture_types import Events, Introspect, MakeClient
from tests.introspection.invalidation_caller import Asker, Operator, assert_refused, targets


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": ""}, id="nothing"),
        pytest.param({"Authorization": "Bearer abc"}, id="another scheme"),
        pytest.param({"Authorization": "Basic !!!"}, id="not base64"),
        pytest.param(basic("nobody-of-that-name", SECRET), id="unknown client"),
        pytest.param({"Authorization": "wrong"}, id="wrong secret"),
        pytest.param({"Authorization": "public"}, id="a public client"),
    ],
)
def test_a_caller_that_cannot_be_authenticated_is_refused(
    asker: Asker, issued: dict[str, Any], introspect: Introspect, headers: dict[str, str], events: Events
) -> None:
    made = {"wrong": (asker.client.client_id, "wrong"), "public": (issued["granted"].client.client_id, "")}
    if headers["Authorization"] in made:
        headers = basic(*made[headers["Authorization"]])

    response = asker.post(targets(issued, "sub"), headers=headers)

    assert_refused(response, 401, "invalid_client", "client authentication failed")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="smartauth"'
    assert introspect(issued["access_token"])["active"] is True
    wrong = headers["Authorization"] == basic(asker.client.client_id, "wrong")["Authorization"]
    assert len(events("client-authentication-failed", client=asker.client.client_id)) == int(wrong)


def test_a_client_that_protects_nothing_ends_nothing(
    app: App, issued: dict[str, Any], make_client: MakeClient, introspect: Introspect
) -> None:
    stranger = Asker(app, make_client("secret"))

    assert_refused(stranger.post(targets(issued, "sub")), 403, "access_denied", "this client protects no FHIR base")
    assert_refused(
        stranger.post(targets(issued, "patient", "aud")), 403, "access_denied",
        "aud is not a FHIR base that this client protects",
    )  # fmt: skip
    assert introspect(issued["access_token"])["active"] is True


ONE_OF = "say whose access ends: one of sub, fhirUser, client_id, patient, authorization"


@pytest.mark.parametrize(
    ("asked", "description"),
    [
        ({}, ONE_OF),
        ({"aud": BASE}, ONE_OF),
        ({"lock": "login"}, ONE_OF),
        ({"sub": None}, ONE_OF),
        ({"sub": "x", "aud": None}, "aud is null: leave it out, or say it"),
        ({"client_id": "x", "patient": None, "aud": BASE}, "patient is null: leave it out, or say it"),
        ({"sub": "x", "fhirUser": "Patient/x", "aud": BASE}, "say sub or fhirUser, not both"),
        ({"fhirUser": "Patient/x"}, "fhirUser needs aud: ids belong to a FHIR base"),
        ({"patient": "x"}, "patient needs aud: ids belong to a FHIR base"),
        ({"patient": "Patient/x", "aud": BASE}, "patient must be a bare FHIR id, such as p-204"),
        ({"patient": ["x"], "aud": BASE}, "patient must be a bare FHIR id, such as p-204"),
        ({"sub": ["x"]}, "sub must be text"),
        ({"sub": ""}, "sub must be text"),
        ({"sub": "a\0b"}, "sub has a control character"),
        ({"client_id": 7}, "client_id must be text"),
        ({"client_id": "\ud800"}, "client_id has a control character"),
        ({"client_id": "x" * 1001}, "client_id is longer than 1000 characters"),
        ({"sub": "x", "aud": {}}, "aud must be text"),
        ({"authorization": "17"}, "authorization must be a number such as 2223-7F3K"),
        ({"authorization": 17}, "authorization must be text"),
        ({"sub": "x", "lock": "forever"}, "lock must be login or operator"),
        ({"sub": "x", "lock": True}, "lock must be text"),
        ({"client_id": "x", "lock": "login"}, "lock needs the person: sub or fhirUser"),
        ({"sub": "x", "user": "amy"}, "user is not known here"),
        ({"sub": "x", "fhir_server": BASE}, "fhir_server is not known here"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(asker: Asker, asked: dict[str, Any], description: str) -> None:
    assert_refused(asker.post(asked), 400, "invalid_request", description)


def test_an_operator_hears_that_a_base_is_none(operator: Operator) -> None:
    response = operator.post(patient="amy", aud="https://nowhere.example.org/fhir")

    assert response.status_code == 400
    assert error_of(response) == {"error": "invalid_target", "error_description": "aud is no FHIR base of this server"}


@pytest.mark.parametrize(
    ("body", "description"),
    [
        pytest.param(b"{", "the body is not JSON in UTF-8", id="cut off"),
        pytest.param(b"[]", "the body must be a JSON object", id="a list"),
        pytest.param(b'{"sub": "a", "sub": "b"}', "a member of the body was sent twice", id="twice"),
    ],
)
def test_what_is_no_object_is_refused(asker: Asker, body: bytes, description: str) -> None:
    assert_refused(asker.post(body), 400, "invalid_request", description)


def test_a_long_body_is_refused(asker: Asker) -> None:
    assert_refused(asker.post({"sub": "x" * 20_000}), 413, "invalid_request", "the body is too long")


def test_a_form_is_refused(asker: Asker) -> None:
    response = asker.post(b"sub=x", headers={"Content-Type": "application/x-www-form-urlencoded"})

    assert_refused(response, 415, "invalid_request", "the body must be application/json")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_refused(asker: Asker, method: str) -> None:
    response = asker.app.request(method, "/o/invalidate", headers=basic(asker.client.client_id, SECRET))

    assert_refused(response, 405, "invalid_request", "only POST is allowed here")
    assert response.headers["Allow"] == "POST"
