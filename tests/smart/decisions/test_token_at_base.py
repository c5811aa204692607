"""A text of claims is read once, and what time does to it is asked each time."""

import json
from typing import Any

import pytest

from smart.decisions.subject import InvalidClaims
from smart.decisions.token_at_base import token_at_base

BASE = "https://fhir.example.org/r4"
NOW, LATER = 1_000, 2_000
CLAIMS = {"active": True, "aud": BASE, "exp": 1_500, "scope": "patient/*.rs", "patient": "amy", "sub": "u", "jti": "j"}


def refusal(now: float = NOW, base: str = BASE, **changed: Any) -> str:
    """The line by which the claims are refused, "" where they are not."""
    try:
        token_at_base(json.dumps({**CLAIMS, **changed}), base, now)
    except InvalidClaims as error:
        return error.why["rule"]
    return ""


def test_the_same_text_is_read_once_and_another_one_by_itself() -> None:
    first, again = (token_at_base(json.dumps(CLAIMS), BASE, now) for now in (NOW, NOW + 1))
    other = token_at_base(json.dumps({**CLAIMS, "patient": "bob"}), BASE, NOW)

    assert first is again
    assert [found.subject.patient for found in (first, other)] == ["amy", "bob"]
    assert json.loads(first.claims) == {name: CLAIMS[name] for name in ("sub", "patient", "scope", "exp")}


@pytest.mark.requirement("TV-03")
def test_a_text_that_is_remembered_is_refused_from_the_second_on_in_which_its_token_expires() -> None:
    assert [refusal(now) for now in (NOW, 1_499.999, 1_500, LATER, NOW)] == ["", "", "TV-03", "TV-03", ""]


@pytest.mark.requirement("TV-07")
def test_a_text_that_is_remembered_for_its_base_is_refused_at_another() -> None:
    assert [refusal(), refusal(base="https://fhir.example.org/r5"), refusal()] == ["", "TV-07", ""]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"active": "true"}, "TV-15"),
        ({"active": 1}, "TV-15"),
        ({"exp": None}, "TV-03"),
        ({"exp": True}, "TV-03"),
        ({"exp": float("nan")}, "TV-03"),
        ({"cnf": {"jkt": "x"}}, "TV-22"),
    ],
)
@pytest.mark.requirement("TV-03", "TV-15", "TV-22")
def test_claims_that_are_worth_nothing_are_refused_each_time(changed: dict[str, Any], rule: str) -> None:
    assert [refusal(**changed) for _ in range(2)] == [rule, rule]


@pytest.mark.requirement("SD-20")
def test_a_long_text_such_as_one_with_many_patients_is_not_remembered() -> None:
    text = json.dumps({**CLAIMS, "__patients": [f"patient-{number}" for number in range(500)]})

    first, again = (token_at_base(text, BASE, NOW) for _ in range(2))

    assert first == again
    assert first is not again
