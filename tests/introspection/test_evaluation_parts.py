"""What a decision is made of: how far a live token reaches, and many entries beside the requests of others."""

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from introspection import evaluation
from introspection.evaluation import ALL, LiveToken, decide_until, evaluate
from oauth.http.machine_request import MachineRequest
from smart.decisions.subject import InvalidClaims
from smart.time_units import SECOND
from tests.conftest import BASE


def test_how_far_a_token_reaches_is_worked_out_once_for_each_base() -> None:
    bases = ["https://a.example.org/r4", "https://b.example.org/r4"]
    claims = {"active": True, "aud": bases, "exp": 2_000_000_000, "scope": "patient/*.rs"}
    token = LiveToken(json.dumps(claims), "r4", 0)

    first, again, other = (token.reach_at(bases[number]) for number in (0, 0, 1))

    assert first is again
    assert [first.base, other.base] == bases


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize("active", ["true", 1, None])
def test_what_is_not_said_to_be_active_by_the_boolean_reaches_nothing(active: object) -> None:
    """As the bad token active-text is, to who introspects."""
    claims = {"active": active, "aud": BASE, "exp": 2_000_000_000, "scope": "patient/*.rs", "patient": "amy"}
    with pytest.raises(InvalidClaims):
        LiveToken(json.dumps(claims), "r4", 0).reach_at(BASE)
    assert LiveToken(json.dumps({**claims, "active": True}), "r4", 0).reach_at(BASE).base == BASE


CLAIMS = json.dumps({"active": True, "aud": BASE, "exp": 1_000, "scope": "patient/*.rs", "patient": "amy"})
ASKED = {
    "subject": {"type": "access_token", "id": "abc"},
    "action": {"name": "search-type", "properties": {}},
    "resource": {"type": "Observation", "id": "*", "properties": {"base": BASE}},
    "context": {"understands": ["fhir-view/1"]},
}
IN_TIME, TOO_LATE = 1_000 * SECOND - 1, 1_000 * SECOND


@pytest.mark.requirement("TV-03")
def test_a_token_whose_claims_say_that_it_is_over_gets_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that expires between its look-up and what is told of it."""

    async def found(*_: object) -> tuple[str, str]:
        return CLAIMS, "r4"

    def reason(now: int) -> str:
        request = cast(MachineRequest, SimpleNamespace(members=ASKED, now=now))
        return str(json.loads(asyncio.run(evaluate(request)).body)["context"].get("reason", "none"))

    monkeypatch.setattr(evaluation, "_live_claims", found)
    assert [reason(now) for now in (IN_TIME, TOO_LATE, IN_TIME)] == ["none", "invalid_token", "none"]


@pytest.mark.requirement("TV-03")
def test_a_token_whose_claims_say_that_it_is_over_reaches_nothing() -> None:
    with pytest.raises(InvalidClaims):
        LiveToken(CLAIMS, "r4", TOO_LATE).reach_at(BASE)
    assert LiveToken(CLAIMS, "r4", IN_TIME).reach_at(BASE).subject.patient == "amy"


def test_other_requests_are_answered_between_the_entries_of_a_long_question() -> None:
    decided: list[int] = []

    def answers() -> Iterator[dict[str, Any]]:
        for number in range(100):
            decided.append(number)
            yield {"decision": True}

    async def decided_when_another_comes_in() -> int:
        return len(decided)

    async def both() -> int:
        other = asyncio.create_task(decided_when_another_comes_in())
        async with asyncio.timeout(5):  # nobody waits for others who are not there
            assert len(await decide_until(ALL, answers())) == 100
        return await other

    assert asyncio.run(both()) == 10
