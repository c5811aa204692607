"""What is asked of a signed assertion beside its own rules: whose it is, where it is sent, which key, and once."""

from typing import Any

import pytest

from oauth.clients.jwks_cache import KeyFetch, KeysNotCached
from oauth.clients.signed_assertion import consume_assertion
from oauth.http.machine_request import MachineRequest
from oauth.models import AssertionId, FetchedKeys
from smart.digests import sha256_hex
from smart.http.errors import InvalidClient
from smart.http.parameters import Parameters
from smart.time_units import SECOND
from tests.fixture_types import MakeClient
from tests.oauth.clients.assertion_client import EC, RSA, signed
from tests.signing import Json, Pair, jwks, new_pair

ISSUER = "http://127.0.0.1:8000"
AT, OWN, OTHER = 2_000_000_000 * SECOND, "https://own.example.org/jwks", "https://other.example.org/jwks"
UNKNOWN_KEY = "the client has no key of that kid"
TOO_SOON = f"{UNKNOWN_KEY}, as its keys were less than 30 seconds ago: try again later"
NO_SIGNER = "iss is no client that proves itself by keys, or one that is disabled"
line = pytest.mark.requirement


@pytest.fixture
def client(committed: None, make_client: MakeClient) -> Any:
    """A client with one key pasted."""
    return make_client("keys", jwks=jwks(EC), grants="client_credentials", profile="openid")


def outcome(request: MachineRequest) -> str | KeyFetch:
    """The id of the client, which keys are to be fetched first, or why it is refused."""
    try:
        return consume_assertion(request).client_id
    except KeysNotCached as missing:
        return missing.fetch
    except InvalidClient as refused:
        return refused.event_reason


@line("CL-04", "RG-09")
def test_who_signed_is_known_by_its_rights_method_and_profile(client: Any) -> None:
    signer = consume_assertion(signed(client.client_id, EC, AT))

    known = (signer.pk, signer.client_id, signer.grants, signer.authentication, signer.profile, signer.enabled)
    assert known == (client.pk, client.client_id, "client_credentials", "keys", "openid", True)


@line("CL-04", "E68")
@pytest.mark.parametrize("fields", [{"authentication": "secret"}, {"enabled": False}, {"client_id": "renamed"}])
def test_only_an_enabled_client_with_keys_signs(client: Any, fields: dict[str, Any]) -> None:
    request = signed(client.client_id, EC, AT)
    type(client).objects.filter(pk=client.pk).update(**fields)

    assert outcome(request) == NO_SIGNER


@line("CL-03", "CL-07")
def test_a_refused_assertion_counts_for_the_client_that_it_names(client: Any) -> None:
    request = signed(client.client_id, EC, AT, exp=1)
    request.parameters = Parameters([("client_id", "another")])

    reason = outcome(request)

    assert request.credentials.client_id == client.client_id
    for said in ("client_assertion_type is not urn:", "client_id is not iss", "exp is past"):
        assert said in reason


@line("CL-14", "TR-11", "E69")
@pytest.mark.parametrize(
    ("path", "audience", "is_ours"),
    [
        ("/o/revoke", ISSUER, True),
        ("/o/revoke", f"{ISSUER}/o/token", True),
        ("/o/revoke", f"{ISSUER}/o/revoke", True),
        ("/o/revoke", f"{ISSUER}/o/introspect", False),
        ("/o/token", f"{ISSUER}/o/revoke", False),
    ],
)
def test_an_assertion_is_meant_for_the_issuer_the_token_endpoint_or_where_it_is_sent(
    client: Any, path: str, audience: str, is_ours: bool
) -> None:
    request = signed(client.client_id, EC, AT, aud=audience)
    request.path = path

    assert (outcome(request) == client.client_id) is is_ours


@line("E74", "E64", "E63")
@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (new_pair("ES384", EC.kid), "the signature does not verify with the key of that kid (BadSignatureError)"),
        (RSA, UNKNOWN_KEY),
        (new_pair("RS384", EC.kid), "the key of that kid is not of type RSA, which RS384 needs"),
    ],
    ids=["forged", "not registered", "of another type"],
)
def test_only_a_registered_key_proves_its_client(client: Any, key: Pair, reason: str) -> None:
    assert outcome(signed(client.client_id, key, AT)) == reason
    assert not AssertionId.objects.filter(client=client).exists()


# Which keys -----------------------------------------------------------------------------------------------------------


@line("CL-08", "E65")
@pytest.mark.parametrize(
    ("registered", "header", "is_right"),
    [
        ({"jwks": jwks(EC)}, {}, True),
        ({"jwks": jwks(EC)}, {"jku": OWN}, False),
        ({"jwks_uri": OWN}, {}, True),
        ({"jwks_uri": OWN}, {"jku": OWN}, True),
        ({"jwks_uri": OWN}, {"jku": OTHER}, False),
        ({"jwks_uri": OWN}, {"jku": ""}, False),
    ],
)
def test_an_assertion_names_the_registered_url_of_its_keys_or_none(
    committed: None, make_client: MakeClient, registered: dict[str, str], header: Json, is_right: bool
) -> None:
    client = make_client("keys", **registered)
    times = {"asked_at": AT, "fetched_at": AT, "fresh_until": AT + SECOND}
    FetchedKeys.objects.create(client=client, jwks_uri=OWN, keys=jwks(EC), **times)

    expected = client.client_id if is_right else "jku is not the registered JWKS URL"
    assert outcome(signed(client.client_id, EC, AT, header)) == expected


@line("CL-10", "CL-11", "E103", "PR-08")
@pytest.mark.parametrize(
    ("key", "fetched", "expected"),
    [
        (EC, {}, "proved"),
        (EC, {"fresh_until": AT + 1}, "proved"),
        (EC, {"fresh_until": AT}, "asked"),
        (EC, {"asked_at": AT + 5 * SECOND}, "proved"),
        (EC, {"asked_at": AT + 5 * SECOND + 1}, "asked"),
        (EC, {"jwks_uri": OTHER}, "asked"),
        (RSA, {"asked_at": AT}, UNKNOWN_KEY),
        (RSA, {"asked_at": AT - 1}, TOO_SOON),
        (RSA, {"asked_at": AT - 30 * SECOND + 1}, TOO_SOON),
        (RSA, {"asked_at": AT - 30 * SECOND}, "asked again"),
        (RSA, {"asked_at": AT - 30 * SECOND, "fresh_until": AT}, "asked"),
    ],
)
def test_keys_at_a_url_count_while_they_are_fresh_and_an_unknown_one_is_asked_for_once_in_thirty_seconds(
    committed: None, make_client: MakeClient, key: Pair, fetched: dict[str, Any], expected: str
) -> None:
    client = make_client("keys", jwks_uri=OWN)
    row = {"jwks_uri": OWN, "asked_at": AT - SECOND, "fetched_at": AT - SECOND, "fresh_until": AT + SECOND, **fetched}
    FetchedKeys.objects.create(client=client, keys=jwks(EC), **row)
    whose = (client.pk, client.client_id, OWN)
    others = {
        "proved": client.client_id,
        "asked": KeyFetch(*whose, asked_before=AT, fresh_until=AT),
        "asked again": KeyFetch(*whose, asked_before=AT - 30 * SECOND, fresh_until=2**62),
    }

    assert outcome(signed(client.client_id, key, AT)) == others.get(expected, expected)


# Once -----------------------------------------------------------------------------------------------------------------


@line("E72", "CL-06")
def test_an_assertion_is_remembered_by_its_digest_until_it_is_too_old(client: Any) -> None:
    consume_assertion(signed(client.client_id, EC, AT, jti="chosen"))

    (row,) = AssertionId.objects.filter(client=client)
    assert (row.jti_digest, row.forget_at) == (sha256_hex("chosen"), AT + 300 * SECOND + 1)
    again = outcome(signed(client.client_id, EC, AT + SECOND, jti="chosen"))
    assert again == "the assertion was used before: its jti is known"


@line("CL-06")
@pytest.mark.parametrize("jti", ["\ud800", "\u0000", "a" * 256])
def test_any_text_may_be_a_jti_and_counts_once(client: Any, jti: str) -> None:
    once, again = (outcome(signed(client.client_id, EC, AT, jti=jti)) for _ in range(2))

    assert (once, again) == (client.client_id, "the assertion was used before: its jti is known")


@line("CL-03", "WF-06")
@pytest.mark.parametrize(
    ("is_development", "told"),
    [(True, "client authentication failed: exp is past"), (False, "client authentication failed")],
)
def test_what_is_wrong_is_told_to_the_sender_in_development_alone(
    client: Any, settings: Any, is_development: bool, told: str
) -> None:
    settings.SMARTAUTH_DEV = is_development

    with pytest.raises(InvalidClient) as refused:
        consume_assertion(signed(client.client_id, EC, AT, exp=1))

    assert (refused.value.description, refused.value.event_reason) == (told, "exp is past")
