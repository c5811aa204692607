"""Decisions for servers of every FHIR version: the checklist's tables, and records in the shape of that version."""

import json
import time
from typing import Any

import pytest

from smart.decisions.answer import plain_answer
from smart.decisions.decide import decide
from smart.decisions.question import Question, question_of_http
from smart.decisions.ruling import rule
from smart.decisions.subject import InvalidClaims, read_subject
from smart.decisions.view import Reach
from smart.fhir.versions import FHIR_VERSIONS, resource_types
from tests.checklist import requests, tokens

BASE = "https://fhir.example.org/fhir"
OTHERS = [version for version in FHIR_VERSIONS if version != "r4"]
NOW = time.time()
LIVE = {"active": True, "aud": BASE, "exp": NOW + 60, "sub": "s", "client_id": "c"}
REQUESTS = requests(own="o", hidden="b", problem="p")
LABORATORY = "http://hl7.org/fhir/observation-category|laboratory"
LAB_CODE = {"coding": [{"system": "http://hl7.org/fhir/observation-category", "code": "laboratory"}]}


def reach(version: str, **claims: Any) -> Reach | None:
    try:
        return Reach(read_subject({**LIVE, **claims}, BASE, NOW), version, BASE)
    except InvalidClaims:
        return None


def answer(held: Reach, line: Any) -> Any:
    question = question_of_http(line.method, line.url, form=line.form)
    ruling = rule(held.subject, held.version, held.base, question, applies_views=True)
    found = json.loads(ruling.answer("{}"))
    found["context"].pop(
        "elements", None
    )  # the shapes of records are what versions differ in, and what references name
    if "view" in found["context"]:
        found["context"]["view"] = {name: found["context"]["view"].get(name) for name in (question.type, "Patient")}
    return found


@pytest.mark.requirement("SD-09", "SCP-08")
@pytest.mark.parametrize("version", OTHERS)
def test_each_line_of_the_checklist_is_decided_as_for_r4_where_the_version_has_the_type(version: str) -> None:
    compared = 0
    for name, claims in tokens(BASE).items():
        held, of_r4 = reach(version, **claims), reach("r4", **claims)
        assert (held is None) is (of_r4 is None), name
        for line in REQUESTS if held and of_r4 else []:
            assert held is not None
            assert of_r4 is not None
            kind = line.url.partition("?")[0].partition("/")[0]
            found = answer(held, line)
            if kind in resource_types("r4") and kind not in resource_types(version):
                assert found["context"]["reason"] == "unknown_interaction", (name, line)
            elif "Provenance" not in line.url:  # which DSTU2 and STU3 define by other parameters
                assert found == answer(of_r4, line), (name, line)
                compared += 1
    assert compared > 2000


RECORDS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "dstu2": [
        ("Observation", {"subject": "{}", "category": LAB_CODE}),
        ("Condition", {"patient": "{}"}),
        ("DiagnosticOrder", {"subject": "{}"}),
        ("MedicationOrder", {"patient": "{}"}),
        ("AllergyIntolerance", {"patient": "{}"}),
    ],
    "stu3": [
        ("Observation", {"subject": "{}", "category": [LAB_CODE]}),
        ("Condition", {"subject": "{}"}),
        ("MedicationRequest", {"subject": "{}"}),
        ("AllergyIntolerance", {"patient": "{}"}),
        ("ProcedureRequest", {"subject": "{}"}),
    ],
    "r4b": [
        ("Observation", {"subject": "{}", "category": [LAB_CODE]}),
        ("Condition", {"subject": "{}"}),
        ("MedicationRequest", {"subject": "{}"}),
        ("ServiceRequest", {"subject": "{}"}),
    ],
    "r5": [
        ("Observation", {"subject": "{}", "category": [LAB_CODE]}),
        ("Condition", {"subject": "{}"}),
        ("Condition", {"participant": [{"actor": "{}"}]}),
        ("MedicationRequest", {"subject": "{}"}),
        ("Immunization", {"patient": "{}"}),
    ],
}
CASES = [(version, kind, members) for version, records in RECORDS.items() for kind, members in records]


def shown(version: str, kind: str, members: dict[str, Any], patient: str, scope: str) -> bool:
    """Whether the record of that patient may be shown to amy's app."""
    reference = json.dumps({"reference": f"Patient/{patient}"})
    content = {"resourceType": kind, "id": "x", **json.loads(json.dumps(members).replace('"{}"', reference))}
    held = reach(version, scope=scope, patient="amy")
    assert held is not None
    entry = Question("read", kind, "x", content=content)
    return bool(plain_answer(decide(held, entry, applies_views=False, is_entry=True), base=BASE)["decision"])


@pytest.mark.requirement("PC-01", "PC-02")
@pytest.mark.parametrize(("version", "kind", "members"), CASES)
def test_a_record_is_in_the_compartment_that_its_version_defines(
    version: str, kind: str, members: dict[str, Any]
) -> None:
    assert shown(version, kind, members, "amy", "patient/*.r")
    assert not shown(version, kind, members, "ben", "patient/*.r")
    assert not shown(version, kind, {}, "amy", "patient/*.r")


@pytest.mark.requirement("GR-03", "GR-15")
@pytest.mark.parametrize("version", OTHERS)
def test_a_granular_scope_opens_what_it_names_in_the_shape_of_the_version(version: str) -> None:
    kind, members = RECORDS[version][0]
    exam = json.loads(json.dumps(members).replace("laboratory", "exam"))
    scope = f"patient/Observation.rs?category={LABORATORY}"

    assert shown(version, kind, members, "amy", scope)
    assert not shown(version, kind, members, "ben", scope)
    assert not shown(version, kind, exam, "amy", scope)
    assert not shown(version, kind, {**members, "category": None}, "amy", scope)
    assert not shown(version, kind, members, "amy", "patient/Observation.rs?nonsense=1")
