"""What a request that somebody writes down asks for, and at which base."""

import pytest

from smart.decisions.fhir_request import UnreadableRequest, parse_fhir_request

R4, R5 = "https://fhir.example.org:8443/fhir/r4", "https://fhir.example.org:8443/fhir/r5/"
BARE = "https://bare.example.org"
BASES = (R4, R5, BARE)


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("url", "base", "sentence"),
    [
        ("/fhir/r4/Patient/amy", R4, "read of Patient/amy"),
        ("/fhir/r5/Patient/amy", R5, "read of Patient/amy"),
        (f"{R5}Patient/amy", R5, "read of Patient/amy"),
        ("HTTPS://FHIR.example.org:8443/fhir/r4/Patient/amy/", R4, "read of Patient/amy"),
        (f"{BARE}/Observation?code=x", BARE, "search-type of Observation"),
        (f"{R4}/metadata", R4, "the capability statement"),
        ("Patient/amy", R4, "read of Patient/amy"),
        ("/Patient/amy", R4, "read of Patient/amy"),
        ("/fhir/r5", R5, "search-system of several types"),
        ("/fhir/r5/Patient/amy/Observation", R5, "search-type of Observation in the compartment of Patient/amy"),
        ("Patient/amy/$everything", R4, "everything of several types in the compartment of Patient/amy"),
        ("/fhir/r45/Patient", R4, "get of a path that FHIR has not"),
    ],
)
def test_a_url_is_taken_at_the_first_base_that_it_fits(url: str, base: str, sentence: str) -> None:
    asked = parse_fhir_request(f"  get   {url} ", BASES)

    assert (asked.method, asked.base) == ("GET", base)
    assert asked.sentence.lower() == sentence.lower()


def test_query_and_parameters_are_those_of_the_request() -> None:
    asked = parse_fhir_request("POST /fhir/r4/Observation?a=1&b.c=2", BASES)

    assert (asked.query, asked.question.parameters) == ("a=1&b.c=2", ("a", "b.c"))
    assert not asked.is_public


@pytest.mark.parametrize(
    ("text", "bases", "words"),
    [
        ("", BASES, "say a method and a URL"),
        ("GET", BASES, "say a method and a URL"),
        ("GET ", BASES, "say a method and a URL"),
        ("/fhir/r4/Patient/amy", BASES, "say a method and a URL"),
        ("G3T /fhir/r4/Patient", BASES, "say a method and a URL"),
        ("GET http://[", BASES, "that is no URL"),
        ("GET /fhir/r4/Patient?" + "a=1&" * 101, BASES, "more than 100 parameters"),
        ("GET https://elsewhere.example.org/Patient/amy", BASES, "at no FHIR base"),
        ("GET https://fhir.example.org:8443/fhir/r45/Patient/amy", BASES, "at no FHIR base"),
        ("GET Patient/amy", (), "at no FHIR base"),
    ],
)
def test_what_is_no_request_is_a_sentence(text: str, bases: tuple[str, ...], words: str) -> None:
    with pytest.raises(UnreadableRequest, match=words):
        parse_fhir_request(text, bases)
