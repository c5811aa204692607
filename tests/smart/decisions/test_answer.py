"""An answer lets through what the check of each entry does, where it is applied as docs/decisions.md says."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart.decisions.answer import claims_json, plain_answer
from smart.decisions.decide import decide
from smart.decisions.question import Question, question_of_http
from smart.decisions.ruling import rule
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
    found = json.loads(rule(subject, "r4", BASE, question, applies_views=True).answer("{}"))
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


# The wire form

LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
PATIENT, OWN = {"patient": "A"}, ("Practitioner", "p")


def decided(scope: str, url: str, **subject: Any) -> dict[str, Any]:
    of = Subject(parse_scopes(scope), **subject)
    ruling = rule(of, "r4", BASE, question_of_http("GET", url), applies_views=True)
    found: dict[str, Any] = json.loads(ruling.answer(claims_json({"sub": "s", "jti": "j"})))
    return found


@pytest.mark.requirement("SR-12", "SR-13")
@pytest.mark.parametrize(
    ("scope", "subject", "who", "sets"),
    [
        ("patient/Practitioner.r", PATIENT, [{"compartments": ["Patient/A"]}], {}),
        (
            "user/Practitioner.r",
            {"patients": frozenset("BA"), "own_record": OWN},
            [{"compartments_of": "$user"}, {"self": "Practitioner/p"}],
            {"$user": ["A", "B"]},
        ),
        (
            "user/Practitioner.r",
            {"patients": frozenset("B"), "own_record": OWN},
            [{"compartments": ["Patient/B"]}, {"self": "Practitioner/p"}],
            {},
        ),
        (
            "user/Practitioner.r",
            {"own_record": OWN},
            [{"compartments_of": "$user"}, {"self": "Practitioner/p"}],
            {"$user": []},
        ),
    ],
)
def test_a_view_says_whose_records_may_be_shown(
    scope: str, subject: dict[str, Any], who: list[Any], sets: dict[str, Any]
) -> None:
    context = decided(scope, "Practitioner/p", **subject)["context"]

    assert context["view"] == {"Practitioner": [{"who": one, "where": []} for one in who]}
    assert context["sets"] == sets


def test_more_patients_than_an_answer_can_list_are_counted() -> None:
    many = frozenset(f"{number:064}" for number in range(10_001))
    text = json.dumps(decided("user/*.rs", "Observation?_include=Observation:subject", patients=many)["context"])
    listed = decided("user/*.rs", "Observation", patients=frozenset(sorted(many)[1:]))["context"]

    context, view = json.loads(text), [{"who": {"unlisted_compartments": 10_001}, "where": []}]
    assert (context["view"]["Observation"], context["sets"]) == (view, {})
    assert len(listed["sets"]["$user"]) == 10_000
    assert listed["view"]["Observation"] == [{"who": {"compartments_of": "$user"}, "where": []}]
    assert len(json.dumps(listed)) < 1_000_000  # what the middleware reads


@pytest.mark.requirement("GR-15")
@pytest.mark.parametrize(
    ("scope", "subject", "who", "elements"),
    [
        (
            "patient",
            PATIENT,
            {"compartments": ["Patient/A"]},
            ["category", "id", "performer", "resourceType", "subject"],
        ),
        ("system", {"is_backend": True}, "all", ["category", "resourceType"]),
    ],
)
def test_a_view_names_the_elements_that_it_reads(
    scope: str, subject: dict[str, Any], who: Any, elements: list[str]
) -> None:
    context = decided(f"{scope}/Observation.rs?category={LABORATORY}", "Observation", **subject)["context"]

    where = [{"name": "category", "values": [LABORATORY]}]
    assert context["view"] == {"Observation": [{"who": who, "where": where}]}
    assert context["elements"] == {"Observation": elements}


@pytest.mark.requirement("SY-03")
def test_where_nothing_is_left_to_look_at_there_is_no_view() -> None:
    found = decided("system/*.rs", "Observation", is_backend=True)

    assert found == {"decision": True, "context": {"claims": {"sub": "s"}}}


@pytest.mark.requirement("PC-02", "TV-20")
def test_a_refusal_and_what_is_hidden_have_status_headers_and_an_outcome() -> None:
    context = decided("patient/*.rs", "Observation", **PATIENT)["context"]
    refused = decided("patient/Patient.rs", "Observation", **PATIENT)

    assert context["hide"]["http"] == {"status": 404, "headers": {}}
    assert context["hide"]["outcome"]["resourceType"] == "OperationOutcome"
    assert (refused["decision"], refused["context"]["reason"]) == (False, "insufficient_scope")
    assert refused["context"]["http"]["status"] == 403
    assert refused["context"]["outcome"]["resourceType"] == "OperationOutcome"
    assert "refuse" not in refused["context"]


@pytest.mark.requirement("SR-08")
def test_parameters_that_must_not_be_evaluated_are_named() -> None:
    refused = decided("patient/*.rs", "Observation?subject.name=x", **PATIENT)["context"]

    assert (refused["reason"], refused["refuse"]) == ("parameter_refused", ["subject.name"])


@pytest.mark.parametrize("value", ['a"b\\', "\u2028é\n", True, False, None, 7, 1.5, ["x"], {"a": "b"}])
def test_claims_stand_in_the_answer_as_they_are(value: Any) -> None:
    subject = Subject(parse_scopes("patient/*.rs"), patient="A")
    ruling = rule(subject, "r4", BASE, question_of_http("GET", "Observation"), applies_views=True)

    found = json.loads(ruling.answer(claims_json({"sub": value, "exp": value, "jti": value})))

    assert repr(found["context"]["claims"]) == repr({"sub": value, "exp": value})


def test_one_of_many_entries_is_told_without_a_view() -> None:
    reach = Reach(Subject(parse_scopes("patient/*.rs"), patient="A"), "r4", BASE)
    seen, unknown = (
        decide(reach, question_of_http("GET", url), applies_views=True) for url in ("Observation", "Nothing")
    )

    assert plain_answer(seen, base=BASE) == {"decision": True}
    assert plain_answer(unknown, base=BASE)["decision"] is False


def test_an_element_inside_of_another_is_named_by_its_path() -> None:
    elements = decided("patient/*.rs", "Appointment", **PATIENT)["context"]["elements"]

    assert "participant.actor" in elements["Appointment"]
