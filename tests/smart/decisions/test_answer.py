"""An answer lets through what the check of each entry does, where it is applied as docs/decisions.md says."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart.decisions.answer import answer, plain_answer
from smart.decisions.decide import decide
from smart.decisions.question import Question, question_of_http
from smart.decisions.subject import Subject
from smart.decisions.view import Reach
from smart.scopes.scope_sets import parse_scopes

BASE = "https://fhir.example.org/r4"
SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-category"
VIEWED = ("Patient", "Observation", "Condition", "Encounter", "Practitioner")
# where the patients of a record stand, by hand from FHIR R4's compartment definition
PATIENTS_AT = {"Observation": ("subject", "performer"), "Condition": ("subject", "asserter"), "Encounter": ("subject",)}
GRANULAR = (
    f"category={SYSTEM}|laboratory",
    "status=final",
    "status=final,amended&code=x",
    "category:in=x",
    "nonsense=1",
)
SCOPES = st.lists(
    st.builds(
        "{}/Observation.{}?{}".format,
        st.sampled_from(["patient", "user"]),
        st.sampled_from(["rs", "s"]),
        st.sampled_from(GRANULAR),
    )
    | st.builds(
        "{}/{}.{}".format,
        st.sampled_from(["patient", "user", "system"]),
        st.sampled_from(["*", *VIEWED]),
        st.sampled_from(["rs", "r", "s", "cruds", "read"]),
    )
    | st.sampled_from(["openid", "fhirUser"]),
    min_size=1,
    max_size=3,
)
SUBJECTS = st.builds(
    Subject,
    SCOPES.map(lambda names: parse_scopes(" ".join(names))),
    patient=st.sampled_from(["A", "A", ""]),
    patients=st.sampled_from([frozenset[str](), frozenset({"C"}), frozenset({"A", "C"})]),
    own_record=st.sampled_from([None, ("Patient", "A"), ("Practitioner", "p")]),
    is_backend=st.sampled_from([False, False, True]),
)
REFERENCES = st.sampled_from(
    [
        "Patient/A",
        "Patient/A",
        "Patient/B",
        "Patient/C/_history/2",
        f"{BASE}/Patient/A",
        "Group/A",
        "https://other.example/Patient/A",
        "#A",
        "Practitioner/p",
    ]
).map(lambda text: {"reference": text})
CODINGS = st.sampled_from(
    [
        {"system": SYSTEM, "code": "laboratory"},
        {"system": SYSTEM, "code": "exam"},
        {"code": "x"},
        {"system": "urn:other", "code": "laboratory"},
    ]
)
RECORDS = st.fixed_dictionaries(
    {
        "resourceType": st.sampled_from(["Observation", "Observation", *VIEWED]),
        "id": st.sampled_from(["A", "B", "C", "p", "o"]),
    },
    optional={
        "subject": REFERENCES,
        "performer": st.lists(REFERENCES, max_size=2),
        "asserter": REFERENCES,
        "status": st.sampled_from(["final", "amended", "draft"]),
        "category": st.lists(st.fixed_dictionaries({"coding": st.lists(CODINGS, max_size=2)}), max_size=2),
        "code": st.fixed_dictionaries({"coding": st.lists(CODINGS, max_size=2)}),
    },
)
QUERIES = st.lists(
    st.sampled_from(
        [
            "code=x",
            "status=draft",
            "_count=0",
            "patient=A,B",
            "_include=Observation:subject",
            "_include=Observation:encounter",
            "_revinclude=Observation:subject",
            "subject.name=x",
            "_include=Observation:performer",
            "_include=*",
        ]
    ),
    max_size=3,
    unique=True,
).map("&".join)
LINES = st.builds(
    "{}?{}".format,
    st.sampled_from([*VIEWED, "Observation", "Observation/o", "Patient/A", "Observation/_history"]),
    QUERIES,
)


def shows(context: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether a FHIR server that applies the view lets the record through. Without a view all may be shown."""
    if "view" not in context:
        return True
    return any(is_in(context["sets"], one, record) for one in context["view"].get(record["resourceType"], []))


def is_in(sets: dict[str, list[str]], alternative: dict[str, Any], record: dict[str, Any]) -> bool:
    assert set(alternative) == {"who", "where"}
    return is_of(sets, alternative["who"], record) and all(is_met(one, record) for one in alternative["where"])


def is_of(sets: dict[str, list[str]], who: Any, record: dict[str, Any]) -> bool:
    if who == "all":
        return True
    ((form, named),) = who.items()
    if form == "self":
        return bool(named == f"{record['resourceType']}/{record['id']}")
    reached = [one.removeprefix("Patient/") for one in named] if form == "compartments" else sets[named]
    return any(patient in reached for patient in patients_of(record))


def patients_of(record: dict[str, Any]) -> list[str]:
    if record["resourceType"] == "Patient":
        return [record["id"]]
    found = [record.get(name, []) for name in PATIENTS_AT.get(record["resourceType"], ())]
    references = [one for each in found for one in (each if isinstance(each, list) else [each])]
    paths = [one["reference"].removeprefix(f"{BASE}/").split("/") for one in references]
    return [path[1] for path in paths if path[0] == "Patient"]


def is_met(criterion: dict[str, Any], record: dict[str, Any]) -> bool:
    element = record.get(criterion["name"])
    if isinstance(element, str):
        return element in criterion["values"]
    concepts = element if isinstance(element, list) else [element or {}]
    codings = [coding for concept in concepts for coding in concept.get("coding", [])]
    spelled = [{one["code"], f"{one.get('system', '')}|{one['code']}"} for one in codings]
    return any(value in each for value in criterion["values"] for each in spelled)


@pytest.mark.requirement("SD-25", "SD-26", "GR-12", "GR-15", "SR-04")
@settings(max_examples=300, deadline=None)
@given(subject=SUBJECTS, line=LINES, records=st.lists(RECORDS, min_size=1, max_size=6))
def test_what_an_answer_lets_through_is_what_the_check_of_each_entry_lets_through(
    subject: Subject, line: str, records: list[dict[str, Any]]
) -> None:
    reach, question = Reach(subject, "r4", BASE), question_of_http("GET", line)
    found = answer(decide(reach, question, applies_views=True), version="r4", base=BASE, claims={})
    if not found["decision"]:
        return
    for record in records:
        name = record["resourceType"]
        interaction = question.interaction if name == question.type else "read"
        entry = Question(interaction, name, record["id"], content=record)
        by_itself = plain_answer(decide(reach, entry, applies_views=False, is_entry=True), base=BASE)["decision"]
        if name == question.type:
            assert shows(found["context"], record) is by_itself
        elif name in found["context"].get("view", {}):
            assert by_itself or not shows(found["context"], record)
