"""What introspection answers where it misbehaves on purpose: each fault is what it says, and says it of live tokens."""

import gzip
import json
from typing import Any

import pytest

from oauth.workbench.faults.answers import (
    FaultyAnswer,
    changes_decisions,
    changes_gateways,
    faulty_answer,
    faulty_decision,
    faulty_gateway_answer,
)
from smart.http import strict_json
from smartauth_probe.introspection_faults import NONE, introspection_faults

pytestmark = pytest.mark.one_engine

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


YES, NO = {"decision": True, "context": {"claims": {}}}, {"decision": False, "context": {"reason": "not_in_view"}}


@pytest.mark.parametrize("fault", introspection_faults())
@pytest.mark.parametrize("right", [YES, {"evaluations": [YES, NO]}], ids=["one", "many"])
def test_a_decision_has_each_fault_but_those_of_a_claim(fault: str, right: Any) -> None:
    body = json.dumps(right).encode()

    changes = changes_decisions(fault) and fault != NONE
    assert (faulty_decision(fault, body) == FaultyAnswer(body)) is not changes
    assert changes_decisions(fault) or fault in {*changed_claims(), "patient-twice", NONE}


def changed_claims() -> set[str]:
    return {"aud-other", "aud-missing", "scope-missing", "patient-other", "exp-past"}


@pytest.mark.parametrize(("fault", "says"), [("active-text", "true"), ("active-number", 1), ("active-missing", None)])
def test_a_decision_is_what_active_is_and_a_denial_stays_one(fault: str, says: Any) -> None:
    def said(right: Any) -> Any:
        return json.loads(faulty_decision(fault, json.dumps(right).encode()).body)

    assert repr(said(YES).get("decision")) == repr(says)
    assert said(NO) == NO
    assert [repr(one.get("decision")) for one in said({"evaluations": [YES, NO]})["evaluations"]] == [
        repr(says),
        "False",
    ]


def test_a_decision_comes_twice_and_the_right_one_last() -> None:
    def said(right: Any) -> Any:
        return json.loads(faulty_decision("active-twice", json.dumps(right).encode()).body, object_pairs_hook=list)

    assert [value for name, value in said(YES) if name == "decision"] == [False, True]
    assert said({"evaluations": [YES]})[0] == ("evaluations", [])
    assert json.loads(faulty_decision("active-twice", json.dumps(NO).encode()).body) == NO


TOLD = (("x-smartauth-view", "all"), ("content-length", "5"), ("www-authenticate", "Bearer"))


@pytest.mark.parametrize(
    ("fault", "denied", "status", "headers"),
    [
        ("down", False, 200, ["x-smartauth-view", "www-authenticate"]),
        ("slow-head", True, 401, ["x-smartauth-view", "www-authenticate"]),
        ("wrong-type", True, 401, ["x-smartauth-view", "www-authenticate"]),
        ("html", True, 200, []),
        ("empty", False, 200, []),
        ("status-204", False, 204, []),
        ("status-500", True, 500, []),
        ("status-429", False, 429, ["retry-after"]),
        ("redirect", False, 307, ["location"]),
    ],
)
def test_a_gateway_meets_what_is_wrong_beside_the_body(
    fault: str, denied: bool, status: int, headers: list[str]
) -> None:
    found = faulty_gateway_answer(fault, 401 if denied else 200, TOLD, b"{}")

    assert (found.status, [name for name, _ in found.headers]) == (status, headers)
    assert found.delivery == faulty_answer(fault, b"{}").delivery
    assert [changes_gateways(each) for each in (fault, "active-text", "aud-other", NONE)] == [True, False, False, False]
