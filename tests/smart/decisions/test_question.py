"""What a request asks for: its interaction, its parameters, and where they look."""

import pytest

from smart.decisions.question import Question, is_search_by_post, parameters_elsewhere, question_of_http


@pytest.mark.parametrize(
    ("method", "url", "is_one"),
    [
        ("POST", "Observation/_search", True),
        ("POST", "Observation/_search/", True),
        ("POST", "Observation/_search?a=1", True),
        ("GET", "Observation/_search", False),
        ("POST", "Observation", False),
        ("POST", "/Observation/x_search", False),
        ("POST", "Observation?a=/_search", False),
    ],
)
def test_parameters_stand_in_the_body_of_a_post_to_search_alone(method: str, url: str, is_one: bool) -> None:
    assert is_search_by_post(method, url) is is_one


def test_a_url_is_read_below_the_base_with_every_parameter_once() -> None:
    assert question_of_http("GET", "/Observation/o/") == Question("read", "Observation", "o")
    found = question_of_http("POST", "Observation/_search?a=", form="b&c=1")
    assert found.parameters == ("a", "b", "c")
    assert question_of_http("POST", "Observation/_search?a=").parameters == ("a",)
    with pytest.raises(ValueError, match="fields"):
        question_of_http("GET", "Observation?" + "a&" * 101)


@pytest.mark.requirement("SR-08")
@pytest.mark.parametrize(
    ("parameter", "elsewhere"),
    [("_include:iterate", True), ("_include", False), ("code:not", False), ("_has:Observation:subject:code", True)],
)
def test_a_modifier_looks_elsewhere_only_where_it_iterates_or_chains(parameter: str, elsewhere: bool) -> None:
    question = Question("search-type", "Observation", parameters=(parameter,))
    assert bool(parameters_elsewhere(question)) is elsewhere
