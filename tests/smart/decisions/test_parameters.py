"""Which parameters are refused to everybody: those that bring an access token."""

import pytest

from smart.decisions.decide import CASCADE, decide
from smart.decisions.decision import DenialReason
from smart.decisions.question import Question, question_of_http
from smart.decisions.subject import Subject
from smart.decisions.view import Reach
from smart.fhir.versions import resource_types
from smart.scopes.scope_sets import parse_scopes

BASE = "https://fhir.example.org/r4"
AN_APP = Subject(parse_scopes("patient/*.cruds"), patient="A")
OF_A = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/A"}}
SEES_ALL = Subject(parse_scopes("system/*.cruds"), is_backend=True)
ASKED = [
    question_of_http("GET", "Observation?_count=1&access_token=x"),
    question_of_http("GET", "Observation/o?%61ccess_token=x"),
    question_of_http("GET", "Observation?code=y;ACCESS_TOKEN=x"),
    question_of_http("GET", "?_type=Observation&access_token[]=x"),
    question_of_http("POST", "Observation/_search", form="access_token=x"),
    question_of_http("POST", "Observation?access_token=x"),
    question_of_http("POST", "Observation", if_none_exist="access_token=x"),
    question_of_http("DELETE", "Observation/o?access_token"),
]


@pytest.mark.requirement("TV-17", "TV-18", "SR-15")
@pytest.mark.parametrize("subject", [AN_APP, SEES_ALL], ids=["app", "backend service"])
@pytest.mark.parametrize("question", ASKED, ids=lambda one: f"{one.interaction} {one.parameters[-1]}")
def test_a_token_among_the_parameters_is_refused_to_everybody(subject: Subject, question: Question) -> None:
    """In the URL, a form or a condition, as some server may spell it (RFC 6750 §2, §3.1)."""
    denial = decide(Reach(subject, "r4", BASE), question, applies_views=True, spans_types=True).denial

    assert denial is not None
    assert (denial.reason, denial.refusal.status) == (DenialReason.PARAMETER_REFUSED, 400)
    assert denial.refusal.headers(BASE) == {"WWW-Authenticate": f'Bearer realm="{BASE}", error="invalid_request"'}
    assert denial.parameters == question.parameters[-1:]
    assert denial.why["rule"] == "TV-17"


def test_a_parameter_that_is_like_a_token_by_its_name_alone_is_none() -> None:
    question = question_of_http("GET", "Observation?access_token_type=x&code=access_token")

    assert decide(Reach(AN_APP, "r4", BASE), question, applies_views=True).allowed


@pytest.mark.requirement("SR-08", "SR-09", "WR-11")
@pytest.mark.parametrize(
    ("scope", "query", "refused"),
    [
        ("patient/*.rs", "subject:Patient.name=x", ()),
        ("patient/Observation.rs patient/Patient.s", "subject:Patient.name=x", ()),
        ("patient/Observation.rs patient/Patient.r", "subject:Patient.name=x", ("subject:Patient.name",)),
        ("patient/*.rs", "subject.name=x", ("subject.name",)),
        ("patient/*.rs", "_has:Provenance:target:agent=x", ()),
        ("patient/*.rs", "_include:iterate=Observation:subject", ()),
        ("patient/*.rs", "_include:iterate=Observation:nothing", ("_include:iterate", "_include")),
    ],
)
def test_who_looks_among_the_records_of_views_may_evaluate_more(
    scope: str, query: str, refused: tuple[str, ...]
) -> None:
    subject, question = Subject(parse_scopes(scope), patient="A"), question_of_http("GET", f"Observation?{query}")

    found = decide(Reach(subject, "r4", BASE), question, applies_views=True, matches_in_view=True)
    strict = decide(Reach(subject, "r4", BASE), question, applies_views=True)

    assert (found.denial.parameters if found.denial else ()) == refused
    assert strict.denial is not None


@pytest.mark.requirement("SR-08", "WR-11")
@pytest.mark.parametrize(
    ("scope", "line", "refused"),
    [
        ("system/Observation.us", "PUT Observation?code=x", ()),
        ("system/Observation.s system/Observation.u?code=http://x|1", "PUT Observation?code=x", ("conditional",)),
        ("system/Observation.u system/Observation.s?code=http://x|1", "PUT Observation?code=x", ("conditional",)),
        (
            "system/Observation.rs system/Patient.rs",
            "GET Observation/_history?subject:Patient.name=x",
            ("subject:Patient.name",),
        ),
    ],
)
def test_a_condition_is_for_who_may_change_and_find_all_and_a_chain_is_one_of_a_search(
    scope: str, line: str, refused: tuple[str, ...]
) -> None:
    subject, question = Subject(parse_scopes(scope), is_backend=True), question_of_http(*line.split(" "))

    strict = decide(Reach(subject, "r4", BASE), question, applies_views=True).denial
    found = decide(Reach(subject, "r4", BASE), question, applies_views=True, matches_in_view="_history" in line).denial

    assert (strict.parameters if strict else ()) == (found.parameters if found else ()) == refused


@pytest.mark.requirement("SR-04", "SR-09")
@pytest.mark.parametrize(
    ("question", "refused"),
    [
        (Question("search-type", "Observation", include=("*",)), ("_include",)),
        (Question("search-type", "Observation", revinclude=("*",)), ("_revinclude",)),
        (Question("search-type", "Observation", sort=("subject.name",)), ("_sort",)),
        (Question("search-type", "Observation"), ()),
    ],
)
def test_what_comes_along_or_sorts_is_judged_though_no_parameter_is_named(
    question: Question, refused: tuple[str, ...]
) -> None:
    denial = decide(Reach(AN_APP, "r4", BASE), question, applies_views=True).denial

    assert (denial.parameters if denial else ()) == refused


@pytest.mark.requirement("WR-14")
@pytest.mark.parametrize(
    "parameter",
    [
        "_cascade=delete", "_CASCADE=delete", "%5Fcascade=delete", "_cascade:x=delete", "_cascade[]=delete",
        "_revinclude=Observation:patient", "_revinclude:iterate=Observation:patient", "_revinclude=*",
        "_include=Patient:organization", "_include:iterate=Patient:organization",
        "_include:recurse=Patient:organization", "_INCLUDE=Patient:organization", "%5Frevinclude[]=Observation:patient",
    ],
)  # fmt: skip
@pytest.mark.parametrize("url", ["Patient/A?", "Patient?_id=A&"], ids=["by id", "conditional"])
def test_a_delete_that_takes_others_along_is_refused_to_who_may_not_delete_everything(url: str, parameter: str) -> None:
    """HAPI FHIR deletes what refers to the resource, Microsoft's FHIR service what is included; no scope is asked."""
    question = question_of_http("DELETE", f"{url}{parameter}")
    subject = Subject(parse_scopes("system/Patient.cruds system/*.rs"), is_backend=True)

    denial = decide(Reach(subject, "r4", BASE), question, applies_views=True, matches_in_view=True).denial

    assert denial is not None
    assert (denial.reason, denial.refusal.status) == (DenialReason.PARAMETER_REFUSED, 400)
    assert (denial.parameters, denial.why["rule"]) == (question.parameters[-1:], "WR-14")
    assert denial.why["what"] == CASCADE


@pytest.mark.requirement("WR-14")
@pytest.mark.parametrize(
    ("question", "refused"),
    [
        (Question("delete", "Patient", "A", include=("Patient:organization",)), "_include"),
        (Question("delete", "Patient", "A", revinclude=("Observation:patient",)), "_revinclude"),
    ],
)
def test_what_a_delete_takes_along_is_judged_though_no_parameter_is_named(question: Question, refused: str) -> None:
    subject = Subject(parse_scopes("system/Patient.ds system/*.rs"), is_backend=True)

    denial = decide(Reach(subject, "r4", BASE), question, applies_views=True).denial

    assert denial is not None
    assert (denial.parameters, denial.why["rule"]) == ((refused,), "WR-14")


@pytest.mark.requirement("WR-14")
@pytest.mark.parametrize(
    ("scope", "line"),
    [
        ("system/*.d", "DELETE Patient/A?_cascade=delete"),
        (" ".join(f"system/{name}.d" for name in sorted(resource_types("r4"))), "DELETE Patient/A?_cascade=delete"),
        ("system/*.ds", "DELETE Patient?_id=A&_revinclude=Observation:patient"),
        ("system/Patient.d", "DELETE Patient/A?cascade=delete"),
        ("system/Patient.rs", "GET Patient?_cascade=delete"),
        ("system/Patient.rs system/Observation.rs", "GET Patient?_revinclude=Observation:patient"),
    ],
    ids=["everything", "every type", "everything included", "another name", "a search", "a search that includes"],
)
def test_nothing_else_is_refused_for_a_cascade(scope: str, line: str) -> None:
    subject, question = Subject(parse_scopes(scope), is_backend=True), question_of_http(*line.split(" "))

    assert decide(Reach(subject, "r4", BASE), question, applies_views=True).allowed


@pytest.mark.requirement("WR-14")
def test_who_deletes_everything_is_not_told_that_it_may_not() -> None:
    """What nobody can tell is refused to who may not see everything, and is no matter of what is deleted."""
    subject = Subject(parse_scopes("system/*.ds"), is_backend=True)

    denial = decide(
        Reach(subject, "r4", BASE), question_of_http("DELETE", "Patient?_id=A&_include=*"), applies_views=True
    ).denial

    assert denial is not None
    assert (denial.parameters, denial.why["rule"]) == (("_include",), "SR-08")


@pytest.mark.requirement("WR-14")
def test_an_app_of_a_patient_cascades_nowhere() -> None:
    question = question_of_http("DELETE", "Observation/o?_cascade=delete")._replace(content_before=OF_A)

    denial = decide(Reach(AN_APP, "r4", BASE), question, applies_views=True).denial

    assert denial is not None
    assert denial.parameters == ("_cascade",)
