"""What the database keeps of an access token: digests of the whole, and of the parts that a forger would change."""

from typing import Any

import pytest

from oauth.tokens.access_token import AccessToken, lifetime_seconds
from oauth.tokens.authorization_state import AuthorizationState
from smart.digests import sha256_hex
from tests.fixture_types import Grant


@pytest.mark.requirement("AT-01")
def test_of_a_jwt_the_digests_of_what_is_signed_and_of_its_signature_are_kept() -> None:
    assert AccessToken.of("head.body.mark", "j").columns == {
        "digest": sha256_hex("head.body.mark"),
        "signed_digest": sha256_hex("head.body"),
        "signature_digest": sha256_hex("mark"),
        "jti": "j",
    }


@pytest.mark.requirement("AT-01")
def test_an_opaque_token_has_no_parts_whatever_it_looks_like() -> None:
    digest = sha256_hex("looks.like.one")

    assert AccessToken.of("looks.like.one", None).columns == {
        "digest": digest, "signed_digest": "", "signature_digest": "", "jti": None,
    }  # fmt: skip


@pytest.mark.requirement("SD-04", "BK-04")
@pytest.mark.parametrize(("user", "seconds"), [(7, 1800), (0, 300)], ids=["of a person", "of a service"])
def test_a_token_without_a_person_lives_five_minutes_at_most(
    grant: Grant, settings: Any, user: int, seconds: int
) -> None:
    settings.SMARTAUTH_ACCESS_TOKEN_SECONDS = 1800
    authorization = AuthorizationState.of(grant().authorization.pk)._replace(user_pk=user)

    assert lifetime_seconds(authorization) == seconds
