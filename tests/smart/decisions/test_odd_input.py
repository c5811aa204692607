"""Decisions about what no honest FHIR server asks: every member with a value of every wrong kind."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smart.decisions.authzen import MalformedEvaluation
from tests.oracle import by_claims

BASE = "https://fhir.example.org/fhir/r4"
CLAIMS = {"active": True, "aud": BASE, "scope": "patient/*.cruds", "patient": "amy", "sub": "s", "client_id": "c"}
OF_AMY = {"who": {"compartments": ["Patient/amy"]}, "where": []}
AMYS = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/amy"}}
SUBJECT = {"type": "access_token", "id": "abc"}
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1e308, 10**30, "", " ", "x", "\u0000", "\u202eamy", "\ud800", "a" * 20_000),
    *("../Patient/ben", "Patient/ben", "*", "http://[", "http://h:99999/", "//h", "Patient?_id=ben", "Patient/amy\xa0"),
    *([], {}, [[]], [{}], [None], ["fhir-view/1"], {"": ""}, {"reference": "Patient/ben"}, [[[[[[[[[[[1]]]]]]]]]]]),
]


def about(name: str, **properties: Any) -> dict[str, Any]:
    """A question with every member that is known."""
    names = ("parameters", "include", "revinclude", "sort")
    return {
        "subject": SUBJECT,
        "action": {"name": name, "properties": {**{each: ["code"] for each in names}, "include": [], "revinclude": []}},
        "resource": {"type": "Observation", "id": "o", "properties": {"base": BASE, **properties}},
        "context": {"understands": ["fhir-view/1", "fhir-match/1"], "client_address": "::1"},
    }


def in_short(**http: Any) -> dict[str, Any]:
    """The same in short form."""
    return {
        "subject": SUBJECT,
        "context": {"base": BASE, "http": http, "understands": ["fhir-view/1"], "content": AMYS},
    }


QUESTIONS = {
    "search": about("search-type"),
    "read": about("read", content=AMYS),
    "update": about("update", content=AMYS, content_before=AMYS),
    "search in short form": in_short(method="POST", url="Observation/_search", form="code=x"),
    "create in short form": in_short(method="POST", url="Observation", if_none_exist="code=x"),
    "read in short form": in_short(method="GET", url="Observation/o"),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each member, however deep."""
    listed = enumerate(value) if isinstance(value, list) else ()
    for name, below in value.items() if isinstance(value, dict) else listed:
        yield (*path, name)
        yield from places(below, (*path, name))


def changed(body: dict[str, Any], path: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    """The question with that in the member's place."""
    made: Any = copy.deepcopy(body)
    place = made
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = odd
    return dict(made)


def opens_others(body: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether it lets anybody see or store more than what is amy's."""
    if answer["decision"] is not True:
        return False
    context = answer.get("context", {})
    if "view" in context:
        return any(one != OF_AMY for view in context["view"].values() for one in view)
    asked = body["resource"]["properties"] if "resource" in body else body["context"]
    content = asked.get("content")
    return not isinstance(content, dict) or content.get("subject") != AMYS["subject"]


@pytest.mark.parametrize("is_entry", [False, True])
@pytest.mark.parametrize("body", QUESTIONS.values(), ids=QUESTIONS)
def test_a_member_of_another_kind_is_refused_or_opens_nothing_more(body: dict[str, Any], is_entry: bool) -> None:
    decided: Callable[[dict[str, Any], bool], dict[str, Any]] = by_claims(CLAIMS)
    opened = []
    for path in places(body):
        for odd in ODD:
            asked = changed(body, path, odd)
            try:
                answer = decided(asked, is_entry)
            except MalformedEvaluation:
                continue
            if opens_others(asked, answer):
                opened.append((path, odd))

    assert opened == []
