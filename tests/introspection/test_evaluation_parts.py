"""What a decision is made of: how far a live token reaches, and many entries beside the requests of others."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from introspection.evaluation import ALL, LiveToken, decide_until
from smart.decisions.subject import InvalidClaims
from tests.conftest import BASE


def test_how_far_a_token_reaches_is_worked_out_once_for_each_base() -> None:
    bases = ["https://a.example.org/r4", "https://b.example.org/r4"]
    token = LiveToken({"active": True, "aud": bases, "exp": 2_000_000_000, "scope": "patient/*.rs"}, "r4", 0)

    first, again, other = (token.reach_at(bases[number]) for number in (0, 0, 1))

    assert first is again
    assert [first.base, other.base] == bases


@pytest.mark.requirement("TV-15")
@pytest.mark.parametrize("active", ["true", 1, None])
def test_what_is_not_said_to_be_active_by_the_boolean_reaches_nothing(active: object) -> None:
    """As the bad token active-text is, to who introspects."""
    claims = {"active": active, "aud": BASE, "exp": 2_000_000_000, "scope": "patient/*.rs", "patient": "amy"}
    with pytest.raises(InvalidClaims):
        LiveToken(claims, "r4", 0).reach_at(BASE)
    assert LiveToken({**claims, "active": True}, "r4", 0).reach_at(BASE).base == BASE


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
