import pytest

from smart.http.bearer import bearer_challenge, bearer_credentials, is_bearer_token


@pytest.mark.parametrize(
    ("header", "presented"),
    [
        ("Bearer a.b.c", "a.b.c"),
        ("bearer  x ", "x"),
        ("BEARER", ""),
        ("Basic YTpi", None),
        ("", None),
        ("Bearerx y", None),
    ],
)
def test_the_scheme_is_read_in_any_case(header: str, presented: str | None) -> None:
    assert bearer_credentials(header) == presented


@pytest.mark.parametrize(("text", "good"), [("a.b-c_d~+/==", True), ("", False), ("a b", False), ("a, Basic b", False)])
def test_a_token_has_the_characters_of_rfc_6750(text: str, good: bool) -> None:
    assert is_bearer_token(text) is good


@pytest.mark.requirement("SD-20")
def test_a_token_that_is_longer_than_any_is_none() -> None:
    assert is_bearer_token("a" * 16_384)
    assert not is_bearer_token("a" * 16_385)


def test_a_challenge_names_the_realm_and_then_what_is_wrong() -> None:
    assert bearer_challenge("x") == 'Bearer realm="x"'
    assert bearer_challenge("x", error="invalid_token") == 'Bearer realm="x", error="invalid_token"'
