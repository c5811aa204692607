"""Every kind of token is what the catalogue says: a right verifier refuses it, one broken in that way lets it in."""

import functools
import time
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from oauth.workbench.minting.good_token import CannotMint, GoodToken, Keys, sign
from oauth.workbench.minting.mint import FORGERIES, Minted, mint
from smartauth_probe.bad_claims import CHANGES
from smartauth_probe.catalogue import kinds
from smartauth_probe.kinds import Kind
from tests.oauth.workbench.minting import broken_verifiers as broken
from tests.oauth.workbench.minting.verifier import Issuer, Verifier

pytestmark = pytest.mark.one_engine

ISSUER, BASE = "https://auth.example.org", "https://fhir.example.org/fhir/r4"
LISTENER = "https://listener.invalid/key"
BROKEN: dict[type[Verifier], str] = {
    broken.NoExpiry: "expired expired-just-now expired-past-skew no-exp exp-as-text exp-negative exp-huge",
    broken.NeverAfter: "exp-float-nan",
    broken.NoStart: "not-yet-valid from-the-future",
    broken.NoAudience: "aud-other aud-missing aud-list-other aud-number",
    broken.AudienceText: "aud-longer aud-longer-path",
    broken.AudienceAbove: "aud-shorter",
    broken.AudienceCase: "aud-case",
    broken.AudienceHost: "aud-host-port",
    broken.AudienceWithin: "aud-object",
    broken.NoIssuer: "iss-other iss-missing",
    broken.IssuerPrefix: "iss-longer",
    broken.NoSignature: "signature-bit signature-empty signature-cut signature-none foreign-key",
    broken.PayloadUnsigned: "payload-changed",
    broken.OldKeys: "withdrawn-key",
    broken.Der: "signature-der",
    broken.Unsigned: "alg-none alg-None alg-NONE alg-missing",
    broken.PublicSecret: "alg-hs256-public-key alg-hs256-public-jwk alg-hs256-public-der",
    broken.TypeOfKey: "alg-other-type crit",
    broken.UnknownKey: "kid-unknown kid-null",
    broken.KeyFile: "kid-path",
    broken.KeyTable: "kid-sql",
    broken.KeyFromHeader: "kid-url jku x5u jwk x5c",
    broken.OnlySignature: "id-token userinfo-token",
    broken.OnlyDecodes: "client-assertion",
    broken.NoType: "typ-missing typ-jwt",
    broken.NoProof: "dpop-as-bearer",
    broken.AnySubject: "backend-with-patient user-without-person",
    broken.AnyScope: "scope-missing scope-empty scope-openid-only scope-other-type scope-write-only",
    broken.ScopeText: "scope-list scope-object scope-order scope-glued scope-unknown-parameter scope-modifier",
    broken.ScopeCase: "scope-case scope-case-context",
    broken.ScopeWithin: "scope-prefix-trap scope-prefix-context",
    broken.AnyPatient: "patient-missing patient-other patient-null",
    broken.PatientPath: "patient-path patient-path-up patient-path-encoded patient-path-type",
    broken.PatientNumber: "patient-number",
    broken.PatientText: "patient-list patient-blank",
    broken.LastPatient: "claims-doubled",
    broken.LastMember: "claims-doubled-scope",
    broken.Recursive: "claims-deep claims-deep-short",
    broken.TruthyAnswer: "active-text",
    broken.Anything: "noise long",
}
FOOLED = {name: verifier for verifier, names in BROKEN.items() for name in names.split()}
# what a verifier of JWTs cannot know, so that it is no fault of its own
GENUINE = "resigned-by-us"


@functools.cache
def keys(algorithm: str = "ES256") -> Keys:
    def made(kid: str, of: str = algorithm) -> Any:
        about: Any = {"kid": kid, "use": "sig", "alg": of}
        return ECKey.generate_key("P-256", about) if of == "ES256" else RSAKey.generate_key(2048, about)

    return Keys(
        own=made("own"), id_token=made("id", "RS256"), previous=made("previous"), withdrawn=made("withdrawn"),
        foreign=made("foreign"),
    )  # fmt: skip


@functools.cache
def issuer(algorithm: str = "ES256") -> Issuer:
    known = keys(algorithm)
    public = [dict(key.as_dict(private=False)) for key in (known.own, known.previous, known.id_token)]
    return Issuer(
        ISSUER,
        BASE,
        {"keys": public},
        dict(known.withdrawn.as_dict(private=False)),
        {LISTENER: dict(known.foreign.as_dict(private=False))},
    )


def good_token(algorithm: str = "", **changes: Any) -> GoodToken:
    """A token of amy's app; without an algorithm it is opaque."""
    now = int(time.time())
    who = {"iss": ISSUER, "aud": BASE, "sub": "u-1", "client_id": "app", "jti": "one"}
    claims = {**who, "iat": now, "exp": now + 300, "scope": "patient/*.rs", "patient": "amy", **changes}
    answer = {"active": True, "token_type": "Bearer", **{name: claims[name] for name in claims if name != "jti"}}
    token = sign(claims, keys(algorithm).own) if algorithm else "opaque"
    return GoodToken(
        token=token, claims=claims, answer=answer, keys=keys(algorithm) if algorithm else None,
        other_base="https://fhir.example.org/fhir/other", other_patient="ben", listener=LISTENER,
    )  # fmt: skip


def minted(kind: str, algorithm: str = "ES256") -> Minted:
    return mint(kinds()[kind], good_token(algorithm))


def named(kind: Kind) -> str:
    return kind.name


def of_jwts() -> list[Kind]:
    """The kinds that a verifier can tell from the token alone."""
    return [kind for kind in kinds().values() if kind.name in FOOLED and kind.fools.jwt_verifiers]


def test_every_kind_that_is_made_here_has_a_verifier_that_it_fools() -> None:
    good = {kind.name for kind in kinds().values() if kind.is_good}

    assert {*CHANGES, *FORGERIES, "noise", "long"} - good - {GENUINE} == set(FOOLED)
    assert set(FOOLED) <= set(kinds())


@pytest.mark.parametrize("kind", of_jwts(), ids=named)
def test_a_right_verifier_answers_as_the_catalogue_says_and_a_broken_one_does_not(kind: Kind) -> None:
    token, fooled = minted(kind.name).token, FOOLED[kind.name]
    right = type("Right", (Verifier,), {"asked": fooled.asked})

    assert kind.answer.is_met_by(right(issuer()).status(token))
    assert not kind.answer.is_met_by(fooled(issuer()).status(token))


@pytest.mark.parametrize("kind", [kind for kind in of_jwts() if minted(kind.name).answer is not None], ids=named)
def test_a_server_that_introspects_is_told_the_same(kind: Kind) -> None:
    answer, fooled = minted(kind.name).answer, FOOLED[kind.name]
    right = type("Right", (Verifier,), {"asked": fooled.asked})

    assert kind.answer.is_met_by(right(issuer()).status_of_answer(answer))
    assert kind.name in {"userinfo-token"} or not kind.answer.is_met_by(fooled(issuer()).status_of_answer(answer))


def test_an_answer_that_is_active_by_a_text_fools_who_takes_text_for_truth() -> None:
    answer = minted("active-text").answer

    assert answer is not None
    assert answer["active"] == "true"
    assert Verifier(issuer()).status_of_answer(answer) == 401
    assert broken.TruthyAnswer(issuer()).status_of_answer(answer) == 200


def test_what_our_own_key_has_signed_is_genuine_for_a_verifier_and_was_never_issued() -> None:
    made = minted(GENUINE)

    assert Verifier(issuer()).status(made.token) == 200
    assert made.answer is None
    assert made.original


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("kind", [kind for kind in kinds().values() if kind.is_good], ids=named)
def test_a_good_twin_is_let_in(kind: Kind, algorithm: str) -> None:
    made = minted(kind.name, algorithm)

    assert Verifier(issuer(algorithm)).status(made.token) == 200
    assert Verifier(issuer(algorithm)).status_of_answer(made.answer) == 200


@pytest.mark.parametrize("kind", [kind for kind in of_jwts() if kind.name in FORGERIES], ids=named)
def test_tokens_signed_by_rs256_can_be_as_bad(kind: Kind) -> None:
    if kind.name == "signature-der":
        with pytest.raises(CannotMint, match="RSA"):
            minted(kind.name, "RS256")
    else:
        assert kind.answer.is_met_by(Verifier(issuer("RS256")).status(minted(kind.name, "RS256").token))


@pytest.mark.parametrize("kind", kinds().values(), ids=named)
def test_an_opaque_token_is_bad_by_what_introspection_says_or_cannot_be_made(kind: Kind) -> None:
    """Nothing can be wrong in it; what is made has the answer of the token that is a JWT."""
    opaque = good_token()
    try:
        made = mint(kind, opaque)
    except CannotMint:
        assert kind.name in FORGERIES or not kind.fools.introspection
        return

    assert "." not in made.token or kind.name in {"noise", "long"}
    assert made.answer is None or set(made.answer) <= {*opaque.answer, "cnf", "extra", "https://claims.invalid/x"}


def test_tokens_of_a_kind_are_new_each_time_they_are_random() -> None:
    assert len({minted("noise").token for _ in range(3)}) == 3
    assert len(minted("long").token) == 20_000
    assert len(minted("noise").token) == len(good_token("ES256").token)
