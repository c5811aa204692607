"""A changed token ends its original when the sender shows that they held it or our key, and only then (SD-07)."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from oauth.keys import signing_keys
from oauth.models import SigningKey
from tests.conftest import ADDRESS, App
from tests.fixture_types import Events, Introspect, Issue, MakeClient


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


def bits(part: str) -> str:
    """The same bytes, written with bits set that no byte uses."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    stray = len(part) * 6 % 8
    assert stray, "nothing is stray here"
    return part[:-1] + letters[letters.index(part[-1]) | (2**stray - 1)]


def stray_bits(token: str) -> str:
    header, payload, signature = token.split(".")
    return f"{header}.{payload}.{bits(signature)}"


def padded(token: str) -> str:
    return ".".join(part + "=" * (-len(part) % 4) for part in token.split("."))


def resigned(token: str, *, algorithm: str = "ES256", state: str = "active", **header: Any) -> str:
    """With another patient, signed by one of our own keys."""
    payload = opened(token.split(".")[1])
    row = SigningKey.objects.filter(algorithm=algorithm, state=state, withdrawn_at=0).latest("pk")
    key = signing_keys.private_key(row.kid, row.private_encrypted)
    changed = json.dumps({**payload, "patient": "ben"}).encode()
    return jws.serialize_compact({"alg": algorithm, "kid": row.kid, **header}, changed, key, algorithms=[algorithm])


CHANGES: dict[str, Callable[[str], str]] = {
    "altered payload": altered_payload,
    "altered signature": altered_signature,
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "other kid": other_kid,
    "padding at the end": lambda token: token + "=",
    "padding everywhere": padded,
    "stray bits": stray_bits,
    "upper case signature": lambda token: "{}.{}.{}".format(*token.split(".")[:2], token.split(".")[2].upper()),
    "upper case header": lambda token: "{}.{}.{}".format(token.split(".")[0].upper(), *token.split(".")[1:]),
    "a newline at the end": lambda token: token + "\n",
    "spaces in the payload": lambda token: token.replace(".", ". ", 1)[:-20] + token[-20:],
    "a space in every part": lambda token: token.replace(".", " ."),
    "the scheme before it": lambda token: f"Bearer {token}",
    "quoted": lambda token: f'"{token}"',
    "another part after it": lambda token: f"{token}.x",
    "another part before it": lambda token: f"x.{token}",
    "an empty part after it": lambda token: f"{token}.",
    "signed with our key": resigned,
    "signed with our key of another algorithm": lambda token: resigned(token, algorithm="RS256"),
    "signed with our key, other kid": lambda token: resigned(token, kid="another"),
}


@pytest.mark.requirement("SD-07")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_token_is_inactive_and_ends_its_original(
    issue: Issue, introspect: Introspect, events: Events, change: Callable[[str], str]
) -> None:
    answer = issue()
    assert introspect(answer["access_token"])["active"] is True

    assert introspect(change(answer["access_token"])) == {"active": False}

    assert introspect(answer["access_token"]) == {"active": False}
    (tampered,) = events("tampered", client=answer["granted"].client.client_id)
    (ended,) = events("revoked", client=answer["granted"].client.client_id)
    assert (ended.address, ended.reference) == (tampered.address, tampered.reference)
    assert (tampered.address, tampered.reference[:5]) == (ADDRESS, "test-")
    assert (tampered.token, tampered.authorization) == (ended.token, str(answer["granted"].authorization))
    assert tampered.reason not in {"", "a known identifier and nothing else"}
    answer["granted"].authorization.refresh_from_db()
    assert answer["granted"].authorization.flagged_at > 0


@pytest.mark.requirement("SD-07", "HI-08")
def test_a_tampered_token_that_cannot_be_ended_now_is_told_of_when_it_is(
    issue: Issue, introspect: Introspect, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = issue()
    changed, client = altered_signature(answer["access_token"]), answer["granted"].client.client_id

    def failing(*_: object) -> None:
        raise RuntimeError("broken on the way")

    with monkeypatch.context() as broken:
        broken.setattr("introspection.tampering.end_token", failing)
        with pytest.raises(AssertionError, match="server_error"):
            introspect(changed)
    before = events("tampered", client=client)
    introspect(changed)

    assert (before, len(events("tampered", client=client))) == ([], 1)
    assert introspect(answer["access_token"]) == {"active": False}


@pytest.mark.requirement("SD-07")
@pytest.mark.parametrize("state", ["next", "retired"])
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_key_that_signs_soon_or_has_signed_is_ours_too(
    issue: Issue, introspect: Introspect, algorithm: str, state: str
) -> None:
    from accounts import clock

    kept = SigningKey.objects.filter(algorithm=algorithm, state=state, withdrawn_at=0).order_by("pk")
    row = kept.last() or signing_keys.create_key(algorithm, state)
    SigningKey.objects.filter(pk=row.pk, state="retired").update(retired_at=clock.now())
    answer = issue()

    assert introspect(resigned(answer["access_token"], algorithm=algorithm, state=state)) == {"active": False}

    assert introspect(answer["access_token"]) == {"active": False}


@pytest.mark.requirement("SD-07")
def test_a_key_of_somebody_else_proves_nothing(issue: Issue, introspect: Introspect, events: Events) -> None:
    answer = issue()
    payload = opened(answer["access_token"].split(".")[1])
    kid = SigningKey.objects.get(algorithm="ES256", state="active").kid
    theirs = ECKey.generate_key("P-256", private=True)

    forged = jws.serialize_compact({"alg": "ES256", "kid": kid}, json.dumps(payload).encode(), theirs)

    assert introspect(forged) == {"active": False}
    assert introspect(answer["access_token"])["active"] is True
    (event,) = events("tamper-suspected", client=answer["granted"].client.client_id)
    assert event.reason == "a known identifier and nothing else"


@pytest.mark.requirement("SD-07")
def test_a_thousand_forgeries_with_a_known_jti_and_nothing_else_leave_the_token_alive(
    issue: Issue, introspect: Introspect, events: Events
) -> None:
    answer = issue()
    jti = opened(answer["access_token"].split(".")[1])["jti"]

    for number in range(1000):
        forged = f"{b64(b'{}')}.{b64(json.dumps({'jti': jti, 'n': number}).encode())}.{b64(b'x' * 64)}"
        assert introspect(forged) == {"active": False}

    assert introspect(answer["access_token"])["active"] is True
    assert len(events("tamper-suspected", client=answer["granted"].client.client_id)) == 1
    assert events("tampered", client=answer["granted"].client.client_id) == []
    answer["granted"].authorization.refresh_from_db()
    assert answer["granted"].authorization.flagged_at == 0


@pytest.mark.requirement("SD-07")
def test_copies_sent_again_and_again_are_one_event_a_minute(
    issue: Issue, introspect: Introspect, events: Events
) -> None:
    from oauth.models import RefusalCount

    answer = issue()
    client = answer["granted"].client
    for _ in range(3):
        introspect(altered_signature(answer["access_token"]))

    RefusalCount.objects.filter(client=client).update(window_ends_at=1)
    introspect(altered_signature(answer["access_token"]))

    assert len(events("tampered", client=client.client_id)) == 2


@pytest.mark.requirement("SD-07")
def test_the_refresh_token_of_a_copied_token_still_works(
    app: App, issue: Issue, introspect: Introspect, make_client: MakeClient
) -> None:
    client = make_client(grants="authorization_code refresh_token", scope="offline_access patient/*.rs")
    answer = issue(client, scope="offline_access patient/*.rs")
    introspect(altered_signature(answer["access_token"]))
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "client_id": client.client_id}

    refreshed = app.post("/o/token", data=form)

    assert introspect(refreshed.json()["access_token"])["active"] is True


@pytest.mark.requirement("IN-05")
def test_the_jti_is_never_told(issue: Issue, introspect: Introspect, events: Events) -> None:
    answer = issue()
    jti = opened(answer["access_token"].split(".")[1])["jti"]

    claims = introspect(answer["access_token"])
    introspect(altered_signature(answer["access_token"]))

    client_id = answer["granted"].client.client_id
    kept = [str(vars(event)) for kind in ("issued", "tampered") for event in events(kind, client=client_id)]
    assert (claims["active"], len(kept)) == (True, 2)
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
    issue: Issue, introspect: Introspect, events: Events, header: dict[str, Any], signature: Callable[[bytes], bytes]
) -> None:
    answer = issue()
    payload = {**opened(answer["access_token"].split(".")[1]), "patient": "ben"}
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"

    forged = f"{signed}.{b64(signature(signed.encode()))}"

    assert introspect(forged) == {"active": False}
    assert introspect(answer["access_token"])["active"] is True
    assert events("tampered", client=answer["granted"].client.client_id) == []
