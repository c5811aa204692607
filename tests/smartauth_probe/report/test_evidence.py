"""What was sent stands in a report, and nothing of a record that was copied for it."""

import json
import re
from collections.abc import Mapping
from http.client import HTTPMessage
from urllib.parse import quote, quote_plus

import pytest

from smartauth_probe.report.evidence import Evidence
from smartauth_probe.requests import Presentation
from smartauth_probe.target.answer import Answer
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


PRIVATE = {
    "Smith+Jones": "a name of B",
    "Smith": "a given name of B",
    "urn:c|O+": "a code of B",
    "Müller": "a name of C",
    "van Smith": "a long name of B",
}


def asked(query: str, body: str = "") -> str:
    return Evidence(PRIVATE).request(
        Exchange(Presentation("Patient", query=query, body=body), "a token", None), "/fhir"
    )


def answered(headers: Mapping[str, str], *, is_full: bool = False, body: object = None) -> str:
    message = HTTPMessage()
    for name, value in headers.items():
        message[name] = value
    resource = body if isinstance(body, dict) else {}
    answer = Answer(302, message, resource=resource)
    return Evidence(PRIVATE, is_full).answer(Exchange(Presentation("Patient"), "a token", answer))


@pytest.mark.parametrize(("value", "words"), [*PRIVATE.items()])
def test_a_value_of_a_record_is_hidden_whatever_its_characters_mean_in_an_address(value: str, words: str) -> None:
    for query in (f"family={quote_plus(value)}", f"family={quote(value)}", f"_has=x%3D{quote_plus(quote_plus(value))}"):
        for shown in (asked(query), asked("", query)):
            assert f"({words})" in shown
            assert "Smith" not in shown
            assert "Jones" not in shown
            assert "O " not in shown


def test_what_is_from_no_record_is_decoded_once() -> None:
    assert "?code=urn:c|A+&name=50%25 HTTP" in asked("code=urn%3Ac%7CA%2B&name=50%2525")


def in_lower_case(value: str) -> str:
    return re.sub("%..", lambda found: found[0].lower(), quote(value, safe=""))


@pytest.mark.parametrize("encode", [str, quote, quote_plus, in_lower_case])
@pytest.mark.parametrize("value", ["Smith+Jones", "urn:c|O+", "Müller", "van Smith"])
@pytest.mark.parametrize("name", ["Location", "WWW-Authenticate"])
@pytest.mark.parametrize("is_full", [False, True])
def test_a_header_of_an_answer_holds_no_value_of_a_record(name: str, value: str, encode: object, is_full: bool) -> None:
    assert callable(encode)

    for text in (f"https://h/fhir/{encode(value)}", f"https://h/fhir/Patient?family={encode(value)}&_count=1"):
        shown = answered({name: text}, is_full=is_full)

        assert not [each for each in (value, encode(value), "Smith", "O+", "ller") if each in shown]


def test_a_value_at_the_end_of_a_long_header_is_hidden_before_it_is_cut() -> None:
    shown = answered({"WWW-Authenticate": f"{'x' * 295}Smith+Jones"})

    assert "Smith" not in shown


def test_of_the_address_of_a_redirect_no_value_is_shown_that_it_searches_by() -> None:
    """A server may know more of a patient than the probe has read."""
    address = "https://h/fhir/Patient?family=Mustermann&_id=b#given=Eva"

    assert "Location: https://h/fhir/Patient?family=… (cut)&_id=… (cut)#given=… (cut)" in answered(
        {"Location": address}
    )
    assert address in answered({"Location": address}, is_full=True)


def test_a_code_of_an_outcome_and_the_reason_of_no_answer_hold_no_value_of_a_record() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "no Smith"}]}
    unanswered = Evidence(PRIVATE).answer(Exchange(Presentation("Patient"), "", None, "BadStatusLine Smith"))

    assert "no (a given name of B)" in answered({}, body=outcome)
    assert unanswered == "no answer: BadStatusLine (a given name of B)"


def test_a_body_that_is_no_form_holds_no_value_of_a_record_however_json_writes_it() -> None:
    assert "ller" not in shown_with_private({"resourceType": "Observation", "subject": {"display": "Müller"}})


def shown_with_private(body: object) -> str:
    return asked("", json.dumps(body))
