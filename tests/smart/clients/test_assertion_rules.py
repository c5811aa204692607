"""What the developer of a client is told of an assertion that breaks a rule: the line, what came, what was expected."""

from typing import Any

import pytest

from smart.clients.assertion_rules import ASSERTION_TYPE, validate_assertion
from smart.clients.assertions import Assertion, InvalidAssertion

ISSUER, TOKEN = "https://auth.example.org", "https://auth.example.org/o/token"
NOW = 1_790_000_000
HEADER = {"alg": "ES384", "kid": "k"}
CLAIMS = {"iss": "bulk", "sub": "bulk", "aud": TOKEN, "exp": NOW + 240, "jti": "6f0d"}
OURS = f"{ISSUER}, {TOKEN}"

Changes = dict[str, Any]


def refusal(
    header: Changes | None = None, claims: Changes | None = None, *, kind: str = ASSERTION_TYPE, client_id: Any = None
) -> InvalidAssertion | None:
    """Why a good assertion with these changes is refused; None leaves a member out."""
    parts = ({**HEADER, **(header or {})}, {**CLAIMS, **(claims or {})})
    head, said = ({name: value for name, value in part.items() if value is not None} for part in parts)
    try:
        validate_assertion(
            Assertion("", head, said), kind=kind, client_id=client_id, audiences=[TOKEN, ISSUER], now=NOW * 10**6
        )
    except InvalidAssertion as error:
        return error
    return None


@pytest.mark.requirement("AZ-25", "CL-04")
@pytest.mark.parametrize(
    ("header", "rule", "case", "presented", "expected"),
    [
        ({"alg": "none"}, "CL-05", "E61", "alg none", "RS384, ES384"),
        ({"alg": None}, "CL-05", "E61", "alg left out", "RS384, ES384"),
        ({"alg": "HS256"}, "CL-05", "E62", "alg HS256", "RS384, ES384"),
        ({"kid": None}, "CL-08", "E64", "", ""),
        ({"typ": "at+jwt"}, "CL-04", "E67", "typ at+jwt", "JWT"),
        ({"crit": ["exp"]}, "CL-04", "E67", "crit ['exp']", "no crit"),
    ],
    ids=str,
)
def test_a_header_is_explained(header: Changes, rule: str, case: str, presented: str, expected: str) -> None:
    error = refusal(header)

    assert error is not None
    assert error.why == {"rule": rule, "case": case, "presented": presented, "expected": expected}


@pytest.mark.requirement("AZ-25", "CL-04")
@pytest.mark.parametrize(
    ("claims", "rule", "case", "presented", "expected"),
    [
        ({"sub": "other"}, "CL-04", "E68", "sub other", "bulk"),
        ({"sub": None}, "CL-04", "E68", "sub left out", "bulk"),
        ({"iss": None, "sub": None}, "CL-04", "E68", "", ""),
        ({"aud": None}, "CL-14", "E69", "no aud", OURS),
        ({"aud": "https://x.example"}, "CL-14", "E69", "https://x.example", OURS),
        ({"exp": None}, "CL-13", "E70", "", ""),
        ({"exp": NOW - 60}, "CL-13", "E70", f"exp {NOW - 60}", f"after {NOW}"),
        ({"exp": NOW + 361}, "CL-13", "E70", f"exp {NOW + 361}", f"at most {NOW + 300}"),
        ({"nbf": NOW + 61}, "CL-13", "E70", f"nbf {NOW + 61}", f"at most {NOW}"),
        ({"iat": NOW + 61}, "CL-13", "E70", f"iat {NOW + 61}", f"at most {NOW}"),
        ({"iat": "now"}, "CL-13", "E70", "", ""),
        ({"jti": ""}, "CL-04", "E71", "", ""),
    ],
    ids=str,
)
def test_a_claim_is_explained(claims: Changes, rule: str, case: str, presented: str, expected: str) -> None:
    error = refusal(claims=claims)

    assert error is not None
    assert error.why == {"rule": rule, "case": case, "presented": presented, "expected": expected}


@pytest.mark.requirement("AZ-25", "CL-07", "CL-09")
def test_what_stands_beside_the_assertion_is_explained() -> None:
    other, kind = refusal(client_id="other"), refusal(kind="jwt-bearer")

    assert other is not None
    assert other.why == {"rule": "CL-07", "case": "E55", "presented": "client_id other", "expected": "bulk"}
    assert kind is not None
    assert kind.why == {"rule": "CL-09", "case": "E59", "presented": "", "expected": ""}


@pytest.mark.requirement("WF-06")
def test_the_first_of_several_is_explained_and_all_are_named() -> None:
    error = refusal({"kid": ""}, {"exp": NOW - 60})

    assert error is not None
    assert (error.rules, str(error)) == (("kid is missing", "exp is past"), "kid is missing; exp is past")
    assert error.why["rule"] == "CL-08"


@pytest.mark.parametrize(("jti", "good"), [("j", True), ("j" * 256, True), ("j" * 257, False)])
def test_a_jti_has_1_to_256_characters(jti: str, *, good: bool) -> None:
    assert (refusal(claims={"jti": jti}) is None) is good


def test_what_names_no_rule_is_about_its_form() -> None:
    error = InvalidAssertion("no assertion")

    assert error.why == {"rule": "CL-04", "case": "E60", "presented": "", "expected": ""}
