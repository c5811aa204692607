"""What the server says of itself is what it does."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tests.fhir.conftest import BASE, Introspection
from tests.fixture_types import Fetch


@pytest.mark.requirement("TV-24")
@pytest.mark.parametrize(
    "header",
    [None, "Bearer expired.token", "Bearer", "Bearer a, Bearer b", "Basic x", "\x00"],
    ids=["none", "expired", "empty", "two", "basic", "NUL"],
)
def test_the_statement_is_public_and_a_bad_token_does_not_break_it(
    fetch: Fetch, introspection: Introspection, header: str | None
) -> None:
    introspection.says(active=False)
    extra = {} if header is None else {"HTTP_AUTHORIZATION": header}

    answer = fetch("metadata", token=None, **extra)

    assert answer.status == 200
    assert answer.body["resourceType"] == "CapabilityStatement"
    assert introspection.asked == []


def test_it_names_server_version_and_base(fetch: Fetch, settings: Settings) -> None:
    settings.SMARTAUTH_FHIR_NAME = "Harbour Clinic"

    answer = fetch("metadata", token=None)

    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert answer.body["fhirVersion"] == "4.0.1"
    assert answer.body["implementation"] == {"description": "Harbour Clinic", "url": BASE}
    assert fetch("metadata", token=None, method="HEAD").status == 200


@pytest.mark.requirement("SD-12")
@pytest.mark.usefixtures("records")
def test_it_promises_exactly_what_is_done(fetch: Fetch, introspection: Introspection) -> None:
    introspection.knows("patient/*.cruds", patient="amy")
    own = {"Encounter": "visit-a", "Condition": "problem-a", "Observation": "lab-a", "Practitioner": "dr-green"}
    own |= {"Patient": "amy"}  # last, for nothing else is left without the patient
    resources = fetch("metadata", token=None).body["rest"][0]["resource"]
    promised = {each["type"]: {kind["code"] for kind in each["interaction"]} for each in resources}

    for type_, id_ in own.items():
        assert ("read" in promised[type_]) is (fetch(f"{type_}/{id_}").status == 200)
        assert ("search-type" in promised[type_]) is (fetch(type_).status == 200)
        assert ("vread" in promised[type_]) is (fetch(f"{type_}/{id_}/_history/1").status == 200)
        assert ("history-instance" in promised[type_]) is (fetch(f"{type_}/{id_}/_history").status == 200)
        assert ("history-type" in promised[type_]) is (fetch(f"{type_}/_history").status == 200)
        for method, path, kind in (
            ("POST", type_, "create"),
            ("PUT", f"{type_}/{id_}", "update"),
            ("DELETE", f"{type_}/{id_}", "delete"),
        ):
            assert fetch(path, method=method).status in (204, 404, 415)
            assert kind in promised[type_]
    assert {*own, "RelatedPerson", "MedicationRequest", "Task"} < set(promised)


@pytest.mark.requirement("SD-12")
@pytest.mark.usefixtures("records")
def test_every_promised_search_parameter_is_known_to_strict_handling(
    fetch: Fetch, introspection: Introspection
) -> None:
    introspection.knows("patient/*.rs", patient="amy")
    value = {"date": "2026", "string": "x", "token": "x", "reference": "Patient/amy"}

    for each in fetch("metadata", token=None).body["rest"][0]["resource"]:
        for parameter in each.get("searchParam", []):
            path = f"{each['type']}?{parameter['name']}={value[parameter['type']]}"
            assert fetch(path, HTTP_PREFER="handling=strict").status == 200, path


def test_it_tells_where_tokens_come_from_when_that_is_configured(fetch: Fetch, settings: Settings) -> None:
    settings.SMARTAUTH_FHIR_OAUTH_URIS = {"authorize": "https://as.example/a", "token": "https://as.example/t"}

    security: dict[str, Any] = fetch("metadata", token=None).body["rest"][0]["security"]

    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    assert security["extension"][0]["extension"] == [
        {"url": "authorize", "valueUri": "https://as.example/a"},
        {"url": "token", "valueUri": "https://as.example/t"},
    ]
