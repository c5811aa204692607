"""What was sent stands in a report, and nothing of a record that was copied for it."""

import json

import pytest

from smartauth_probe.report.evidence import Evidence
from smartauth_probe.requests import Presentation
from smartauth_probe.target.client import Exchange

pytestmark = pytest.mark.one_engine
RESULT = {"resourceType": "Observation", "subject": {"reference": "Patient/b"}, "valueString": "reactive", "code": {}}


def shown(body: object) -> str:
    request = Presentation("Observation", "POST", body=json.dumps(body))
    return Evidence().request(Exchange(request, "a token", None), "/fhir")


@pytest.mark.parametrize(
    "body", [RESULT, {"resourceType": "Bundle", "entry": [{"request": {"method": "POST"}, "resource": RESULT}]}]
)
def test_of_a_copied_record_there_is_its_patient_and_not_what_it_says(body: object) -> None:
    assert "Patient/b" in shown(body)
    assert "reactive" not in shown(body)


def test_a_patch_and_the_parameters_of_an_operation_are_shown_whole() -> None:
    patch = [{"op": "replace", "path": "/status", "value": "amended"}]

    assert json.dumps(patch) in shown(patch)


@pytest.mark.parametrize(
    ("path", "base_path", "line"),
    [
        ("Patient/b/", "/fhir", "GET /fhir/Patient/b/ HTTP/1.1"),
        ("", "/fhir", "GET /fhir HTTP/1.1"),
        ("", "", "GET / HTTP/1.1"),
        ("Patient", "", "GET /Patient HTTP/1.1"),
    ],
)
def test_the_request_is_told_with_each_of_its_slashes(path: str, base_path: str, line: str) -> None:
    """Who repeats it shall get the same answer."""
    assert Evidence().request(Exchange(Presentation(path), "a token", None), base_path) == line
