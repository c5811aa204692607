"""What a request asks for: its interaction, its parameters, and where they look."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smart.decisions.interactions import parse_path
from smart.decisions.question import (
    Question,
    _question_of_http,
    _shape,
    is_search_by_post,
    parameters_elsewhere,
    question_at,
    question_of_http,
)


@pytest.mark.parametrize(
    ("method", "url", "is_one"),
    [
        ("POST", "Observation/_search", True),
        ("POST", "Observation/_search/", True),
        ("POST", "Observation/%5Fsearch", True),
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


@pytest.mark.parametrize(
    "url", ["Observation?a=1#&_has:Observation:subject:code=x", "Observ\tation", "Observation#", "x:Observation/o"]
)
def test_a_url_that_no_request_can_have_is_none(url: str) -> None:
    """A server behind would read on where a parser of URLs has ended."""
    with pytest.raises(ValueError, match="no URL"):
        question_of_http("GET", url)


@pytest.mark.parametrize("url", ["//Observation/o", "//x/Observation/o", "Observation/o//"])
def test_a_url_is_cut_at_its_slashes_and_nowhere_else(url: str) -> None:
    found = question_of_http("GET", url)
    assert (found.interaction, found.type) != ("read", "Observation")


@pytest.mark.requirement("SR-08")
def test_names_and_the_values_that_are_judged_are_decoded() -> None:
    found = question_of_http(
        "GET", "Observation?%5Finclude=Observation%3Asubject&_sor%74=a%2Eb+c&subject%2Ename=x&%ff+"
    )

    assert found.parameters == ("_include", "_sort", "subject.name", "\ufffd ")
    assert (found.include, found.sort) == (("Observation:subject",), ("a.b c",))
    assert parameters_elsewhere(found) == ("subject.name", "_sort")


@pytest.mark.requirement("TV-29")
@pytest.mark.parametrize("name", ["_method", "_METHOD", "%5Fmethod", "?_method", "_method[]"])
def test_a_post_that_names_another_method_asks_for_nothing_that_is_known(name: str) -> None:
    """Servers with method overrides take the method from a parameter, in the URL or in the form."""
    asked = [
        question_of_http("POST", f"Patient/_search?{name}=DELETE", form=""),
        question_of_http("POST", "Patient/_search", form=f"code=x&{name}=DELETE"),
        question_of_http("POST", f"Patient?{name}=GET"),
    ]

    assert [one.interaction for one in asked] == ["", "", ""]
    assert question_of_http("GET", f"Patient?{name}=DELETE").interaction == "search-type"


@pytest.mark.requirement("SR-08")
def test_what_stands_behind_a_semicolon_is_judged_as_a_parameter_too() -> None:
    found = question_of_http("GET", "Observation?code=x;_has:Observation:subject:code=y")
    assert found.parameters == ("code", "code", "_has:Observation:subject:code")
    with pytest.raises(ValueError, match="fields"):
        question_of_http("GET", "Observation?" + "a;" * 101)


@pytest.mark.requirement("SR-08")
@pytest.mark.parametrize(
    ("parameter", "elsewhere"),
    [
        ("_include:iterate", True),
        ("_include:", True),
        ("_include", False),
        ("_Include", True),
        ("_sort", False),
        ("_sort[]", True),
        ("code:not", False),
        ("_has:Observation:subject:code", True),
        ("?_has:Observation:subject:code", True),
        ("_HAS:Observation:subject:code", True),
        ("_filter[0]", True),
        (" _list", True),
        ("_containedType", True),
        ("_hash", False),
    ],
)
def test_a_modifier_looks_elsewhere_only_where_it_iterates_or_chains(parameter: str, elsewhere: bool) -> None:
    question = Question("search-type", "Observation", parameters=(parameter,))
    assert bool(parameters_elsewhere(question)) is elsewhere


@pytest.mark.parametrize(
    ("path", "method", "said", "is_conditional"),
    [
        (["Observation", "o"], "PUT", {}, False),
        (["Observation"], "PUT", {}, True),
        (["Observation"], "POST", {}, False),
        (["Observation"], "POST", {"criteria": []}, True),
    ],
)
def test_a_write_is_conditional_without_an_id_or_where_its_header_says_so(
    path: list[str], method: str, said: dict[str, Any], is_conditional: bool
) -> None:
    assert question_at(parse_path(path), method, [], **said).is_conditional is is_conditional


@pytest.mark.requirement("SR-08", "WR-11")
@pytest.mark.parametrize(
    "header", ["subject.name=x&_include=*", "Patient?subject.name=x&_include=*", "?a?subject.name=x;b&_include=*"]
)
def test_the_criteria_of_a_conditional_create_are_parameters_wherever_they_stand(header: str) -> None:
    found = question_of_http("POST", "Observation?_pretty=true", if_none_exist=header)

    assert found.is_conditional
    assert {"_pretty", "subject.name", "_include"} <= set(found.parameters)
    assert found.include == ("*",)
    with pytest.raises(ValueError, match="fields"):
        question_of_http("POST", "Observation", if_none_exist="?" * 101)


@pytest.mark.requirement("SR-04", "SR-09")
def test_the_values_that_are_judged_are_read_as_they_are_meant() -> None:
    several = question_of_http("GET", "?_type=Observation%2CGoal,")
    of_one_type = question_of_http("GET", "Observation?_type=Goal")
    included = question_of_http("GET", "Observation?_include:iterate=Observation%3Asubject")

    assert (several.types, of_one_type.types) == (("Observation", "Goal"), ())
    assert included.include == ("Observation:subject",)


@pytest.mark.requirement("SD-20")
def test_a_hundred_parameters_are_read_and_no_more() -> None:
    assert len(question_of_http("GET", f"Observation?{'&'.join('a=1' for _ in range(100))}").parameters) <= 100
    with pytest.raises(ValueError, match=r"."):
        question_of_http("GET", f"Observation?{'&'.join('a=1' for _ in range(101))}")


PIECES = ["Observation", "Patient", "o-1", "_search", "$everything", "%5Fsearch", ".", "..", "", "a=b", "x:y", "é"]
NAMES = ["code", "_id", "_include", "_include:iterate", "%5Fsort", "_type", "_method", "a.b", "", "access_token", "?x"]
VALUES = ["", "x", "a;_has:b=c", "a%3Db", "Observation:subject", "=", "1#2", "a?b", "Observation,Goal", "\t"]


@pytest.mark.requirement("SR-08", "SD-23")
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD"]),
    path=st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("/".join),
    pairs=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["=", ""]), st.sampled_from(VALUES)), max_size=3),
    cut=st.sampled_from(["?", ""]),
)
@example(method="GET", path="/Observation", pairs=[("code", "=", "x")], cut="?")
@example(method="GET", path="Observation/..", pairs=[], cut="")
@example(method="GET", path="Observation", pairs=[("code", "=", "\t")], cut="?")
@example(method="GET", path="Observation", pairs=[("code", "=", "x#")], cut="?")
@example(method="GET", path="Observation", pairs=[("a", "=", "1"), ("b", "=", ";a=2")], cut="?")
@example(method="GET", path="Observation", pairs=[("_sort", "=", "x")], cut="?")
@example(method="GET", path="Observation", pairs=[("_include:iterate", "=", "x")], cut="?")
@example(method="GET", path="Observation", pairs=[("code", "", "")], cut="?")
@example(method="GET", path="metadata", pairs=[], cut="")
def test_what_is_remembered_of_a_url_is_what_all_of_it_asks(
    method: str, path: str, pairs: list[tuple[str, str, str]], cut: str
) -> None:
    url = path + cut + "&".join(map("".join, pairs))

    def asked(ask: Any, *form: Any) -> Question | None:
        try:
            found: Question = ask(method, url, *form)
        except ValueError:
            return None
        return found

    whole = asked(_question_of_http, "", None)
    assert [asked(question_of_http), asked(question_of_http)] == [whole, whole]


def test_neither_an_id_nor_a_value_that_decides_nothing_is_remembered() -> None:
    sent = ["Observation/some-{}", "Observation?code=some-{}&_count={}"]
    shapes = [{shape[0] for number in range(3) if (shape := _shape(url.format(number, number)))} for url in sent]

    assert shapes == [{"Observation/id?"}, {"Observation?code=&_count="}]
    assert question_of_http("GET", "Observation/some-1").id == "some-1"


@pytest.mark.parametrize(
    "url",
    [
        "/Patient/{}",
        "Patient/{}/",
        "Patient/%31{}",
        "Patient/{}/Observation",
        "Patient/{}/$everything",
        "Observation/o/_history/{}",
        "{}/o",
        "?{}",
        "Patient?{}",
        "Patient?{}=x",
        "Patient?name=;{}",
        "Patient?name=x&{}",
        "Observation?_include=Observation:{}",
        "Observation?_revinclude:iterate={}:subject",
        "Observation?code=x&_sort={}",
        "Observation?_type={}",
    ],
)
def test_a_url_is_not_remembered_where_an_id_or_value_would_be_with_it(url: str) -> None:
    """Nor does it push out one that is asked again."""
    sent = [url.format(f"a{number}") for number in range(3)]

    assert [_shape(one) for one in sent] == [None] * 3
    assert [question_of_http("GET", one) for one in sent] == [_question_of_http("GET", one, "", None) for one in sent]
