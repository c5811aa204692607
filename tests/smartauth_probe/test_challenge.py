"""Which error a header WWW-Authenticate names."""

import pytest

from smartauth_probe.challenge import bearer_error

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ('Bearer realm="x", error="invalid_token"', "invalid_token"),
        ("Bearer error=invalid_token", "invalid_token"),
        ('BEARER  Error = "invalid_token" , realm="x"', "invalid_token"),
        ('Basic realm="x", Bearer realm="y", error="invalid_token"', "invalid_token"),
        ('Negotiate, Basic realm="a, b", Bearer error="insufficient_scope"', "insufficient_scope"),
        (r'Bearer realm="a \" b", error="invalid\_token"', "invalid_token"),
        ("Bearer", ""),
        ('Bearer realm="x"', ""),
        ('Bearer realm="x", Basic error="invalid_token"', ""),
        ('Bearer realm="x, error=invalid_token"', ""),
        ('Bearer error_description="error=invalid_token"', ""),
        ('Bearer x-error="invalid_token"', ""),
        ('Bearer realm="cut, error=invalid_token', ""),
        ("", None),
        ('Basic realm="x"', None),
        ('Basic error="invalid_token"', None),
        ('Basic realm="Bearer error=invalid_token"', None),
        ('error="invalid_token"', None),
        ('DPoP error="invalid_token"', None),
    ],
)
def test_the_error_is_that_of_the_bearer_challenge(header: str, error: str | None) -> None:
    assert bearer_error(header) == error
