"""Which types an include brings into an answer, and which includes nobody can follow."""

import pytest

from smart.decisions.includes import included_types, unclear_includes
from smart.decisions.question import Question
from smart.fhir.definitions import definitions

R4 = definitions("r4")


@pytest.mark.requirement("SR-04")
@pytest.mark.parametrize(
    ("include", "types"),
    [
        ("Observation:subject:Patient", {"Patient"}),
        ("Observation:patient", {"Patient"}),
        ("QuestionnaireResponse:questionnaire", {"Questionnaire"}),
        ("NutritionOrder:instantiates-canonical", {"ActivityDefinition", "PlanDefinition"}),
        ("ActivityDefinition:composed-of:Library", {"Library"}),
    ],
)
def test_an_include_brings_its_target(include: str, types: set[str]) -> None:
    question = Question("search-type", "Observation", include=(include,))

    assert included_types(question, R4) == types
    assert unclear_includes(question, "r4", R4) == ()


@pytest.mark.requirement("SR-04")
@pytest.mark.parametrize(
    "revinclude",
    [
        "Provenance:target", "Provenance:target:Observation", "QuestionnaireResponse:questionnaire",
        "ActivityDefinition:composed-of", "CarePlan:instantiates-canonical", "CarePlan:instantiates-canonical:Measure",
    ],
)  # fmt: skip
def test_a_reverse_include_brings_the_type_that_refers(revinclude: str) -> None:
    """Also by a canonical reference, though no search here evaluates one."""
    question = Question("search-type", "Observation", revinclude=(revinclude,))

    assert included_types(question, R4) == {revinclude.partition(":")[0]}
    assert unclear_includes(question, "r4", R4) == ()


@pytest.mark.requirement("SR-05")
@pytest.mark.parametrize("name", ["_include", "_revinclude"])
def test_an_include_of_which_the_value_was_not_sent_along_is_unclear(name: str) -> None:
    question = Question("search-type", "Observation", parameters=(name,))

    assert unclear_includes(question, "r4", R4) == (name,)


@pytest.mark.requirement("SR-05")
def test_the_value_of_one_include_is_none_of_the_other() -> None:
    both, value = ("_include", "_revinclude"), ("Observation:subject",)

    with_include = Question("search-type", "Observation", parameters=both, include=value)
    with_revinclude = Question("search-type", "Observation", parameters=both, revinclude=("Provenance:target",))

    assert unclear_includes(with_include, "r4", R4) == ("_revinclude",)
    assert unclear_includes(with_revinclude, "r4", R4) == ("_include",)


@pytest.mark.requirement("SR-04", "SR-09")
@pytest.mark.parametrize(
    ("question", "unclear"),
    [
        (Question("search-type", "Observation", revinclude=("*",)), ("_revinclude",)),
        (Question("search-type", "Observation", include=("*",)), ("_include",)),
        (Question("search-type", "Observation", include=("Observation:patient",)), ()),
        (Question("search-type", "Observation"), ()),
    ],
)
def test_an_include_is_unclear_by_its_value_whatever_the_parameters_are_called(
    question: Question, unclear: tuple[str, ...]
) -> None:
    assert unclear_includes(question, "r4", R4) == unclear


@pytest.mark.requirement("SR-04", "SR-05")
@pytest.mark.parametrize("name", ["_include", "_revinclude"])
@pytest.mark.parametrize(
    "value",
    [
        "Observation", "Observation:", "Observation:nothing", "Observation:code", "Observation:*", "Nothing:subject",
        "Observation:subject,Condition:subject", "Observation:subject:Patient,Condition:subject",
        "Observation:performer,Observation:Patient", "Observation,Condition:subject:Patient",
        "Observation:nothing:Patient", "Observation:code:Patient", "Observation:subject:Patient,Device",
        "Observation:subject:Medication", "Observation:subject:Patient:Patient", "Observation:*:Patient",
        "ActivityDefinition:composed-of:Unheard", "ActivityDefinition:composed-of:Library,Observation:subject",
    ],
)  # fmt: skip
def test_an_include_that_is_not_defined_or_is_several_is_unclear(name: str, value: str) -> None:
    """A server that cuts at commas brings types of which no view would say anything."""
    is_include = name == "_include"
    question = Question(
        "search-type", "Observation", include=(value,) * is_include, revinclude=(value,) * (not is_include)
    )

    assert unclear_includes(question, "r4", R4) == (name,)
    assert included_types(question, R4) == set()


@pytest.mark.requirement("SR-04", "SR-05")
def test_an_include_of_whatever_type_names_one() -> None:
    question = Question("search-type", "ActivityDefinition", include=("ActivityDefinition:composed-of",))

    assert unclear_includes(question, "r4", R4) == ("_include",)
    assert included_types(question, R4) == set()
