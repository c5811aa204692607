"""Tokens of a key of one's own: a verifier lets good ones in, and refuses every bad one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from smartauth_probe.catalogue import kinds
from smartauth_probe.command import main
from smartauth_probe.entries import Unreadable
from smartauth_probe.requests import PRESENTATIONS
from smartauth_probe.tokens.own_key import OwnKeyTokens
from smartauth_probe.tokens.signing_key import NEEDED, read_signing_key
from smartauth_probe.tokens.source import NoToken, Wanted
from tests.oauth.workbench.minting.verifier import Issuer, Verifier

pytestmark = pytest.mark.one_engine
ISSUER, BASE = "https://auth.example.org", "https://fhir.example.org/fhir/r4"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "a-key"})


@pytest.fixture(scope="module")
def file(key: RSAKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("key") / "key.json"
    made.write_text(json.dumps({"keys": [{"kty": "EC"}, key.as_dict(private=True)]}), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def source(file: Path) -> OwnKeyTokens:
    about: Any = {"issuer": ISSUER, "aud": BASE, "client": "my-app", "user": "amy"}
    return OwnKeyTokens(read_signing_key(file), **about, patients=("amy", "ben"))


@pytest.fixture(scope="module")
def verifier(key: RSAKey) -> Verifier:
    return Verifier(Issuer(ISSUER, BASE, {"keys": [key.as_dict(private=False)]}))


def test_a_good_token_says_what_is_wanted_under_a_signature_that_verifies(source: OwnKeyTokens, key: RSAKey) -> None:
    read = jwt.decode(source.token(Wanted("patient/*.rs", "amy", claims=(("sub", None), ("acr", "high")))), key)

    assert read.header == {"alg": "RS256", "typ": "at+jwt", "kid": "a-key"}
    about = {"iss": ISSUER, "aud": BASE, "client_id": "my-app", "scope": "patient/*.rs", "patient": "amy"}
    assert {name: read.claims[name] for name in about} == about
    assert (read.claims["fhirUser"], read.claims["acr"], "sub" in read.claims) == ("Patient/amy", "high", False)

    service = jwt.decode(source.token(Wanted("system/*.rs")), key).claims
    assert (service["sub"], {"patient", "fhirUser"} & service.keys()) == ("my-app", set())


def test_a_right_verifier_lets_the_good_ones_in_and_no_bad_one(source: OwnKeyTokens, verifier: Verifier) -> None:
    made: dict[str, int] = {}
    for kind in kinds().values():
        if kind.name in PRESENTATIONS or (not kind.fools.jwt_verifiers and not kind.is_good):
            continue
        try:
            made[kind.name] = verifier.status(source.bad_token(kind.name).value)
        except NoToken:
            continue

    assert verifier.status(source.token(Wanted("patient/*.rs", "amy"))) == 200
    assert [name for name, status in made.items() if (status == 200) != kinds()[name].is_good] == []
    assert len(made) >= 65
    assert {"expired", "aud-other", "signature-bit", "alg-none", "payload-changed", "good-aud-list"} <= made.keys()


def test_what_takes_another_key_or_an_authorization_server_is_not_made(source: OwnKeyTokens) -> None:
    for kind in ("foreign-key", "revoked", "id-token", "jku", "active-text"):
        with pytest.raises(NoToken, match="takes more than the key"):
            source.bad_token(kind)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"kty": "EC", "d": "AQ"}', '{"kty": "RSA", "n": "AQAB"}', '{"kty": "RSA", "n": "AQAB", "d": "AQAB"}'],
)
def test_what_is_no_key_is_said(tmp_path: Path, text: str) -> None:
    wrong = tmp_path / "key.json"
    wrong.write_text(text, encoding="utf-8")

    with pytest.raises(Unreadable, match=re.escape(NEEDED)):
        read_signing_key(wrong)


def test_a_key_without_an_issuer_cannot_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http://127.0.0.1:1/fhir", f"--key={file}"]) == 2
    assert "--key takes --issuer too" in capsys.readouterr().err
