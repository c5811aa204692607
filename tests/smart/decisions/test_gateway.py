"""What a gateway is told in headers of a decision."""

from typing import Any

import pytest

from smart.decisions.gateway import MalformedGatewayRequest, challenge, evaluation_of, gateway_answer
from smart.decisions.question import question_of_http, token_parameters
from smart.http.limits import MAX_QUERY

BASE = "https://fhir.example.org/fhir/r4"

ALL = {"who": "all", "where": []}
OF_AMY = {"who": {"compartments": ["Patient/amy"]}, "where": []}
OF_BEN = {"who": {"compartments": ["Patient/ben"]}, "where": []}
OF_MANY = {"who": {"compartments_of": "$user"}, "where": []}
LABORATORY = {"name": "category", "values": ["laboratory"]}
NARROWED = {**OF_AMY, "where": [LABORATORY]}


def search(view: dict[str, Any] | None = None, **claims: str) -> dict[str, str]:
    """The headers of a yes to a search, with the status in the place of a no."""
    http = {"method": "GET", "url": "Observation"}
    context = {"claims": claims, **({} if view is None else {"view": view})}
    status, headers = gateway_answer({"context": {"http": http}}, {"decision": True, "context": context})
    return headers if status == 200 else {"refused": str(int(status))}


@pytest.mark.parametrize(
    ("view", "patient"),
    [
        ({"Observation": [OF_AMY]}, "amy"),
        ({"Observation": [OF_MANY, NARROWED, OF_AMY]}, "amy"),
        ({"Observation": [OF_AMY, OF_BEN], "Patient": [OF_BEN]}, "ben"),
        ({"Observation": [NARROWED]}, ""),
        ({"Observation": [OF_MANY]}, ""),
        ({"Observation": [OF_AMY], "Patient": []}, ""),
        ({"Observation": [OF_AMY], "Patient": [OF_BEN]}, ""),
        ({"Observation": [{"who": {"self": "Practitioner/p"}, "where": []}]}, ""),
        ({"Observation": [{"who": {"compartments": ["Patient/amy", "Patient/ben"]}, "where": []}]}, ""),
        ({"Observation": [{"who": "all", "where": [LABORATORY]}]}, ""),
        ({"Observation": []}, ""),
        ({}, ""),
    ],
)
def test_the_patient_is_one_whose_whole_compartment_every_type_opens(view: dict[str, Any], patient: str) -> None:
    limited = {"X-Smartauth-View": "patient", "X-Smartauth-Patient": patient}
    assert search(view) == (limited if patient else {"refused": "403"})


@pytest.mark.parametrize(
    ("view", "limits"),
    [
        ({"Observation": [ALL]}, {"X-Smartauth-View": "all"}),
        ({"Observation": [OF_AMY, ALL], "Patient": [ALL]}, {"X-Smartauth-View": "all"}),
        ({"Observation": [ALL], "Patient": []}, {"refused": "403"}),
        ({"Observation": [ALL], "Patient": [OF_AMY]}, {"refused": "403"}),
    ],
)
def test_a_view_that_leaves_nothing_out_limits_nothing(view: dict[str, Any], limits: dict[str, str]) -> None:
    assert search(view) == limits


def test_what_cannot_stand_in_a_header_does_not() -> None:
    claims = {"sub": "a\r\nX-Smartauth-View: all", "client_id": "x" * 1001, "fhirUser": "Practitioner/\u00e9"}

    assert search(None, **claims) == {"X-Smartauth-View": "all"}
    assert search(client_id="app", sub="s")["X-Smartauth-Client"] == "app"


ASKED = {
    "x-smartauth-base": BASE, "x-smartauth-understands": "nothing", "x-original-method": "GET",
    "x-original-uri": "/fhir/r4/Observation/o", "authorization": "Bearer abc",
}  # fmt: skip


def asked(**changes: str | None) -> dict[str, Any]:
    """What a gateway that sends these headers asks."""
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    lines = {name: value for name, value in {**ASKED, **changed}.items() if value is not None}
    return evaluation_of([(name.encode(), value.encode("latin-1")) for name, value in lines.items()], "POST", "")


def url_of(target: str, method: str = "GET", base: str = BASE) -> str:
    return str(asked(x_original_uri=target, x_original_method=method, x_smartauth_base=base)["context"]["http"]["url"])


def test_a_gateway_asks_about_the_clients_request_and_token() -> None:
    http = {"method": "GET", "url": "Observation/o"}
    context = {"base": BASE, "http": http, "understands": []}

    assert asked() == {"subject": {"type": "access_token", "id": "abc"}, "context": context}
    assert asked(x_smartauth_understands="patient")["context"] == {**context, "understands": ["fhir-view/1"]}


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("Patient/amy", {"resourceType": "Patient", "id": "amy"}),
        ("Patient/amy/_history/1", {"resourceType": "Patient", "id": "amy"}),
        ("Patient/amy/_history", None),
        ("Patient", None),
        ("Observation/o", None),
    ],
)
def test_a_read_of_a_patient_needs_no_look_at_it(url: str, content: Any) -> None:
    assert asked(x_original_uri=f"/fhir/r4/{url}")["context"].get("content") == content


def test_only_a_plain_url_below_the_base_is_asked_about() -> None:
    longest = "Observation?a=" + "x" * (MAX_QUERY - 14)

    assert url_of(f"/fhir/r4/{longest}") == longest
    assert url_of(f"/fhir/r4/{longest}x") == ""
    assert url_of("/fhir/r4/Observation", base=f"{BASE}/") == "Observation"
    assert url_of("/Observation", base="https://fhir.example.org") == "Observation"
    assert url_of("/Observation/fhir/r4/") == ""
    for odd in (
        "Observation",
        "/fhir/r44/Observation",
        "/fhir/r4//Observation",
        "/fhir/r4/a b",
        "/fhir/r4/\u00e9",
        "/fhir/r4/a{b}",
        "/fhir/r4/Patient/amy\u00a0",
        "/fhir/r4/Patient/amy\u0085",
    ):
        assert url_of(odd) == ""
    assert url_of("/fhir/r4/Observation/_search", "POST") == ""
    assert url_of("/fhir/r4/Observation/%5Fsearch", "POST") == ""
    assert url_of("/fhir/r4/Observation", "POST") == "Observation"


@pytest.mark.parametrize(
    ("authorization", "token", "says"),
    [
        ("Bearer abc", "abc", ""),
        (None, "", "Bearer"),
        ("Basic eDp5", "", "Bearer"),
        ("Bearer a, b", "a, b", 'Bearer error="invalid_token"'),
    ],
)
def test_without_a_token_the_gateway_is_told_a_challenge(authorization: str | None, token: str, says: str) -> None:
    evaluation = asked(authorization=authorization)

    assert (evaluation["subject"]["id"], challenge(evaluation)) == (token, says)


@pytest.mark.parametrize(
    "changes",
    [
        {"x_smartauth_base": None},
        {"x_smartauth_base": " "},
        {"x_smartauth_understands": None},
        {"x_smartauth_understands": "everything"},
        {"x_original_uri": None},
        {"x_forwarded_method": "GET"},
    ],
)
def test_a_gateway_that_leaves_something_out_is_told_so(changes: dict[str, str | None]) -> None:
    with pytest.raises(MalformedGatewayRequest):
        asked(**changes)


@pytest.mark.requirement("TV-17")
def test_a_token_in_the_url_is_asked_about_as_any_parameter() -> None:
    http = asked(x_original_uri="/fhir/r4/Patient?access_token=x")["context"]["http"]

    assert token_parameters(question_of_http(**http)) == ("access_token",)


@pytest.mark.parametrize(("status", "shown"), [(401, 401), (403, 403), (404, 403), (400, 403)])
def test_a_refusal_is_401_for_a_token_and_403_for_everything_else(status: int, shown: int) -> None:
    context = {"http": {"status": status, "headers": {"WWW-Authenticate": "Bearer"}}}

    found = gateway_answer(asked(), {"decision": False, "context": context})

    assert found == (shown, {"WWW-Authenticate": "Bearer", "X-Smartauth-Status": str(status)})


def test_a_claim_is_as_long_as_it_may_be_and_never_empty() -> None:
    longest = "x" * 1000

    assert search(sub=longest)["X-Smartauth-Sub"] == longest
    assert search(sub="") == {"X-Smartauth-View": "all"}
    headers = gateway_answer(asked(), {"decision": True, "context": {"claims": {"sub": 7}}}).headers
    assert headers == {"X-Smartauth-View": "all"}


@pytest.mark.requirement("WR-11")
@pytest.mark.parametrize(
    ("sent", "criteria"),
    [
        ([], None),
        (["subject.name=x"], "subject.name=x"),
        (["code=x", "subject.name=x"], "code=x&subject.name=x"),
        ([""], ""),
        (["a=" + "x" * (MAX_QUERY - 2)], "a=" + "x" * (MAX_QUERY - 2)),
        (["a=" + "x" * (MAX_QUERY - 1)], "_query"),
        (["a&" * 101], "_query"),
    ],
)
def test_the_criteria_of_a_conditional_create_are_asked_about(sent: list[str], criteria: str | None) -> None:
    lines = {**ASKED, "x-original-method": "POST", "x-original-uri": "/fhir/r4/Observation"}
    pairs = [*lines.items(), *(("if-none-exist", each) for each in sent)]
    asked = evaluation_of([(name.encode(), value.encode()) for name, value in pairs], "POST", "")

    assert asked["context"]["http"].get("if_none_exist") == criteria
    assert question_of_http(**asked["context"]["http"]).is_conditional is (criteria is not None)
