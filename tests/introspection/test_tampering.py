"""A changed token ends its original when the sender shows that he held it or our key, and only then (SD-07)."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from oauth import keys
from oauth.models import SigningKey

Issue = Callable[..., dict[str, Any]]


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def opened(part: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return content


def altered_payload(token: str) -> str:
    header, payload, signature = token.split(".")
    return f"{header}.{b64(json.dumps({**opened(payload), 'patient': 'ben'}).encode())}.{signature}"


def altered_signature(token: str) -> str:
    signed, _, signature = token.rpartition(".")
    return f"{signed}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def other_kid(token: str) -> str:
    header, payload, signature = token.split(".")
    return f"{b64(json.dumps({**opened(header), 'kid': 'other'}).encode())}.{payload}.{signature}"


def other_encoding(token: str) -> str:
    return token + "="


def resigned(token: str) -> str:
    _, payload, _ = token.split(".")
    row = SigningKey.objects.get(algorithm="ES256", state="active")
    key = keys.signing(row.kid, row.private_encrypted)
    changed = json.dumps({**opened(payload), "patient": "ben"}).encode()
    return jws.serialize_compact({"alg": "ES256", "kid": row.kid}, changed, key, algorithms=["ES256"])


@pytest.mark.requirement("SD-07")
@pytest.mark.parametrize("change", [altered_payload, altered_signature, other_kid, other_encoding, resigned])
def test_a_changed_token_is_inactive_and_ends_its_original(
    issue: Issue, introspect: Any, events: Any, change: Callable[[str], str]
) -> None:
    answer = issue()
    assert introspect(answer["access_token"])["active"] is True

    assert introspect(change(answer["access_token"])) == {"active": False}

    assert introspect(answer["access_token"]) == {"active": False}
    assert len(events("tampered", client=answer["granted"].client.client_id)) == 1
    answer["granted"].authorization.refresh_from_db()
    assert answer["granted"].authorization.flagged_at > 0


@pytest.mark.requirement("SD-07")
def test_forgeries_with_a_known_jti_and_nothing_else_leave_the_token_alive(
    issue: Issue, introspect: Any, events: Any
) -> None:
    answer = issue()
    jti = opened(answer["access_token"].split(".")[1])["jti"]

    for number in range(100):
        forged = f"{b64(b'{}')}.{b64(json.dumps({'jti': jti, 'n': number}).encode())}.{b64(b'x' * 64)}"
        assert introspect(forged) == {"active": False}

    assert introspect(answer["access_token"])["active"] is True
    assert len(events("tamper-suspected", client=answer["granted"].client.client_id)) == 100
    assert events("tampered", client=answer["granted"].client.client_id) == []


@pytest.mark.requirement("IN-05")
def test_the_jti_is_never_told(issue: Issue, introspect: Any, events: Any) -> None:
    answer = issue()
    jti = opened(answer["access_token"].split(".")[1])["jti"]

    claims = introspect(answer["access_token"])
    introspect(altered_signature(answer["access_token"]))

    kept = [str(vars(event)) for kind in ("issued", "tampered") for event in events(kind)]
    assert "jti" not in claims
    assert jti not in json.dumps(claims) + "".join(kept)


def by_public_key(signed: bytes) -> bytes:
    """What an attacker makes who takes our public key for a shared secret (RFC 8725 §2.1)."""
    row = SigningKey.objects.get(algorithm="RS256", state="active")
    public = RSAKey.import_key(json.loads(row.public_jwk)).as_pem(private=False)
    return hmac.digest(public, signed, "sha256")


@pytest.mark.requirement("SB-10")
@pytest.mark.parametrize(
    ("header", "signature"),
    [
        pytest.param({"alg": "none"}, lambda signed: b"", id="none"),
        pytest.param({"alg": "None"}, lambda signed: b"x", id="None"),
        pytest.param({"alg": "HS256"}, by_public_key, id="HS256 with the public key"),
        pytest.param({"alg": "ES256", "crit": ["x"], "x": 1}, lambda signed: b"s" * 64, id="unknown crit"),
        pytest.param({"alg": "ES256", "jwk": {"kty": "oct", "k": "AAAA"}}, lambda signed: b"s" * 64, id="key inside"),
    ],
)
def test_an_algorithm_or_key_that_the_token_names_itself_proves_nothing(
    issue: Issue, introspect: Any, events: Any, header: dict[str, Any], signature: Callable[[bytes], bytes]
) -> None:
    answer = issue()
    payload = {**opened(answer["access_token"].split(".")[1]), "patient": "ben"}
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"

    forged = f"{signed}.{b64(signature(signed.encode()))}"

    assert introspect(forged) == {"active": False}
    assert introspect(answer["access_token"])["active"] is True
    assert events("tampered", client=answer["granted"].client.client_id) == []
