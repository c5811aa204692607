"""Formats and FHIR versions that a request asks for or brings."""

import pytest

from tests.fhir.conftest import Introspection
from tests.fixture_types import Fetch

pytestmark = [pytest.mark.one_engine, pytest.mark.usefixtures("records")]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def amy(introspection: Introspection) -> None:
    introspection.knows("patient/*.rs", patient="amy")


@pytest.mark.requirement("SD-28")
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200),
        ("*/*", 200),
        ("application/fhir+json", 200),
        ("application/json", 200),
        ("APPLICATION/FHIR+JSON", 200),
        ("text/html, application/xml;q=0.9, */*;q=0.8", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+json;charset=utf-8;fhirVersion=4.0", 200),
        ("application/fhir+json; fhirVersion=3.0", 406),
        ('application/fhir+json; fhirVersion="1.0"', 406),
        ("application/fhir+json; fhirVersion=4.0.1", 406),
        ("application/fhir+json; fhirVersion=3.0, application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+xml", 406),
        ("text/html", 406),
        ("text/html, text/*", 406),
        ("application/fhir+json;q=0.001", 200),
        ("application/fhir+json;q=0", 406),
        ("*/*; q=0.0", 406),
        ("application/*;q=0, */*", 200),
        ("application/*;q=0", 406),
        ("application/*, application/json;q=0", 200),
        ("application/fhir+json; fhirVersion=3.0; q=0, application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+json;q=0, application/json;q=0, text/json;q=0, application/json+fhir;q=0, */*", 406),
        (";;;", 406),
        ("application/json; fhirversion*0*=utf-8'en'3; fhirversion*1=x", 406),
    ],
)
def test_json_in_the_version_of_the_base_or_406(fetch: Fetch, accept: str, status: int) -> None:
    assert fetch("Patient/amy", HTTP_ACCEPT=accept).status == status
    assert fetch("metadata", HTTP_ACCEPT=accept).status == status


@pytest.mark.requirement("SD-28")
@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("application/json", "application/fhir+json"),
        ("application/fhir+json;q=0, application/json", "application/json"),
        ("application/fhir+json;q=0, */*", "application/json"),
        ("application/*;q=0, */*", "text/json"),
    ],
)
def test_a_type_that_was_refused_is_not_answered_in(fetch: Fetch, accept: str, answered: str) -> None:
    assert fetch("Patient/amy", HTTP_ACCEPT=accept).headers["Content-Type"] == f"{answered}; charset=utf-8"


@pytest.mark.requirement("SD-26")
@pytest.mark.parametrize("accept", ["application/fhir+xml", "application/fhir+json; fhirVersion=3.0"])
def test_a_wrong_format_tells_nothing_of_others(fetch: Fetch, accept: str) -> None:
    answers = [fetch(f"Patient/{id_}", HTTP_ACCEPT=accept).alike for id_ in ("amy", "ben", "never-was")]

    assert answers[0] == answers[1] == answers[2]
    assert fetch("Patient/amy", HTTP_ACCEPT=accept, token=None).status == 401


@pytest.mark.parametrize(
    ("format_", "status"),
    [("json", 200), ("application/fhir%2Bjson", 200), ("application/fhir+json", 200), ("xml", 406), ("%00", 400)],
)
def test_the_format_parameter_stands_over_the_header(fetch: Fetch, format_: str, status: int) -> None:
    assert fetch(f"Patient/amy?_format={format_}", HTTP_ACCEPT="text/html").status == status


@pytest.mark.requirement("SD-28")
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (FORM, 200),
        (f"{FORM}; charset=UTF-8", 200),
        (f"{FORM}; fhirVersion=4.0", 200),
        (f"{FORM}; fhirVersion=3.0", 415),
        ("application/fhir+json", 415),
        ("multipart/form-data; boundary=x", 415),
        ("nonsense", 415),
    ],
)
def test_a_search_is_posted_as_a_form_or_415(fetch: Fetch, content_type: str, status: int) -> None:
    answer = fetch("Observation/_search", method="POST", data=b"code=1", content_type=content_type)

    assert answer.status == status
