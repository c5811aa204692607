"""What is told of a person (OIDC Core), and what plain OpenID Connect may ask, without a server."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from smart.authorize.pkce import verify_code_verifier
from smart.authorize.request import validate_request
from smart.authorize.unvalidated_request import ClientPolicy
from smart.http.errors import InvalidGrant, OAuthError
from smart.http.parameters import Parameters
from smart.openid import standard_claims
from smart.openid.standard_claims import Account
from smart.scopes.scope_sets import parse_scopes
from smart.wording.consent_choice import chosen_scope
from smart.wording.consent_line import ConsentContext
from smart.wording.consent_lines import consent_lines

CALLBACK = "https://portal.example.org/cb"
BASE = "https://auth.example.org/fhir/r4"
CLIENT = ClientPolicy(
    client_id="portal",
    enabled=True,
    grants=frozenset({"authorization_code", "refresh_token"}),
    redirect_uris=(CALLBACK,),
    scope="openid profile email offline_access fhirUser patient/*.rs launch",
    bases=(BASE,),
    confidential=True,
    openid=True,
)
PUBLIC, SMART = replace(CLIENT, confidential=False), replace(CLIENT, openid=False)
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ACCOUNT = Account("u-1", "Amy Shaw", "amy", "amy@example.org", True)
DETAILS: dict[str, Any] = {"given_name": "Amy", "family_name": "Shaw", "locale": "en-GB"}


def asked(**changes: str) -> Parameters:
    known = {"response_type": "code", "client_id": "portal", "redirect_uri": CALLBACK, "scope": "openid"}
    return Parameters.parse(urlencode({**known, **changes}).encode())


def refusal(parameters: Parameters, client: ClientPolicy) -> str:
    with pytest.raises(OAuthError) as caught:
        validate_request(parameters, client, {BASE: "r4"})
    return caught.value.code


@pytest.mark.requirement("AZ-22")
def test_plain_openid_connect_needs_no_more_than_openid_connect_says() -> None:
    request = validate_request(asked(), CLIENT, {BASE: "r4"})

    assert (request.scope, request.aud, request.code_challenge, request.state) == ("openid", "", "", "")
    assert (request.openid, request.needs_patient, request.reads_records) == (True, False, False)


@pytest.mark.requirement("AZ-07", "E21")
def test_only_who_has_a_secret_may_do_without_a_proof_key() -> None:
    proof = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

    assert refusal(asked(), PUBLIC) == "invalid_request"
    assert validate_request(asked(**proof), PUBLIC, {BASE: "r4"}).code_challenge == CHALLENGE


@pytest.mark.requirement("E22", "E23")
@pytest.mark.parametrize(
    "proof",
    [{"code_challenge": CHALLENGE}, {"code_challenge_method": "S256"},
     {"code_challenge": CHALLENGE, "code_challenge_method": "plain"},
     {"code_challenge": "x", "code_challenge_method": "S256"}],
    ids=str,
)  # fmt: skip
def test_a_proof_key_is_s256_or_none(proof: dict[str, str]) -> None:
    assert refusal(asked(**proof), CLIENT) == "invalid_request"


@pytest.mark.requirement("AZ-03", "AZ-08", "E12")
def test_a_smart_app_gets_none_of_that() -> None:
    assert refusal(asked(), SMART) == "invalid_request"
    assert refusal(asked(state="s"), SMART) == "invalid_request"
    assert refusal(asked(state="s", code_challenge=CHALLENGE, code_challenge_method="S256"), SMART) == "invalid_request"


@pytest.mark.requirement("SCP-20", "AZ-08")
@pytest.mark.parametrize("aud", [{}, {"aud": BASE}, {"resource": BASE}], ids=str)
def test_no_scope_of_a_fhir_server_is_granted(aud: dict[str, str]) -> None:
    wide = "openid profile email offline_access online_access fhirUser launch launch/patient patient/*.rs system/*.rs"

    request = validate_request(asked(scope=f"{wide} address phone", **aud), CLIENT, {BASE: "r4"})

    assert request.scope == "openid profile email offline_access"
    assert request.left_out == (
        "online_access", "fhirUser", "launch", "launch/patient", "patient/*.rs", "system/*.rs", "address", "phone"
    )  # fmt: skip


@pytest.mark.requirement("E16")
@pytest.mark.parametrize("scope", ["profile email", "offline_access", "patient/*.rs", "address"])
def test_without_openid_nothing_is_granted(scope: str) -> None:
    assert refusal(asked(scope=scope), CLIENT) == "invalid_scope"


@pytest.mark.requirement("ID-05")
@pytest.mark.parametrize(
    ("scope", "account", "told"),
    [
        ("openid", ACCOUNT, {"sub": "u-1"}),
        ("openid profile", ACCOUNT, {"sub": "u-1", "name": "Amy Shaw", "preferred_username": "amy"}),
        ("openid profile", ACCOUNT._replace(name=""), {"sub": "u-1", "preferred_username": "amy"}),
        ("openid email", ACCOUNT, {"sub": "u-1", "email": "amy@example.org", "email_verified": True}),
        ("openid email", ACCOUNT._replace(email_verified=False),
         {"sub": "u-1", "email": "amy@example.org", "email_verified": False}),
        ("openid email", ACCOUNT._replace(email=""), {"sub": "u-1"}),
        ("openid profile", ACCOUNT._replace(**DETAILS, updated_at=1_700_000_000_999_999),
         {"sub": "u-1", "name": "Amy Shaw", "preferred_username": "amy", **DETAILS, "updated_at": 1_700_000_000}),
    ],
)  # fmt: skip
def test_of_an_account_is_told_what_was_granted_and_is_known(
    scope: str, account: Account, told: dict[str, object]
) -> None:
    assert standard_claims.userinfo_claims(parse_scopes(scope), account) == told


@pytest.mark.requirement("AZ-14")
def test_the_person_reads_what_the_app_hears_and_may_leave_out_their_address() -> None:
    choices = consent_lines(
        parse_scopes("openid profile email offline_access"), ConsentContext("", 300, version="none", remembered_days=92)
    )

    assert [(line.group, line.text) for line in choices] == [
        ("who", "Recognise you next time, by a number, without your name"),
        ("who", "Your name, your user name and your language"),
        ("who", "Your email address"),
        ("time", "Until I take it back, also while I am not using the app"),
        ("time", "Whenever I am signed in here"),
    ]
    assert [line.fixed for line in choices] == [True, False, False, False, False]
    assert "92 days" in choices[4].hint
    left = chosen_scope("openid profile email offline_access", choices, {2, 5}, types=frozenset())
    assert left == "openid profile"
    assert chosen_scope("openid profile email", choices, {3, 5}, types=frozenset()) == "openid email"
    assert chosen_scope("openid profile email", choices, {5}, types=frozenset()) == "openid"


@pytest.mark.requirement("CG-03", "E83")
def test_where_no_challenge_was_stored_a_verifier_is_a_downgrade_and_none_is_fine() -> None:
    verify_code_verifier("", "")

    with pytest.raises(InvalidGrant):
        verify_code_verifier("", "v" * 43)


@pytest.mark.requirement("ID-01")
def test_an_id_token_says_nothing_that_was_not_granted_or_is_not_known() -> None:
    about: standard_claims.Claims = {"iss": "https://auth.example.org", "sub": "u-1", "aud": "portal"}
    known = {"fhir_user": f"{BASE}/Patient/amy", "auth_time": 1_700_000_000_999_999, "nonce": "n"}

    def told(scope: str, **changes: object) -> dict[str, object]:
        return {**standard_claims.id_token_claims(about, scope, **{**known, **changes}, issued=1, expires=2)}  # type: ignore[arg-type]

    assert told("openid fhirUser") == {
        **about, "iat": 1, "exp": 2, "auth_time": 1_700_000_000, "nonce": "n", "fhirUser": f"{BASE}/Patient/amy",
    }  # fmt: skip
    assert "fhirUser" not in told("openid")
    assert "fhirUser" not in told("openid fhirUser", fhir_user="")
    assert told("openid", nonce="", auth_time=0) == {**about, "iat": 1, "exp": 2}


@pytest.mark.parametrize(
    ("scope", "openid", "fhir_user"),
    [
        ("openid profile", True, True),
        ("openid", True, False),
        ("openid2 profile", False, False),
        ("fhirUser patient/Patient.rs", False, False),
    ],
)
def test_only_with_openid_itself_there_is_an_id_token(scope: str, openid: bool, fhir_user: bool) -> None:
    assert (standard_claims.has_openid(scope), standard_claims.has_fhir_user(parse_scopes(scope))) == (
        openid,
        fhir_user,
    )
