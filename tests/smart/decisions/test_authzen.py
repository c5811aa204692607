"""Questions in the form of AuthZEN: what is read from each member, and what is refused in which words."""

import re
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from smart.decisions.authzen import Evaluation, MalformedEvaluation, parse_evaluation, parse_presented_token
from smart.decisions.question import Question
from smart.http.limits import MAX_QUERY

DIGEST = bytes(range(224, 256))
TEXT = urlsafe_b64encode(DIGEST).decode().rstrip("=")


def digest_of(text: str) -> str:
    return parse_presented_token({"subject": {"type": "access_token_sha256", "id": text}}).digest


def test_a_digest_is_32_bytes_in_base64url() -> None:
    assert digest_of(TEXT) == DIGEST.hex()


@pytest.mark.parametrize(
    "text",
    ["", TEXT[:-1], f"{TEXT}=", f"{TEXT}A", TEXT[:-1] + "é", "=" * 43, "!" * 43, "A" * 39 + "====", TEXT[:-4] + "!!!!"],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(MalformedEvaluation, match="its digest in base64url"):
        digest_of(text)


BASE = "https://fhir.example.org/r4"
SUBJECT = {"type": "access_token", "id": "abc"}
RESOURCE: dict[str, Any] = {"type": "Observation", "id": "o", "properties": {"base": BASE}}


def parsed(**members: Any) -> Evaluation:
    return parse_evaluation({"subject": SUBJECT, **members})


def in_full(resource: dict[str, Any] | None = None, **properties: Any) -> Evaluation:
    return parsed(action={"name": "read", "properties": properties}, resource={**RESOURCE, **(resource or {})})


def of_several(name: str, of: str = "*", about: str = "*", **properties: Any) -> Evaluation:
    return parsed(action={"name": name, "properties": properties}, resource={**RESOURCE, "type": of, "id": about})


def in_short(http: dict[str, Any], **context: Any) -> Evaluation:
    return parsed(context={"base": BASE, "http": {"method": "GET", "url": "Observation/o", **http}, **context})


def test_in_full_every_member_becomes_part_of_the_question() -> None:
    properties: dict[str, Any] = {"base": f"{BASE}/", "content": {"id": "new"}, "content_before": {"id": "old"}}
    found = in_full(
        {"properties": properties},
        parameters=["code"], include=["a"], revinclude=["b"], sort=["c"], conditional=True,
    )  # fmt: skip

    assert found.base == BASE
    assert found.question == Question(
        "read", "Observation", "o", ("code",), ("a",), ("b",), ("c",), True, {"id": "new"}, {"id": "old"}
    )
    assert not found.applies_views


def test_in_full_what_is_left_out_is_nothing() -> None:
    found = parsed(action={"name": "read"}, resource={**RESOURCE, "id": ""})

    assert found.question == Question("read", "Observation", "*")
    assert in_full(conditional=False).question.is_conditional is False
    assert in_short({"if_none_exist": "code=x", "conditional": True}).question.is_conditional is True


@pytest.mark.parametrize(
    ("url", "name", "kind", "properties"),
    [
        ("?_type=Observation,Patient", "search-system", "*", {"types": ["Observation", "Patient"]}),
        ("_history", "history-system", "*", {}),
        ("Patient/amy/Observation", "search-type", "Observation", {"compartment": "amy"}),
        ("Patient/amy/*?_type=Goal", "search-compartment", "*", {"compartment": "amy", "types": ["Goal"]}),
        ("Patient/amy/$everything", "everything", "*", {"compartment": "amy"}),
        ("Patient/$everything", "everything", "*", {}),
    ],
)
def test_in_full_compartment_and_types_are_those_of_the_same_request_in_short(
    url: str, name: str, kind: str, properties: dict[str, Any]
) -> None:
    found = of_several(name, kind, **properties)

    assert found.question == in_short({"url": url}).question._replace(parameters=())


def test_in_full_an_http_request_beside_it_is_not_looked_at() -> None:
    found = parsed(action={"name": "read"}, resource=RESOURCE, context={"http": {"method": "PUT"}})

    assert found.question == Question("read", "Observation", "o")


def test_in_short_contents_stand_in_the_context() -> None:
    found = in_short(
        {"if_none_exist": ""}, content={"id": "new"}, content_before={"id": "old"}, understands=["fhir-view/1"]
    )

    assert found.applies_views
    assert found.question == Question(
        "read", "Observation", "o", is_conditional=True, content={"id": "new"}, content_before={"id": "old"}
    )


def test_a_request_is_as_long_as_it_may_be() -> None:
    url = "Observation/o?a=" + "x" * (MAX_QUERY - 16)
    assert len(url) == MAX_QUERY
    assert in_short({"url": url}).question.parameters == ("a",)
    assert in_short({"url": "Observation", "form": "a=" + "x" * (MAX_QUERY - 2)}).question.parameters == ("a",)
    assert in_full(parameters=["a"] * 100).question.parameters == ("a",) * 100


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: in_short({"url": "x" * (MAX_QUERY + 1)}), "context.http.url, form or if_none_exist is longer than"),
        (
            lambda: in_short({"if_none_exist": "x" * (MAX_QUERY + 1)}),
            "context.http.url, form or if_none_exist is longer",
        ),
        (lambda: in_short({"if_none_exist": None}), "context.http.if_none_exist is missing"),
        (lambda: in_short({"conditional": True}), "context.http.if_none_exist is missing"),
        (lambda: in_short({"form": "x" * (MAX_QUERY + 1)}), "context.http.url, form or if_none_exist is longer than"),
        (lambda: in_short({"method": None}), "context.http.method is missing"),
        (lambda: in_short({"url": 7}), "context.http.url is not text"),
        (lambda: in_short({"form": 7}), "context.http.form is not text"),
        (lambda: in_short({}, base=None), "context.base is missing"),
        (lambda: in_short({}, base=7), "context.base is not text"),
        (lambda: in_short({}, base="ftp://fhir.example.org"), "context.base is no URL of a FHIR server"),
        (lambda: in_short({}, base="https:///r4"), "context.base is no URL of a FHIR server"),
        (lambda: in_short({}, base="https://["), "context.base is no URL of a FHIR server"),
        (lambda: in_full({"properties": {"base": "nothing"}}), "resource.properties.base is no URL of a FHIR server"),
        (lambda: in_full({"properties": {}}), "resource.properties.base is missing"),
        (lambda: in_full({"type": None}), "resource.type is missing"),
        (lambda: in_full({"id": None}), "resource.id is missing"),
        (lambda: in_full(parameters=["a"] * 101), "action.properties.parameters has more than 100 items"),
        (lambda: in_full(compartment="amy"), "action.name none of everything, search-compartment, search-type"),
        (lambda: in_full(types=["Goal"]), "action.properties.types is only for an answer of several types"),
        (lambda: of_several("search-compartment"), "action.properties.compartment is missing"),
        (lambda: of_several("search-compartment", compartment=".."), "action.properties.compartment is no id"),
        (lambda: of_several("search-compartment", compartment="Patient/a"), "action.properties.compartment is no id"),
        (lambda: of_several("search-compartment", compartment=7), "action.properties.compartment is not text"),
        (lambda: of_several("history-system", types="Goal"), "action.properties.types is not a list of texts"),
        (lambda: of_several("search-system", of="Goal"), "resource.type is not *, as of an answer of several types"),
        (lambda: of_several("everything", about="amy"), "resource.id is not *: action.properties.compartment names"),
        (lambda: in_full(sort=[7]), "action.properties.sort is not a list of texts"),
        (lambda: in_full(include="a"), "action.properties.include is not a list of texts"),
        (lambda: parsed(context={"client_address": 1}), "context.client_address is not text"),
        (lambda: parsed(), "action is missing"),
        (lambda: parsed(context={"http": {}}, resource=RESOURCE), "action is missing"),
        (lambda: parsed(context={"http": {}}, action={"name": "read"}), "resource is missing"),
        (lambda: parsed(action={"name": "read"}), "resource is missing"),
        (lambda: parsed(subject={"type": "access_token"}), "subject.id is missing"),
        (lambda: parsed(subject={"id": "abc"}), "subject.type is missing"),
        (lambda: parsed(subject={"type": "access_token", "id": "a b"}), "subject is not a token"),
        (lambda: parsed(subject={"type": "token", "id": TEXT}), "subject is not a token"),
    ],
)
def test_what_is_missing_or_has_another_form_is_named(ask: Any, words: str) -> None:
    with pytest.raises(MalformedEvaluation, match=re.escape(words)):
        ask()


def test_a_token_itself_is_kept_and_a_digest_is_no_token() -> None:
    assert parse_presented_token({"subject": SUBJECT}).token == "abc"
    by_digest = parse_presented_token({"subject": {"type": "access_token_sha256", "id": TEXT}})
    assert (by_digest.token, by_digest.address) == ("", "")


def test_a_url_that_no_request_can_have_is_no_request() -> None:
    with pytest.raises(MalformedEvaluation, match=re.escape("context.http is no request")):
        in_short({"url": "Observation?a=1#&_has:Observation:subject:code=x"})


@pytest.mark.parametrize(
    ("understands", "applied"),
    [
        ([], [False] * 3),
        (["fhir-view/1"], [True, False, False]),
        (["fhir-match/1", "fhir-types/1"], [False] * 3),
        (["fhir-match/1", "fhir-view/1"], [True, True, False]),
        (["fhir-types/1", "fhir-view/1", "other"], [True, False, True]),
    ],
)
def test_who_applies_no_views_applies_nothing_of_them(understands: list[str], applied: list[bool]) -> None:
    found = in_short({}, understands=understands)

    assert [found.applies_views, found.matches_in_view, found.spans_types] == applied
