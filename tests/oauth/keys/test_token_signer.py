"""What signs tokens: any library for JOSE reads what it writes."""

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError

from accounts import clock
from oauth.keys import signing_keys
from oauth.keys.token_signer import token_signer
from oauth.models import SigningKey

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(params=signing_keys.ALGORITHMS)
def row(request: pytest.FixtureRequest) -> SigningKey:
    """The active key of an algorithm."""
    signing_keys.ensure_keys()
    return SigningKey.objects.get(algorithm=request.param, state=SigningKey.State.ACTIVE)


@pytest.mark.requirement("AT-01")
def test_a_signed_token_verifies_under_the_published_key_and_names_it(row: SigningKey) -> None:
    claims = {"sub": "Ren\u00e9e", "scope": "patient/*.rs", "exp": 7}

    tokens = [token_signer("at+jwt", row.algorithm, row.kid, row.private_encrypted)(claims) for _ in range(20)]

    for token in tokens:  # a number of ES256 that begins with zeros is written in full
        read = jwt.decode(token, signing_keys.verification_keys(now=clock.now()), algorithms=[row.algorithm])
        assert read.header == {"alg": row.algorithm, "typ": "at+jwt", "kid": row.kid}
        assert read.claims == claims
        assert "=" not in token


def test_a_token_of_which_one_letter_was_changed_verifies_no_more(row: SigningKey) -> None:
    head, payload, signature = token_signer("at+jwt", row.algorithm, row.kid, row.private_encrypted)(
        {"sub": "amy"}
    ).split(".")
    changed = f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"

    with pytest.raises(BadSignatureError):
        jwt.decode(changed, signing_keys.verification_keys(now=clock.now()), algorithms=[row.algorithm])


def test_a_key_that_this_server_cannot_read_signs_nothing(row: SigningKey) -> None:
    with pytest.raises(signing_keys.UnreadableKey):
        token_signer("at+jwt", row.algorithm, row.kid, "not encrypted by us")


def test_where_no_key_is_active_nothing_is_signed_and_what_makes_one_is_said() -> None:
    with pytest.raises(signing_keys.UnreadableKey, match="there is no active RS256 key; the server makes one"):
        token_signer("JWT", "RS256", None, "")
