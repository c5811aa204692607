"""In which ways a JWT is unlike our access tokens, each in words."""

import json
from typing import Any

import pytest

from smart.tokens.unlike_issued import unlike_claims, unlike_header

NOW, LONGEST = 1_000_000, 3600
GOOD = {"exp": NOW + LONGEST, "iat": NOW, "nbf": NOW, "aud": "https://fhir.example.org/r4"}


def unlike(claims: Any) -> list[str]:
    text = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return list(unlike_claims(text, now=NOW, longest=LONGEST))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"typ": "at+jwt", "alg": "ES256", "kid": "k"}, []),
        ({"alg": "ES256"}, ["its header has no typ"]),
        ({"typ": "JWT"}, ['typ is "JWT" and not "at+jwt"']),
        ({"typ": ["at+jwt"]}, ['typ is ["at+jwt"] and not "at+jwt"']),
        *(({"typ": "at+jwt", name: "x"}, [f"its header has {name}"]) for name in ("jwk", "jku", "x5c", "x5u", "crit")),
        ({"jku": 1, "jwk": {}, "typ": 2}, ["its header has jwk", "its header has jku", 'typ is 2 and not "at+jwt"']),
        ({"x5u": "x"}, ["its header has x5u", "its header has no typ"]),
    ],
    ids=str,
)  # fmt: skip
def test_each_header_parameter_that_we_never_write_is_named(header: dict[str, Any], said: list[str]) -> None:
    assert list(unlike_header(header)) == said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"exp": NOW + LONGEST + 60, "iat": NOW + 60, "nbf": NOW + 60}, []),
        ({"exp": 0, "iat": 0, "nbf": 0.5}, []),
        ({"iat": "later", "nbf": None}, []),
        ({"iat": True}, []),
        ({"exp": NOW + LONGEST + 61}, ["exp is later than that of any token of ours"]),
        ({"exp": NOW + LONGEST + 60.5}, ["exp is later than that of any token of ours"]),
        ({"exp": -1}, ["exp is negative"]),
        ({"exp": "1"}, ["exp is no number"]),
        ({"exp": True}, ["exp is no number"]),
        ({"iat": NOW + 61}, ["iat lies in the future"]),
        ({"nbf": NOW + 60.5}, ["nbf lies in the future"]),
        ({"aud": ["https://fhir.example.org/r4"]}, ["aud is no text"]),
        ({"exp": -1, "iat": NOW + 61, "nbf": NOW + 61, "aud": None}, [
            "exp is negative", "iat lies in the future", "nbf lies in the future", "aud is no text"
        ]),
    ],
    ids=str,
)  # fmt: skip
def test_each_claim_that_none_of_ours_has_is_named(changed: dict[str, Any], said: list[str]) -> None:
    assert unlike({**GOOD, **changed}) == said


@pytest.mark.parametrize(
    ("left_out", "said"),
    [("exp", ["it has no exp, so that it would never end"]), ("aud", ["it has no aud"]), ("iat", []), ("nbf", [])],
)
def test_a_claim_that_each_of_ours_has_is_missed(left_out: str, said: list[str]) -> None:
    assert unlike({name: value for name, value in GOOD.items() if name != left_out}) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"exp": 1, "exp": 2}', "a claim stands in it twice"),
        (b'{"exp": NaN}', "its claims are no strict JSON"),
        (b"", "its claims are no strict JSON"),
        (b"[]", "its claims are no object"),
        (b"7", "its claims are no object"),
    ],
)
def test_claims_that_are_none_are_told_as_such(text: bytes, said: str) -> None:
    assert unlike(text) == [said]
