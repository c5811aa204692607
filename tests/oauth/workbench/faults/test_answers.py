"""What introspection answers where it misbehaves on purpose: each fault is what it says, and says it of live tokens."""

import gzip
import json
from typing import Any

import pytest

from oauth.workbench.faults.answers import FaultyAnswer, faulty_answer
from smart.http import strict_json
from smartauth_probe.introspection_faults import NONE, introspection_faults

CLAIMS: dict[str, Any] = {
    "active": True, "aud": "https://fhir.example.org", "scope": "patient/*.rs", "patient": "amy",
    "iat": 2_000_000_000, "exp": 2_000_000_300,
}  # fmt: skip
RIGHT, DEAD = json.dumps(CLAIMS).encode(), b'{"active":false}'


def members(fault: str) -> list[tuple[str, Any]]:
    """The members as they were sent, also those that were sent twice."""
    found: list[tuple[str, Any]] = json.loads(faulty_answer(fault, RIGHT).body, object_pairs_hook=list)
    return found


@pytest.mark.parametrize("fault", introspection_faults())
def test_a_fault_changes_the_right_answer_and_the_good_twin_leaves_it(fault: str) -> None:
    assert (faulty_answer(fault, RIGHT) == FaultyAnswer(RIGHT)) is (fault == NONE)


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        ("active-text", {"active": "true"}),
        ("active-number", {"active": 1}),
        ("active-missing", {"active": None}),
        ("aud-other", {"aud": "https://other.example.org/fhir"}),
        ("aud-missing", {"aud": None}),
        ("scope-missing", {"scope": None}),
        ("patient-other", {"patient": "another-patient"}),
        ("exp-past", {"exp": 1_999_999_400}),
    ],
)
def test_one_claim_is_wrong_and_no_other(fault: str, changed: dict[str, Any]) -> None:
    wanted = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}

    assert dict(members(fault)) == wanted
    assert type(dict(members(fault)).get("active")) is type(wanted.get("active"))  # 1 == True
    assert faulty_answer(fault, DEAD) == FaultyAnswer(DEAD)


@pytest.mark.parametrize(
    ("fault", "first"), [("active-twice", ("active", False)), ("patient-twice", ("patient", "another-patient"))]
)
def test_a_member_comes_twice_and_the_right_one_last(fault: str, first: tuple[str, Any]) -> None:
    assert members(fault) == [first, *CLAIMS.items()]


@pytest.mark.parametrize("fault", ["trailing-bytes", "not-utf8", "deep", "empty", "html", "patient-twice"])
def test_what_is_no_strict_json_is_none(fault: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of several kinds
        strict_json.loads(faulty_answer(fault, RIGHT).body)


def test_an_array_around_the_right_answer_is_no_object() -> None:
    assert strict_json.loads(faulty_answer("array", RIGHT).body) == [CLAIMS]


def test_a_bomb_is_small_until_it_is_read() -> None:
    answer = faulty_answer("gzip-bomb", RIGHT)

    assert len(answer.body) < 1_000_000
    assert ("content-encoding", "gzip") in answer.headers
    assert gzip.decompress(answer.body)[-len(RIGHT) :] == RIGHT
    assert faulty_answer("huge", RIGHT).blanks == 50_000_000
