"""What the developer of an app is told of a bad request: what came, and what was expected."""

from dataclasses import replace

import pytest

from tests.smart.authorize.good_request import BASE, CLIENT, explained, good_parameters

PROMPTS = "consent, login, none, select_account"


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("changes", "presented", "expected"),
    [
        ({"state": None}, "", ""),
        ({"nonce": "x" * 2049}, "2049 characters", ""),
        ({"response_mode": "fragment"}, "fragment", "query"),
        ({"response_type": "token"}, "token", "code"),
        ({"response_type": None}, "", "code"),
        ({"code_challenge": None}, "no code_challenge", "S256"),
        ({"code_challenge_method": "plain"}, "code_challenge_method plain", "S256"),
        ({"code_challenge_method": None}, "code_challenge_method left out", "S256"),
        ({"code_challenge": "x"}, "1 characters", "43 characters"),
        ({"prompt": "create"}, "create", PROMPTS),
        ({"prompt": "none login"}, "none login", ""),
        ({"max_age": "soon"}, "soon", ""),
        ({"aud": "https://evil.example"}, "https://evil.example", BASE),
        ({"aud": None}, "", BASE),
        ({"resource": "https://evil.example", "aud": None}, "https://evil.example", BASE),
        ({"scope": "openid\n"}, "openid?", ""),
    ],
    ids=str,
)
def test_what_came_and_what_was_expected_is_told(changes: dict[str, str | None], presented: str, expected: str) -> None:
    why = explained(good_parameters(**changes))

    assert (why.presented, why.expected) == (presented, expected)


@pytest.mark.requirement("AZ-25", "E10")
@pytest.mark.parametrize(
    ("grants", "allowed"),
    [("refresh_token client_credentials", "client_credentials, refresh_token"), ("", "no grant")],
    ids=["others", "none"],
)
def test_which_grants_the_client_has_instead_is_told(grants: str, allowed: str) -> None:
    why = explained(good_parameters(), replace(CLIENT, grants=frozenset(grants.split())))

    assert (why.presented, why.expected) == ("authorization_code", allowed)
