"""The form of the consent page: what it begins with, what may come back, and in which groups it stands."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.http import QueryDict

from accounts.models import User
from oauth.authorization.consent_form import (
    ConsentAnswer,
    Group,
    NotOffered,
    Row,
    initial_answer,
    line_groups,
    parse_answer,
    question_digest,
    time_options,
)
from oauth.authorization.pending_request import Pending
from oauth.models import PendingRequest
from smart.wording.consent_line import CHANGE, SEE, TIME, WHO, ConsentLine, RecordKind


def line(number: int, group: str, *allows: str, **more: Any) -> ConsentLine:
    return ConsentLine(number, group, f"line {number}", "", allows, **more)


KINDS = (
    RecordKind(1, "laboratory", "patient/Observation.rs?a"),
    RecordKind(2, "vital signs", "patient/Observation.rs?b"),
)
CONDITIONS = line(1, SEE, "patient/Condition.rs")
OBSERVATIONS = line(2, SEE, "patient/Observation.rs", kinds=KINDS)
WRITING = line(3, CHANGE, "patient/Observation.c")
IDENTITY = line(4, WHO, "openid", "fhirUser")
OFFLINE, ONLINE, NOW = (
    line(number, TIME, *allows) for number, *allows in ((5, "offline_access"), (6, "online_access"), (7,))
)
LINES = (CONDITIONS, OBSERVATIONS, WRITING, IDENTITY, OFFLINE, ONLINE, NOW)
EVERYTHING = {"ask": ["1", "3", "4"], "ask-2": ["all"], "ask-time": ["6"]}


def form(fields: Mapping[str, list[str]]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, values in fields.items():
        query.setlist(name, values)
    return query


def test_a_page_begins_with_everything_and_the_first_of_the_times() -> None:
    assert initial_answer(iter(LINES)) == ConsentAnswer(frozenset({1, 2, 3, 4, 5}))
    assert initial_answer([CONDITIONS]) == ConsentAnswer(frozenset({1}))


@pytest.mark.requirement("SCP-12", "AZ-20")
@pytest.mark.parametrize(
    ("fields", "ticked", "some"),
    [
        (EVERYTHING, {1, 2, 3, 4, 6}, {}),
        ({}, set(), {}),
        ({"ask": ["3"], "ask-2": ["none"]}, {3}, {}),
        ({"ask-2": ["some"], "ask-2-kind": ["2"]}, set(), {2: {2}}),
        ({"ask-2": ["some"], "ask-2-kind": ["1", "2"], "ask-time": ["7"]}, {7}, {2: {1, 2}}),
        ({"ask-2": ["some"]}, set(), {2: set()}),
        ({"ask-2": ["all"], "ask-2-kind": ["1"]}, {2}, {}),
        ({"ask-2-kind": ["1"]}, set(), {}),
        ({"ask-1": ["all"], "ask-5": ["all"]}, set(), {}),
    ],
)
def test_what_was_chosen_comes_back(fields: dict[str, list[str]], ticked: set[int], some: dict[int, set[int]]) -> None:
    answer = parse_answer(form(fields), LINES)

    assert (set(answer.ticked), {number: set(kinds) for number, kinds in answer.some.items()}) == (ticked, some)
    assert answer.kindless == {number for number, kinds in some.items() if not kinds}


@pytest.mark.requirement("AZ-20")
@pytest.mark.parametrize(
    "changes",
    [
        {"ask": ["1", "8"]},
        {"ask": ["2"]},
        {"ask": ["5"]},
        {"ask": ["01"]},
        {"ask": ["x"]},
        {"ask-time": ["1"]},
        {"ask-time": ["5", "6"]},
        {"ask-2": ["All"]},
        {"ask-2": ["all", "none"]},
        {"ask-2": ["some"], "ask-2-kind": ["3"]},
    ],
)
def test_a_choice_that_the_page_did_not_hold_is_refused(changes: dict[str, list[str]]) -> None:
    with pytest.raises(NotOffered):
        parse_answer(form({**EVERYTHING, **changes}), LINES)


def shown(groups: list[Group]) -> list[tuple[str, str, bool, list[tuple[int, str, bool]]]]:
    """Each group with title, sign and tone, and its rows: the number, what is chosen, whether it is marked as new."""
    return [
        (each.title, each.sign, each.changes, [(row.line.number, row.choice, row.new) for row in each.rows])
        for each in groups
    ]


@pytest.mark.requirement("AZ-14")
def test_where_nothing_is_held_the_lines_stand_by_what_they_allow() -> None:
    answer = ConsentAnswer(frozenset({1, 4, 5}), {2: frozenset({2})})

    assert shown(line_groups(LINES, answer, "")) == [
        ("See", "see", False, [(1, "all", False), (2, "some", False)]),
        ("Add or change", "change", True, [(3, "none", False)]),
        ("Know who you are", "person", False, [(4, "all", False)]),
    ]


@pytest.mark.requirement("AZ-14", "AZ-23")
def test_what_is_held_stands_apart_and_the_rest_is_new() -> None:
    groups = line_groups(LINES, initial_answer(LINES), "patient/Condition.rs patient/Observation.c openid")

    assert shown(groups) == [
        ("See", "see", False, [(2, "all", True)]),
        ("Know who you are", "person", False, [(4, "all", True)]),
        ("It may already see", "see", False, [(1, "all", False)]),
        ("It may already add or change", "change", True, [(3, "all", False)]),
    ]


@pytest.mark.requirement("SCP-12")
@pytest.mark.parametrize(
    ("some", "chosen", "kindless"),
    [({}, [True, True], False), ({2: frozenset({2})}, [False, True], False), ({2: frozenset()}, [False, False], True)],
)
def test_a_line_of_kinds_shows_which_are_chosen(
    some: dict[int, frozenset[int]], chosen: list[bool], kindless: bool
) -> None:
    (group,) = line_groups([OBSERVATIONS], ConsentAnswer(frozenset({2} - some.keys()), some), "")

    choice = "some" if some else "all"
    assert group.rows == (Row(OBSERVATIONS, choice, tuple(zip(KINDS, chosen, strict=True)), False, kindless),)


@pytest.mark.parametrize(("ticked", "picked"), [({5}, OFFLINE), ({1, 6}, ONLINE), ({1}, NOW), (set(), NOW)])
def test_of_the_times_one_is_picked_the_last_where_none_is_ticked(ticked: set[int], picked: ConsentLine) -> None:
    found = time_options(LINES, ConsentAnswer(frozenset(ticked)))

    assert found == [(each, each is picked) for each in (OFFLINE, ONLINE, NOW)]


@pytest.mark.requirement("AZ-20")
def test_another_person_record_visit_or_scope_is_another_question() -> None:
    def question(person: int = 1, patient: str = "amy", encounter: str = "v1", scope: str = "openid") -> str:
        row = PendingRequest(patient=patient, encounter=encounter)
        return question_digest(Pending(row, "handle", "https://app.test/cb", "state"), User(pk=person), scope)

    others = [question(person=2), question(patient="ben"), question(encounter="v2"), question(scope="openid fhirUser")]
    assert question() == question()
    assert len({question(), *others}) == 5
