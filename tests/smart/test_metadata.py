"""What the server says about itself."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from smart.authorize.unvalidated_request import is_supported
from smart.metadata import (
    authorization_server_metadata,
    authzen_configuration,
    capabilities,
    openid_configuration,
    protected_resource,
    smart_configuration,
    well_known,
)
from smart.scopes.scope_sets import parse_scopes
from smart.server_facts import BACKEND_SCOPES, ServerFacts

ISSUER = "https://auth.example.org"
FACTS = ServerFacts(
    issuer=ISSUER,
    token_endpoint=f"{ISSUER}/o/token",
    authorization_endpoint=f"{ISSUER}/o/authorize",
    introspection_endpoint=f"{ISSUER}/o/introspect",
    revocation_endpoint=f"{ISSUER}/o/revoke",
    jwks_uri=f"{ISSUER}/o/jwks",
)


@pytest.mark.requirement("DS-05", "DS-06", "DS-11")
def test_smart_configuration_says_exactly_what_is_switched_on() -> None:
    assert smart_configuration(FACTS) == {
        "authorization_endpoint": f"{ISSUER}/o/authorize",
        "token_endpoint": f"{ISSUER}/o/token",
        "introspection_endpoint": f"{ISSUER}/o/introspect",
        "revocation_endpoint": f"{ISSUER}/o/revoke",
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "response_types_supported": ["code"],
        "scopes_supported": [*FACTS.scopes, *BACKEND_SCOPES, "offline_access", "online_access"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "capabilities": [
            "launch-ehr",
            "launch-standalone",
            "authorize-post",
            "context-banner",
            "context-ehr-encounter",
            "context-ehr-patient",
            "context-standalone-encounter",
            "context-standalone-patient",
            "context-style",
            "client-public",
            "client-confidential-symmetric",
            "permission-offline",
            "permission-online",
            "permission-patient",
            "permission-user",
            "permission-v1",
            "permission-v2",
        ],
    }


@pytest.mark.requirement("DS-18", "SB-02")
def test_the_document_of_rfc_8414_says_exactly_what_is_switched_on() -> None:
    document = authorization_server_metadata(FACTS)

    assert document["issuer"] == ISSUER
    assert document["jwks_uri"] == f"{ISSUER}/o/jwks"
    assert document["grant_types_supported"] == ["authorization_code", "client_credentials", "refresh_token"]
    assert document["response_modes_supported"] == ["query"]
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "none"]
    assert document["revocation_endpoint_auth_methods_supported"] == [
        "client_secret_basic", "client_secret_post", "none"
    ]  # fmt: skip
    assert document["introspection_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    assert document["authorization_response_iss_parameter_supported"] is True


@pytest.mark.requirement("DS-08", "WF-13")
def test_s256_is_the_only_challenge_method() -> None:
    assert smart_configuration(FACTS)["code_challenge_methods_supported"] == ["S256"]
    assert authorization_server_metadata(FACTS)["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.requirement("DS-07")
def test_issuer_and_keys_belong_to_openid_in_smart_configuration() -> None:
    with_openid = smart_configuration(replace(FACTS, openid=True))

    assert {"issuer", "jwks_uri"}.isdisjoint(smart_configuration(FACTS))
    assert (with_openid["issuer"], with_openid["jwks_uri"]) == (ISSUER, f"{ISSUER}/o/jwks")


@pytest.mark.requirement("DS-14", "DS-07")
def test_openid_is_told_by_capability_and_scopes_where_it_is_switched_on() -> None:
    with_openid = smart_configuration(replace(FACTS, openid=True))

    assert "sso-openid-connect" in capabilities(replace(FACTS, openid=True))
    assert with_openid["scopes_supported"] == [
        "openid",
        "fhirUser",
        *list(smart_configuration(FACTS)["scopes_supported"]),  # type: ignore[arg-type]
    ]
    assert "openid" not in str(smart_configuration(FACTS))


@pytest.mark.requirement("DS-16", "ID-02")
def test_the_document_of_openid_connect_says_what_its_clients_need() -> None:
    facts = replace(
        FACTS, openid=True, userinfo_endpoint=f"{ISSUER}/o/userinfo", end_session_endpoint=f"{ISSUER}/o/logout"
    )

    document = openid_configuration(facts)

    assert document["issuer"] == ISSUER
    assert document["authorization_endpoint"] == f"{ISSUER}/o/authorize"
    assert document["token_endpoint"] == f"{ISSUER}/o/token"
    assert document["jwks_uri"] == f"{ISSUER}/o/jwks"
    assert document["userinfo_endpoint"] == f"{ISSUER}/o/userinfo"
    assert document["end_session_endpoint"] == f"{ISSUER}/o/logout"
    assert document["response_types_supported"] == ["code"]
    assert document["subject_types_supported"] == ["public"]
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert document["request_parameter_supported"] is False
    assert document["request_uri_parameter_supported"] is False
    assert document["claims_parameter_supported"] is False
    assert document["prompt_values_supported"] == ["consent", "login", "none", "select_account"]
    assert document["claims_supported"] == [
        "iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "fhirUser", "name", "given_name", "family_name",
        "preferred_username", "locale", "updated_at", "email", "email_verified",
    ]  # fmt: skip
    assert {"openid", "fhirUser"} <= set(document["scopes_supported"])  # type: ignore[arg-type]


@pytest.mark.requirement("DS-17", "WF-14")
def test_what_both_documents_say_agrees() -> None:
    facts = replace(FACTS, openid=True)
    smart, rfc8414, openid = (
        say(facts) for say in (smart_configuration, authorization_server_metadata, openid_configuration)
    )

    different = {name for name in smart.keys() & rfc8414.keys() if smart[name] != rfc8414[name]}
    assert different == {"token_endpoint_auth_methods_supported", "grant_types_supported"}
    assert {name for name, value in rfc8414.items() if openid[name] != value} == {
        "scopes_supported", "token_endpoint_auth_methods_supported",
    }  # fmt: skip


@pytest.mark.requirement("DS-10", "CL-02")
def test_the_document_of_openid_connect_names_what_plain_clients_may_ask_and_how_they_prove_themselves() -> None:
    facts = replace(FACTS, openid=True)
    openid, rfc8414 = openid_configuration(facts), authorization_server_metadata(facts)

    assert openid["scopes_supported"] == [*rfc8414["scopes_supported"], "profile", "email"]  # type: ignore[misc]
    assert openid["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post", "none"]
    assert rfc8414["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "none"]


@pytest.mark.requirement("DS-04")
def test_every_endpoint_is_absolute() -> None:
    documents = smart_configuration(FACTS) | authorization_server_metadata(FACTS)

    urls = [str(url) for name, url in documents.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(urls) == 5
    assert all(urlsplit(url).scheme and urlsplit(url).netloc for url in urls)


@pytest.mark.requirement("DS-09")
def test_asymmetric_clients_are_told_how_to_prove_themselves() -> None:
    document = smart_configuration(replace(FACTS, client_authentication=frozenset({"keys"})))

    assert document["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert document["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert document["scopes_supported"]


@pytest.mark.requirement("DS-10")
def test_every_scope_named_can_be_granted() -> None:
    listed = smart_configuration(FACTS)["scopes_supported"]

    assert isinstance(listed, list)
    assert all(is_supported(scope) or scope.context == "system" for scope in parse_scopes(" ".join(listed)))


@pytest.mark.requirement("DS-10")
def test_system_scopes_are_named_where_services_may_ask_for_themselves() -> None:
    without = replace(FACTS, grants=frozenset({"authorization_code"}))

    assert set(BACKEND_SCOPES) <= set(smart_configuration(FACTS)["scopes_supported"])  # type: ignore[arg-type]
    assert not set(BACKEND_SCOPES) & set(smart_configuration(without)["scopes_supported"])  # type: ignore[arg-type]


@pytest.mark.requirement("DS-05")
def test_the_refresh_grant_is_named_in_rfc_8414_only() -> None:
    facts = replace(FACTS, grants=frozenset({"authorization_code", "refresh_token", "client_credentials"}))

    assert smart_configuration(facts)["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert "refresh_token" in list(authorization_server_metadata(facts)["grant_types_supported"])  # type: ignore[arg-type]
    alone = replace(FACTS, grants=frozenset({"refresh_token"}))
    assert smart_configuration(alone)["grant_types_supported"] == []
    nothing = replace(alone, client_authentication=frozenset(), permissions=frozenset(), launches=frozenset())
    assert smart_configuration(replace(nothing, authorization_endpoint=""))["capabilities"] == []


@pytest.mark.requirement("DS-14", "DS-06")
@pytest.mark.parametrize(
    ("off", "gone"),
    [
        (
            {"authorization_endpoint": ""},
            ["authorize", "'query'", "launch-standalone", "context-standalone-patient", "'code'"],
        ),
        ({"grants": frozenset({"client_credentials"})}, ["authorize", "launch-standalone", "authorization_code"]),
        ({"introspection_endpoint": ""}, ["introspect"]),
        ({"revocation_endpoint": ""}, ["revo"]),
        ({"client_authentication": frozenset({"none"})}, ["client_secret", "client-confidential"]),
        ({"client_authentication": frozenset({"secret"})}, ["client-public", "'none'"]),
        ({"permissions": frozenset({"patient", "v2"})}, ["permission-v1"]),
        ({"contexts": frozenset()}, ["context-"]),
        ({"scopes": (), "grants": frozenset({"authorization_code"})}, ["scopes_supported"]),
        ({"grants": frozenset({"authorization_code"})}, ["refresh_token", "offline", "online"]),
        ({"jwks_uri": ""}, ["jwks"]),
    ],
    ids=lambda value: f"without {value[0]}" if isinstance(value, list) else "",
)
def test_what_is_switched_off_is_gone_from_both_documents(off: dict[str, str], gone: list[str]) -> None:
    facts = replace(FACTS, **off)  # type: ignore[arg-type]

    text = f"{smart_configuration(facts)} {authorization_server_metadata(facts)}".replace(
        "authorization_response_iss_parameter_supported", ""
    )
    assert [word for word in gone if word in text] == []


@pytest.mark.requirement("SCP-17", "DS-10")
def test_online_access_is_named_where_an_ehr_launches() -> None:
    alone = replace(FACTS, launches=frozenset({"standalone"}))

    assert "permission-online" not in capabilities(alone)
    assert {"permission-online", "permission-offline"} <= set(capabilities(FACTS))
    assert "online_access" in list(smart_configuration(FACTS)["scopes_supported"])  # type: ignore[arg-type]


@pytest.mark.requirement("DS-15")
def test_the_set_for_patients_who_start_an_app_themselves_is_complete() -> None:
    assert {"launch-standalone", "context-standalone-patient", "permission-patient", "client-public"} <= set(
        capabilities(FACTS)
    )


@pytest.mark.requirement("DS-18")
@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("https://auth.example.org", "https://auth.example.org/.well-known/oauth-authorization-server"),
        ("https://example.org/auth", "https://example.org/.well-known/oauth-authorization-server/auth"),
        ("https://example.org/X/", "https://example.org/.well-known/oauth-authorization-server/X"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/.well-known/oauth-authorization-server"),
    ],
)
def test_the_well_known_part_comes_before_the_path_of_the_issuer(issuer: str, expected: str) -> None:
    assert well_known(issuer, "oauth-authorization-server") == expected


@pytest.mark.requirement("CL-02", "DS-14")
def test_the_secret_in_a_token_request_is_advertised_where_it_is_switched_on() -> None:
    loose = replace(FACTS, secret_in_token_body=True)

    for document in (smart_configuration(loose), authorization_server_metadata(loose)):
        methods = document["token_endpoint_auth_methods_supported"]
        assert isinstance(methods, list)
        assert "client_secret_post" in methods


def test_a_fhir_base_names_its_server_and_the_scopes_that_open_records() -> None:
    base = "https://fhir.example.org/r4"

    assert protected_resource(replace(FACTS, openid=True), base) == {
        "resource": base,
        "authorization_servers": [ISSUER],
        "scopes_supported": [
            "patient/*.rs", "patient/*.cruds", "patient/*.read", "patient/*.*",
            "user/*.rs", "user/*.cruds", "user/*.read", "user/*.*", *BACKEND_SCOPES,
        ],
        "bearer_methods_supported": ["header"],
    }  # fmt: skip


def test_the_document_of_authzen_names_what_decides() -> None:
    assert authzen_configuration(ISSUER) == {
        "policy_decision_point": ISSUER,
        "access_evaluation_endpoint": f"{ISSUER}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{ISSUER}/access/v1/evaluations",
    }
