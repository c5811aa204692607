"""Proof keys."""

import pytest

from smart.authorize.pkce import is_challenge, s256_challenge, verify_code_verifier
from smart.http.errors import InvalidGrant, InvalidRequest

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.requirement("CG-02")
def test_the_example_of_rfc_7636_appendix_b_and_of_the_requirements() -> None:
    assert s256_challenge(VERIFIER) == CHALLENGE
    assert (
        s256_challenge("smartauth-example-verifier-0123456789-abcdefghij")
        == "srPl9FdvyKJNhqOfpI1xknQzvd9WTQojDoIan86nxWU"
    )
    verify_code_verifier(CHALLENGE, VERIFIER)


@pytest.mark.requirement("E81", "CG-02")
@pytest.mark.parametrize(
    "verifier",
    ["", " ", "a" * 42, "a" * 129, "a" * 42 + "+", "a" * 43 + "\n", "a" * 42 + "é", "a" * 42 + "="],
    ids=["missing", "blank", "short", "long", "plus", "newline", "not ascii", "padding"],
)
def test_a_verifier_of_the_wrong_form_is_an_invalid_request(verifier: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^code_verifier ") as refused:
        verify_code_verifier(CHALLENGE, verifier)

    assert refused.value.why["presented"] == f"{len(verifier)} characters"


@pytest.mark.requirement("E82")
@pytest.mark.parametrize("verifier", ["a" * 43, CHALLENGE, VERIFIER[:-1] + "l"], ids=["wrong", "plain trick", "close"])
def test_a_wrong_verifier_is_an_invalid_grant(verifier: str) -> None:
    with pytest.raises(InvalidGrant):
        verify_code_verifier(CHALLENGE, verifier)


@pytest.mark.requirement("E83", "CG-03")
def test_a_verifier_for_a_code_without_challenge_is_a_downgrade() -> None:
    with pytest.raises(InvalidGrant) as caught:
        verify_code_verifier("", VERIFIER)

    assert "without a challenge" in caught.value.event_reason


@pytest.mark.parametrize("length", [43, 128])
def test_both_ends_of_the_verifiers_length_are_good(length: int) -> None:
    verifier = "~" * length

    verify_code_verifier(s256_challenge(verifier), verifier)


@pytest.mark.requirement("E23")
@pytest.mark.parametrize("text", ["", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "+", "a" * 43 + "\n"], ids=repr)
def test_what_no_challenge_looks_like(text: str) -> None:
    assert is_challenge(CHALLENGE)
    assert not is_challenge(text)
