"""The decision over a FHIR request: what a token may do, and what of an answer may be shown."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart.decisions.decide import decide
from smart.decisions.decision import Decision, Denial, DenialReason
from smart.decisions.question import Question, question_of_http
from smart.decisions.subject import Subject
from smart.decisions.view import Compartments, Everybody, OwnRecord, Reach
from smart.fhir.definitions import definitions
from smart.scopes.scope_sets import parse_scopes

BASE = "https://fhir.example.org/r4"
R4 = definitions("r4")
LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def patients_app(scope: str, patient: str = "A") -> Subject:
    return Subject(parse_scopes(scope), patient=patient)


def service(scope: str) -> Subject:
    return Subject(parse_scopes(scope), is_backend=True)


def user(scope: str, *patients: str, own: tuple[str, str] = ("Practitioner", "p")) -> Subject:
    return Subject(parse_scopes(scope), patients=frozenset(patients), own_record=own)


def asked(
    subject: Subject,
    question: Question | str,
    *,
    applies_views: bool = True,
    is_entry: bool = False,
    version: str = "r4",
) -> Decision:
    if isinstance(question, str):
        question = question_of_http(*question.split(" "))
    return decide(Reach(subject, version, BASE), question, applies_views=applies_views, is_entry=is_entry)


def denial(found: Decision) -> Denial:
    assert found.denial is not None
    return found.denial


def observation(patient: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o", "subject": {"reference": f"Patient/{patient}"}, **members}


@pytest.mark.requirement("SR-12", "SR-13")
def test_a_patients_app_sees_the_compartment_of_its_patient_and_nothing_else() -> None:
    found = asked(patients_app("patient/*.rs"), "GET Observation?code=x")
    assert found.allowed
    assert not found.is_final
    (alternative,) = found.views["Observation"]
    assert alternative.who == Compartments(frozenset({"A"}))
    assert alternative.where == ()


@pytest.mark.requirement("SY-03")
def test_a_service_that_may_see_everything_is_told_so_without_conditions() -> None:
    found = asked(service("system/*.rs"), "GET Observation", applies_views=False)
    assert found.allowed
    assert found.is_final
    assert [one.who for one in found.views["Observation"]] == [Everybody()]


def test_who_does_not_apply_views_gets_no_conditional_yes() -> None:
    found = asked(patients_app("patient/*.rs"), "GET Observation", applies_views=False)
    assert not found.allowed
    assert denial(found).reason is DenialReason.NEEDS_VIEW
    assert denial(found).refusal.status == 403


@pytest.mark.requirement("GR-15")
def test_granular_scopes_are_alternatives_with_their_criteria() -> None:
    scope = f"patient/Observation.rs?category={LABORATORY} patient/Observation.s?code=x"
    found = asked(patients_app(scope), "GET Observation")
    where = [{(each.parameter.name, each.values) for each in one.where} for one in found.views["Observation"]]
    assert where == [{("category", (LABORATORY,))}, {("code", ("x",))}]
    assert len(asked(patients_app(scope), "GET Observation/o").views["Observation"]) == 1  # only the first has an r


@pytest.mark.requirement("GR-15")
def test_a_scope_that_cannot_be_evaluated_opens_nothing() -> None:
    found = asked(patients_app("patient/Observation.rs?code:in=x patient/Observation.rs?odd=1"), "GET Observation")
    assert denial(found).reason is DenialReason.INSUFFICIENT_SCOPE


@pytest.mark.requirement("SCP-05")
def test_patient_and_user_scopes_of_one_token_add_up() -> None:
    subject = Subject(
        parse_scopes("patient/Observation.rs user/Observation.rs"),
        patient="A", patients=frozenset({"A", "C"}), own_record=("Practitioner", "p"),
    )  # fmt: skip
    reached = [one.who for one in asked(subject, "GET Observation").views["Observation"]]
    assert reached == [Compartments(frozenset({"A"})), Compartments(frozenset({"A", "C"}))]


@pytest.mark.requirement("ID-03")
def test_the_own_record_is_read_with_fhir_user_alone() -> None:
    subject = user("openid fhirUser")
    assert [one.who for one in asked(subject, "GET Practitioner/p").views["Practitioner"]] == [
        OwnRecord("Practitioner", "p")
    ]
    assert denial(asked(subject, "GET Practitioner")).reason is DenialReason.INSUFFICIENT_SCOPE
    assert denial(asked(subject, "GET Patient/A")).reason is DenialReason.INSUFFICIENT_SCOPE


@pytest.mark.requirement("SCP-02")
@pytest.mark.parametrize(
    ("request_line", "letter"),
    [
        ("GET Observation/o", "r"),
        ("HEAD Observation/o", "r"),
        ("GET Observation/o/_history", "r"),
        ("GET Observation/o/_history/1", "r"),
        ("GET Observation", "s"),
        ("POST Observation/_search", "s"),
        ("GET Observation/_history", "s"),
        ("POST Observation", "c"),
        ("PUT Observation/o", "u"),
        ("PATCH Observation/o", "u"),
        ("DELETE Observation/o", "d"),
    ],
)
def test_each_interaction_needs_its_letter_and_no_other_will_do(request_line: str, letter: str) -> None:
    others = "".join(each for each in "cruds" if each != letter)
    assert asked(patients_app(f"patient/Observation.{letter}"), request_line).allowed
    refused = asked(patients_app(f"patient/Observation.{others}"), request_line)
    assert denial(refused).reason is DenialReason.INSUFFICIENT_SCOPE
    assert (
        denial(refused).refusal.headers(BASE)["WWW-Authenticate"]
        == f'Bearer realm="{BASE}", error="insufficient_scope"'
    )


@pytest.mark.requirement("SD-23")
@pytest.mark.parametrize(
    "request_line",
    [
        "GET ",
        "POST ",
        "GET Observations",
        "GET observation/o",
        "GET Parameters$",
        "GET Observation/$lastn",
        "POST Observation/o/$validate",
        "GET Patient/A/Observation",
        "GET Patient/A/*",
        "GET Observation/o/_history/1/2",
        "GET Observation/o_1",
        "OPTIONS Observation",
        "PURGE Observation/o",
        "POST Observation/o",
        "GET $export",
        "GET _history",
        "POST _search",
        "GET Observation/../Patient/B",
        "GET Observation/..",
        "GET Observation/./_history",
        "GET Observation/o/_history/..",
        "GET Observation%2F..%2FPatient/B",
    ],
)
def test_what_is_not_known_is_refused_whatever_the_token_allows(request_line: str) -> None:
    assert denial(asked(service("system/*.cruds"), request_line)).reason is DenialReason.UNKNOWN_INTERACTION


@pytest.mark.requirement("SR-08", "SR-09", "SR-10", "SR-11", "SR-16", "SR-05")
@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("subject.name=B", "subject.name"),
        ("subject:Patient.name=B", "subject:Patient.name"),
        ("_has:Provenance:target:agent=x", "_has:Provenance:target:agent"),
        ("_filter=code eq x", "_filter"),
        ("_query=named", "_query"),
        ("_list=l", "_list"),
        ("_in=Group/g", "_in"),
        ("_graph=g", "_graph"),
        ("_not-referenced=Observation:subject", "_not-referenced"),
        ("_contained=both", "_contained"),
        ("_sort=subject.name", "_sort"),
        ("_include=*", "_include"),
        ("_include=Observation:*", "_include"),
        ("_include=*:*", "_include"),
        ("_include=Observation:unheard-of", "_include"),
        ("_include=Observation:subject:Unheard", "_include"),
        ("_include=ActivityDefinition:composed-of", "_include"),
        ("_include=Observation:nothing:Patient", "_include"),
        ("_revinclude=Unheard:subject", "_revinclude"),
        ("_include:iterate=Observation:subject", "_include:iterate"),
        ("_revinclude=*", "_revinclude"),
    ],
)
def test_a_parameter_that_looks_at_other_records_is_refused_but_for_who_may_see_all(query: str, refused: str) -> None:
    found = asked(patients_app("patient/*.cruds"), Question("search-type", "Observation", **_of(query)))
    assert denial(found).reason is DenialReason.PARAMETER_REFUSED
    assert denial(found).parameters == (refused,)
    assert denial(found).refusal.status == 400
    assert asked(service("system/*.cruds"), Question("search-type", "Observation", **_of(query))).allowed
    assert not asked(service("system/Observation.cruds"), Question("search-type", "Observation", **_of(query))).allowed


def _of(query: str) -> dict[str, Any]:
    found = question_of_http("GET", f"Observation?{query}")
    return {name: getattr(found, name) for name in ("parameters", "include", "revinclude", "sort")}


@pytest.mark.requirement("SR-04", "SR-05", "SR-06")
def test_an_included_type_has_a_view_of_its_own_and_without_a_scope_an_empty_one() -> None:
    found = asked(
        patients_app("patient/Observation.rs patient/Encounter.r"),
        "GET Observation?_include=Observation:subject&_include=Observation:encounter&_revinclude=Provenance:target",
    )
    assert found.views["Patient"] == ()
    assert found.views["Provenance"] == ()
    assert [one.who for one in found.views["Encounter"]] == [Compartments(frozenset({"A"}))]


@pytest.mark.parametrize(
    ("request_line", "content", "before", "status"),
    [
        ("GET Observation/o", observation("A"), None, None),
        ("GET Observation/o", observation("B"), None, 404),
        ("GET Observation/o", {"resourceType": "Observation"}, None, 404),
        ("GET Observation/o", {"resourceType": "Patient", "id": "A"}, None, 404),
        ("GET Observation/o", observation("A", id="other"), None, 404),
        ("GET Observation/o", ["no resource"], None, 404),
        ("GET Patient/A", {"resourceType": "Patient", "id": "A"}, None, None),
        ("GET Patient/B", {"resourceType": "Patient", "id": "B"}, None, 404),
        ("GET Practitioner/p", {"resourceType": "Practitioner", "id": "p"}, None, 404),  # nobody can tell whose
        ("POST Observation", observation("A"), None, None),
        ("POST Observation", observation("B"), None, 403),
        ("PUT Observation/o", observation("A"), observation("A"), None),
        ("PUT Observation/o", observation("A"), observation("B"), 404),
        ("PUT Observation/o", observation("B"), observation("A"), 403),
        ("DELETE Observation/o", None, observation("A"), None),
        ("DELETE Observation/o", None, observation("B"), 404),
    ],
)
@pytest.mark.requirement("PC-01", "SD-26")
def test_a_resource_that_is_sent_along_is_decided_at_once(
    request_line: str, content: Any, before: Any, status: int | None
) -> None:
    plain = question_of_http(*request_line.split(" "))
    question = Question(plain.interaction, plain.type, plain.id, content=content, content_before=before)
    found = asked(patients_app("patient/*.cruds"), question, applies_views=False)
    assert found.allowed is (status is None)
    assert (found.denial.refusal.status if found.denial else None) == status
    if status:
        assert denial(found).reason is DenialReason.NOT_IN_VIEW


def test_an_update_of_which_only_one_side_was_sent_is_not_decided_yet() -> None:
    question = Question("update", "Observation", "o", content=observation("A"))
    assert denial(asked(patients_app("patient/*.u"), question, applies_views=False)).reason is DenialReason.NEEDS_VIEW
    assert not asked(patients_app("patient/*.u"), question).is_final


@pytest.mark.parametrize("request_line", ["PUT Observation?code=x", "DELETE Observation?code=x", "PATCH Observation"])
def test_a_conditional_write_would_tell_of_other_records(request_line: str) -> None:
    refused = denial(asked(patients_app("patient/*.cruds"), request_line))
    assert (refused.reason, refused.parameters) == (DenialReason.PARAMETER_REFUSED, ("conditional",))
    assert asked(service("system/*.cruds"), request_line).allowed


@pytest.mark.parametrize(("scope", "is_allowed"), [("system/*.cud", False), ("system/*.cuds", True)])
@pytest.mark.parametrize("request_line", ["PUT Observation?code=x", "DELETE Observation?code=x", "POST Observation"])
def test_a_condition_is_a_search_and_needs_its_letter(request_line: str, scope: str, is_allowed: bool) -> None:
    question = question_of_http(*request_line.split(" "), if_none_exist="code=x")
    assert asked(service(scope), question).allowed is is_allowed


@pytest.mark.requirement("SR-08", "WR-11")
@pytest.mark.parametrize(
    ("scope", "criteria", "is_allowed"),
    [
        ("system/Observation.cruds", "code=x", True),
        ("system/Observation.cruds", "subject.name=x", False),
        ("system/Observation.cruds", "Observation?_has:Provenance:target:agent=x", False),
        ("system/*.cruds", "subject.name=x", True),
    ],
)
def test_what_a_condition_looks_at_is_judged_like_a_search(scope: str, criteria: str, is_allowed: bool) -> None:
    question = question_of_http("POST", "Observation", if_none_exist=criteria)
    assert asked(service(scope), question).allowed is is_allowed


@pytest.mark.requirement("SR-04")
@pytest.mark.parametrize(
    ("scope", "request_line", "is_final"),
    [
        ("system/Observation.rs", "GET Observation", False),
        ("system/Observation.rs", "GET Observation/o", True),
        ("system/Observation.rs system/*.s", "GET Observation", False),
        ("system/*.rs", "GET Observation", True),
        ("system/*.rs", "GET Observation?_include=*", True),
    ],
)
def test_a_whole_yes_to_a_search_says_what_else_the_answer_may_hold(
    scope: str, request_line: str, is_final: bool
) -> None:
    """A server may include what nobody asked for; who applies no views is asked for none."""
    found = asked(service(scope), request_line)

    assert found.is_final is is_final
    assert [one.who for one in found.views["Observation"]] == [Everybody()]
    assert asked(service(scope), request_line, applies_views=False).is_final


def test_what_comes_along_is_not_decided_by_the_content_of_what_is_read() -> None:
    plain = question_of_http("GET", "Patient/A?_revinclude=Observation:subject")
    question = plain._replace(content={"resourceType": "Patient", "id": "A"})
    assert denial(asked(patients_app("patient/*.rs"), question, applies_views=False)).reason is DenialReason.NEEDS_VIEW
    assert asked(patients_app("patient/*.rs"), question, applies_views=False, is_entry=True).allowed


def test_a_record_that_costs_too_much_to_compare_is_not_shown() -> None:
    """A scope of many values, and a record of many codes: an app with both would keep everybody waiting."""
    codes = [{"coding": [{"code": "no"}]}] * 1000
    many = ",".join(f"c{number}" for number in range(1000))
    content = {**observation("A"), "category": [*codes, {"coding": [{"code": "c1"}]}]}
    question = Question("read", "Observation", "o", content=content)
    assert asked(patients_app("patient/*.r?category=c1"), question).allowed
    assert asked(patients_app("patient/*.r"), question).allowed
    assert denial(asked(patients_app(f"patient/*.r?category={many}"), question)).reason is DenialReason.NOT_IN_VIEW


def test_a_code_inside_a_code_is_none_however_deep() -> None:
    code: Any = {"code": "x"}
    for _ in range(10_000):
        code = {"coding": code}
    question = Question("read", "Observation", "o", content=observation("A", category=code))
    assert denial(asked(patients_app("patient/*.r?category=x"), question)).reason is DenialReason.NOT_IN_VIEW


@pytest.mark.requirement("SR-04", "SR-05")
def test_an_include_that_nobody_can_resolve_is_no_yes() -> None:
    """A list of parameters without the values, and a reference that the version does not define."""
    without_values = Question("search-type", "Observation", parameters=("_include",))
    plain = question_of_http("GET", "Observation?_include=Observation:subject")
    undefined = question_of_http("GET", "Observation?_include=Observation:nobody")
    subject = service("system/Observation.rs")
    assert denial(asked(subject, without_values, applies_views=False)).reason is DenialReason.PARAMETER_REFUSED
    assert denial(asked(subject, undefined, applies_views=False)).reason is DenialReason.PARAMETER_REFUSED
    of_patients = asked(subject, plain, applies_views=False)  # it has no scope for them
    assert denial(of_patients).reason is DenialReason.NEEDS_VIEW


@pytest.mark.requirement("SR-01", "SR-08")
def test_the_form_of_a_search_by_post_is_judged_as_its_url() -> None:
    question = question_of_http("POST", "Observation/_search?code=x", form="_has:Provenance:target:agent=y")
    assert question.parameters == ("code", "_has:Provenance:target:agent")
    assert denial(asked(patients_app("patient/*.rs"), question)).reason is DenialReason.PARAMETER_REFUSED


@pytest.mark.requirement("WR-03", "WR-04")
@pytest.mark.parametrize("interaction", ["create", "update"])
def test_what_is_stored_names_no_other_patient_even_beside_the_own(interaction: str) -> None:
    content = observation("B", performer=[{"reference": "Patient/A"}])
    before = None if interaction == "create" else observation("A")
    question = Question(interaction, "Observation", content=content, content_before=before)
    found = asked(patients_app("patient/*.cruds"), question)
    assert denial(found).reason is DenialReason.NOT_IN_VIEW
    assert denial(found).refusal.status == 403
    read = Question("read", "Observation", "o", content=content)
    assert asked(patients_app("patient/*.cruds"), read).allowed  # it may be seen, as performed by the patient


@pytest.mark.requirement("WR-09")
def test_a_new_record_has_no_id_yet_whatever_it_says() -> None:
    patient = Question("create", "Patient", content={"resourceType": "Patient", "id": "A"})
    assert denial(asked(patients_app("patient/Patient.c"), patient)).reason is DenialReason.NOT_IN_VIEW
    own = Question("create", "Practitioner", content={"resourceType": "Practitioner", "id": "p"})
    assert denial(asked(user("user/Practitioner.c"), own)).reason is DenialReason.NOT_IN_VIEW


@pytest.mark.parametrize("odd_id", [[], {}, None, 7, True])
def test_an_id_that_is_none_belongs_to_nobody(odd_id: object) -> None:
    question = Question("search-type", "Patient", content={"resourceType": "Patient", "id": odd_id})
    assert denial(asked(patients_app("patient/Patient.s"), question, is_entry=True)).reason is DenialReason.NOT_IN_VIEW


@pytest.mark.parametrize("line", ["GET Observation", "GET Observation/_history", "GET Observation/o/_history"])
def test_the_content_of_one_entry_decides_that_entry_and_not_the_answer(line: str) -> None:
    plain = question_of_http(*line.split(" "))
    question = plain._replace(content=observation("A"))
    assert denial(asked(patients_app("patient/*.rs"), question, applies_views=False)).reason is DenialReason.NEEDS_VIEW
    assert asked(patients_app("patient/*.rs"), question, applies_views=False, is_entry=True).allowed


def test_each_type_is_looked_at_once_however_often_it_is_included() -> None:
    includes = ("Provenance:target",) * 100
    reach = Reach(patients_app("patient/Observation.rs patient/Patient.r"), "r4", BASE)
    question = Question("search-type", "Observation", include=includes)
    decide(reach, question, applies_views=True)
    assert len(reach._views) == 2  # those that the scopes open


SCOPES = st.lists(
    st.sampled_from([
        "patient/Observation.rs", "patient/*.r", f"patient/Observation.rs?category={LABORATORY}",
        "patient/Observation.rs?status=final", "user/Observation.rs", "user/Patient.rs", "system/*.rs",
        "patient/Observation.rs?code:in=x", "patient/Patient.rs", "openid", "fhirUser",
    ]),
    max_size=4,
)  # fmt: skip
RECORDS = st.builds(
    observation,
    st.sampled_from(["A", "B", "C"]),
    status=st.sampled_from(["final", "preliminary"]),
    category=st.sampled_from(
        [[], [{"coding": [{"system": LABORATORY.partition("|")[0], "code": "laboratory"}]}], [{"text": "laboratory"}]]
    ),
)
SUBJECTS = st.builds(
    Subject,
    SCOPES.map(lambda names: parse_scopes(" ".join(names))),
    patient=st.sampled_from(["", "A"]),
    patients=st.sampled_from([frozenset[str](), frozenset({"A", "C"})]),
    own_record=st.sampled_from([None, ("Patient", "A")]),
    is_backend=st.booleans(),
)


INCLUDES = st.sampled_from([
    (), ("Observation:subject",), ("Observation:encounter",), ("Observation:performer:Practitioner",),
    ("Observation:*",), ("*",), ("Observation:odd",), ("Observation:subject", "Observation:encounter"),
])  # fmt: skip
PARAMETERS = st.sampled_from([(), ("code",), ("subject.name",), ("_has:Provenance:target:agent",), ("_list",)])
BROUGHT = {  # worked out by hand from the pages of FHIR R4
    "Observation:subject": {"Patient", "Group", "Device", "Location"},
    "Observation:encounter": {"Encounter", "EpisodeOfCare"},
    "Observation:performer:Practitioner": {"Practitioner"},
}


def may_see_every(subject: Subject, name: str, letter: str) -> bool:
    """Only a backend service with a plain system/ scope over that letter and type."""
    return subject.is_backend and any(
        scope.context == "system" and not scope.query and scope.resource in ("*", name) and letter in scope.actions
        for scope in subject.scopes
    )


@pytest.mark.requirement("SD-26", "SR-04", "SR-08")
@given(subject=SUBJECTS, include=INCLUDES, parameters=PARAMETERS)
def test_a_yes_without_conditions_is_for_who_may_see_every_record_that_may_come(
    subject: Subject, include: tuple[str, ...], parameters: tuple[str, ...]
) -> None:
    question = Question("search-type", "Observation", parameters=parameters, include=include)
    answer = asked(subject, question, applies_views=False)
    if not answer.allowed:
        return
    assert may_see_every(subject, "Observation", "s")
    unclear = set(include) - BROUGHT.keys()
    if unclear or parameters not in ((), ("code",)):
        assert may_see_every(subject, "*", "r")
    for value in set(include) & BROUGHT.keys():
        assert all(may_see_every(subject, name, "r") for name in BROUGHT[value])


@pytest.mark.requirement("SD-26", "PC-01")
@given(subject=SUBJECTS, record=RECORDS, interaction=st.sampled_from(["read", "search-type"]))
def test_a_record_that_is_let_through_is_of_a_patient_that_the_scopes_reach(
    subject: Subject, record: dict[str, Any], interaction: str
) -> None:
    question = Question(interaction, "Observation", "o" if interaction == "read" else "*", content=record)
    if not asked(subject, question, applies_views=False, is_entry=True).allowed:
        return
    patient = record["subject"]["reference"].removeprefix("Patient/")
    reached = {"patient": {subject.patient}, "user": set(subject.patients), "system": {"A", "B", "C"}}
    held = {scope.context for scope in subject.scopes} & ({"system"} if subject.is_backend else {"patient", "user"})
    held |= {"patient", "user"} & {scope.context for scope in subject.scopes}
    assert any(patient in reached[context] for context in held)


@pytest.mark.requirement("ID-03")
def test_without_fhir_user_the_own_record_is_not_read() -> None:
    assert denial(asked(user("user/Observation.rs"), "GET Practitioner/p")).reason == "insufficient_scope"


@pytest.mark.requirement("US-02")
def test_a_person_who_has_no_record_there_sees_their_patients_all_the_same() -> None:
    subject = Subject(parse_scopes("user/Observation.rs"), patients=frozenset("A"))
    assert [one.who for one in asked(subject, "GET Observation").views["Observation"]] == [Compartments(frozenset("A"))]


def test_a_question_is_about_the_whole_answer_where_it_does_not_say_otherwise() -> None:
    question = question_of_http("GET", "Observation")._replace(content=observation("A"))
    reach = Reach(patients_app("patient/*.rs"), "r4", BASE)
    assert denial(decide(reach, question, applies_views=False)).reason == "needs_view"
