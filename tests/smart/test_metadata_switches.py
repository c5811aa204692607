"""What is switched off is gone from every document, and nothing else comes (DS-14)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart.metadata import (
    authorization_server_metadata,
    openid_configuration,
    smart_configuration,
)
from smart.server_facts import ServerFacts

ISSUER = "https://auth.example.org"
ENDPOINTS = (
    "authorization_endpoint", "introspection_endpoint", "revocation_endpoint", "management_endpoint",
    "registration_endpoint", "userinfo_endpoint", "end_session_endpoint",
)  # fmt: skip
EVERYTHING = replace(
    ServerFacts(
        issuer=ISSUER,
        token_endpoint=f"{ISSUER}/o/token",
        jwks_uri=f"{ISSUER}/o/jwks",
        openid=True,
        secret_in_token_body=True,
        client_authentication=frozenset({"none", "secret", "keys"}),
    ),
    **{name: f"{ISSUER}/o/{name}" for name in ENDPOINTS},  # type: ignore[arg-type]
)
FAMILIES = ("grants", "client_authentication", "launches", "contexts", "permissions")
Said = set[tuple[str, str]]


def off(facts: ServerFacts, name: str, what: str) -> ServerFacts:
    """With one endpoint, switch, or member of a family less."""
    if name in FAMILIES:
        return replace(facts, **{name: getattr(facts, name) - {what}})
    return replace(facts, **{name: "" if name in ENDPOINTS else False})  # type: ignore[arg-type]


SWITCHES = sorted(
    [(name, what) for name in FAMILIES for what in getattr(EVERYTHING, name)]
    + [(name, "") for name in (*ENDPOINTS, "openid", "secret_in_token_body")]
)
NAMES = ["/".join(filter(None, switch)) for switch in SWITCHES]


def documents(facts: ServerFacts) -> dict[str, Any]:
    """Every document; that of OpenID Connect exists where that is switched on."""
    found = {"smart": smart_configuration(facts), "oauth": authorization_server_metadata(facts)}
    return {**found, "openid": openid_configuration(facts)} if facts.identity_scopes else found


def said(facts: ServerFacts, switch: str = "") -> Said:
    """Every word of every document that the switch concerns, with the member that says it.

    Plain OpenID Connect clients may always send their secret in the body.
    """
    untouched = {"openid"} if switch == "secret_in_token_body" else set()
    return {
        (member, str(word))
        for name, document in documents(facts).items()
        if name not in untouched
        for member, value in document.items()
        for word in (value if isinstance(value, list) else [value])
    }


some_switches = st.sets(st.sampled_from(SWITCHES))


def without(switched_off: set[tuple[str, str]]) -> ServerFacts:
    facts = EVERYTHING
    for name, what in switched_off:
        facts = off(facts, name, what)
    return facts


@pytest.mark.requirement("DS-14")
@given(some_switches, st.sampled_from(SWITCHES))
def test_switching_one_thing_off_takes_words_away_and_adds_none(
    already: set[tuple[str, str]], switch: tuple[str, str]
) -> None:
    before, after = said(without(already)), said(off(without(already), *switch))

    # a switch is said by its value there
    assert {(name, word) for name, word in after - before if word not in ("True", "False")} == set()


GONE: dict[str, Callable[[str], Said]] = {
    "grants": lambda what: {("grant_types_supported", what)},
    "launches": lambda what: {("capabilities", f"launch-{what}")},
    "contexts": lambda what: {("capabilities", f"context-{what}")},
    "permissions": lambda what: {("capabilities", f"permission-{what}")},
}
METHODS = {"none": ["none"], "secret": ["client_secret_basic", "client_secret_post"], "keys": ["private_key_jwt"]}
MEMBERS = (
    "token_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
)  # fmt: skip


def words(name: str, what: str) -> Said:
    """What nobody may say once that is off."""
    if name == "client_authentication":
        return {(member, method) for member in MEMBERS for method in METHODS[what]}
    if name == "secret_in_token_body":
        return {("token_endpoint_auth_methods_supported", "client_secret_post")}
    if name == "openid":
        return {
            ("capabilities", "sso-openid-connect"),
            ("scopes_supported", "openid"),
            ("scopes_supported", "fhirUser"),
        }
    return GONE[name](what) if name in GONE else {(name, f"{ISSUER}/o/{name}")}


@pytest.mark.requirement("DS-14")
@pytest.mark.parametrize(("name", "what"), SWITCHES, ids=NAMES)
def test_each_thing_is_said_while_it_is_on_and_never_once_it_is_off(name: str, what: str) -> None:
    assert words(name, what) & said(EVERYTHING, name)
    assert not words(name, what) & said(off(EVERYTHING, name, what), name)


@pytest.mark.requirement("DS-14")
@given(some_switches)
def test_whatever_is_off_together_is_said_by_no_document(switched_off: set[tuple[str, str]]) -> None:
    facts = without(switched_off)

    for name, what in switched_off:
        assert not words(name, what) & said(facts, name)


@pytest.mark.requirement("DS-14", "DS-10")
@pytest.mark.parametrize(
    ("name", "what", "gone"),
    [
        ("permissions", "user", ["user/*.rs", "user/*.read"]),
        ("permissions", "patient", ["patient/*.rs", "patient/*.read"]),
        ("permissions", "v1", ["patient/*.read", "patient/*.*", "system/*.read"]),
        ("permissions", "v2", ["patient/*.rs", "patient/*.cruds", "system/*.rs"]),
        ("launches", "ehr", ["launch", "online_access"]),
        ("contexts", "standalone-patient", ["launch/patient"]),
        ("contexts", "standalone-encounter", ["launch/encounter"]),
        ("grants", "client_credentials", ["system/*.rs", "system/*.read"]),
        ("grants", "refresh_token", ["offline_access", "online_access"]),
        ("grants", "authorization_code", ["openid", "launch", "patient/*.rs", "user/*.rs", "offline_access"]),
        ("authorization_endpoint", "", ["openid", "launch", "patient/*.rs", "user/*.rs", "offline_access"]),
        ("openid", "", ["openid", "fhirUser"]),
    ],
)
def test_a_family_of_scopes_goes_with_what_it_is_for(name: str, what: str, gone: list[str]) -> None:
    scopes = {("scopes_supported", scope) for scope in gone}

    assert scopes <= said(EVERYTHING)
    assert not scopes & said(off(EVERYTHING, name, what))


@pytest.mark.requirement("DS-14")
@pytest.mark.parametrize("name", ["introspection", "revocation"])
def test_an_endpoint_goes_with_everything_about_it(name: str) -> None:
    facts = off(EVERYTHING, f"{name}_endpoint", "")

    assert [member for member, _ in said(facts) if member.startswith(name)] == []


@pytest.mark.requirement("DS-18")
@pytest.mark.parametrize("endpoint", ["token", "introspection", "revocation"])
def test_where_assertions_are_accepted_their_algorithms_are_named(endpoint: str) -> None:
    document = authorization_server_metadata(EVERYTHING)

    assert "private_key_jwt" in document[f"{endpoint}_endpoint_auth_methods_supported"]  # type: ignore[operator]
    assert document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
