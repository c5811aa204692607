"""Which ID token tells this server who somebody is (id_token_hint, OIDC Core §3.1.2.1)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws

from oauth.keys import signing_keys
from oauth.models import SigningKey
from oauth.tokens import id_token


@pytest.fixture
def signed(committed: None) -> Callable[..., str]:
    """A token that a key of ours signed; None leaves a claim out."""

    def sign(algorithm: str = "RS256", typ: str = "JWT", kid: str | None = None, **changes: Any) -> str:
        row = SigningKey.objects.get(algorithm=algorithm, state="active")
        claims = {"iss": "http://127.0.0.1:8000", "sub": "u-1", "aud": "app", **changes}
        payload = json.dumps({name: value for name, value in claims.items() if value is not None})
        header = {"alg": algorithm, "typ": typ, "kid": row.kid if kid is None else kid}
        key = signing_keys.private_key(row.kid, row.private_encrypted)
        return jws.serialize_compact(header, payload, key, algorithms=[algorithm])

    return sign


@pytest.mark.requirement("ID-07", "E43")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example.org"}, {"iss": None}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "u\0"},
        {"aud": ["app"]}, {"aud": ""}, {"aud": None}, {"algorithm": "ES256"}, {"typ": "at+jwt"}, {"kid": ""},
        {"kid": "another"},
    ],
)  # fmt: skip
def test_what_says_of_nobody_who_they_are_here_is_no_hint(signed: Callable[..., str], changes: dict[str, Any]) -> None:
    assert id_token.parse_hint(signed()) == ("u-1", "app")
    assert id_token.parse_hint(signed(**changes)) is None


@pytest.mark.requirement("ID-07")
def test_a_hint_is_no_longer_than_the_longest(signed: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    token = signed(nonce="n" * 5650)
    assert 8000 < len(token) < 8192

    found = list[Any]()
    for longest in (8192, len(token), len(token) - 1):
        monkeypatch.setattr(id_token, "MAX_LENGTH", longest)
        found.append(id_token.parse_hint(token))

    assert found == [("u-1", "app"), ("u-1", "app"), None]


@pytest.mark.requirement("ID-07", "SD-07")
def test_a_key_that_was_withdrawn_gives_no_hint(signed: Callable[..., str]) -> None:
    token, active = signed(), SigningKey.objects.filter(algorithm="RS256", state="active")
    try:
        active.update(withdrawn_at=1)
        assert id_token.parse_hint(token) is None
    finally:
        active.update(withdrawn_at=0)
