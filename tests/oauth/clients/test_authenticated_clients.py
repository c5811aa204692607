"""Who a request proves to be, asked of the function that every endpoint of machines calls (CL-01, CL-10)."""

from typing import Any

import pytest

from accounts import clock, rate_limit
from oauth.clients.authentication import authenticate
from oauth.clients.jwks_cache import KeyFetch, KeysNotCached
from oauth.http.credentials import AuthenticatedClient, Credentials
from oauth.http.machine_request import MachineRequest
from oauth.models import FetchedKeys
from smart.http.errors import InvalidClient
from smart.http.parameters import Parameters
from smart.time_units import SECOND
from tests.conftest import SECRET
from tests.fixture_types import MakeClient
from tests.oauth.clients.assertion_client import EC, RSA
from tests.signing import Pair, assertion_form, jwks

line = pytest.mark.requirement


@pytest.fixture(autouse=True)
def nobody_failed_before(committed: None) -> None:
    """Failures of callers that name no client are counted together; those of other tests are not ours."""
    rate_limit.forget_failures("client", "", "192.0.2.7")


def request_of(credentials: Credentials, *, now: int = 0, **parameters: str) -> MachineRequest:
    sent = Parameters(list(parameters.items()))
    return MachineRequest("/o/token", {}, "192.0.2.7", sent, credentials, now or clock.now())


def signed(client_id: str, key: Pair, now: int) -> MachineRequest:
    """A request with an assertion that is good at that moment."""
    seconds = now // SECOND
    assertion = key.assertion(client_id, iat=seconds, nbf=seconds, exp=seconds + 240)
    return request_of(Credentials("", None, assertion=assertion), now=now, **assertion_form(assertion))


@line("CL-01", "RG-09")
def test_who_proved_itself_is_known_by_its_rights_method_and_profile(make_client: MakeClient) -> None:
    by_secret = make_client("secret", grants="authorization_code refresh_token", profile="openid")
    by_keys = make_client("keys", jwks=jwks(EC), grants="client_credentials")

    found = authenticate(request_of(Credentials(by_secret.client_id, SECRET)))
    signer = authenticate(signed(by_keys.client_id, EC, clock.now()))

    both = frozenset({"authorization_code", "refresh_token"})
    assert found == AuthenticatedClient(by_secret.pk, by_secret.client_id, both, "secret", "openid")
    grants = frozenset({"client_credentials"})
    assert signer == AuthenticatedClient(by_keys.pk, by_keys.client_id, grants, "keys", "smart")


@line("CL-01", "CL-03", "E53")
@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        (Credentials("nobody-knows-me", SECRET), ""),
        (Credentials("nobody-knows-me", None), ""),
        (Credentials("", None), ""),
        (Credentials("", None, bearer="abc"), "the Authorization header is not Basic"),
    ],
    ids=["unknown", "unknown without a secret", "nobody", "a token"],
)
def test_who_proves_nothing_is_refused(credentials: Credentials, reason: str) -> None:
    with pytest.raises(InvalidClient) as refused:
        authenticate(request_of(credentials))

    assert refused.value.event_reason == reason


@line("CL-04", "E68")
@pytest.mark.parametrize("fields", [{"authentication": "secret"}, {"enabled": False}, {"client_id": "renamed"}])
def test_only_an_enabled_client_with_keys_signs(make_client: MakeClient, fields: dict[str, Any]) -> None:
    client = make_client("keys", jwks=jwks(EC))
    request = signed(client.client_id, EC, clock.now())
    type(client).objects.filter(pk=client.pk).update(**fields)

    with pytest.raises(InvalidClient) as refused:
        authenticate(request)

    assert refused.value.event_reason == "iss is no client that proves itself by keys, or one that is disabled"


def judged(request: MachineRequest) -> str | KeyFetch:
    """The id of the client, which keys are to be fetched first, or that it is refused."""
    try:
        return authenticate(request).client_id
    except KeysNotCached as missing:
        return missing.fetch
    except InvalidClient:
        return "refused"


AT, OWN, OTHER = 2_000_000_000 * SECOND, "https://own.example.org/jwks", "https://other.example.org/jwks"


@line("CL-10", "CL-11", "PR-08")
@pytest.mark.parametrize(
    ("key", "fetched", "outcome"),
    [
        (EC, {}, "proved"),
        (EC, {"fresh_until": AT + 1}, "proved"),
        (EC, {"fresh_until": AT}, "asked"),
        (EC, {"asked_at": AT + 61 * SECOND}, "asked"),
        (EC, {"jwks_uri": OTHER}, "asked"),
        (RSA, {"asked_at": AT - 30 * SECOND + 1}, "refused"),
        (RSA, {"asked_at": AT - 30 * SECOND}, "asked again"),
        (RSA, {"asked_at": AT - 30 * SECOND, "fresh_until": AT}, "asked"),
    ],
)
def test_keys_at_a_url_count_while_they_are_fresh_and_an_unknown_one_is_asked_for_once_in_thirty_seconds(
    make_client: MakeClient, key: Pair, fetched: dict[str, Any], outcome: str
) -> None:
    client = make_client("keys", jwks_uri=OWN)
    row = {"jwks_uri": OWN, "asked_at": AT - SECOND, "fetched_at": AT - SECOND, "fresh_until": AT + SECOND, **fetched}
    FetchedKeys.objects.create(client=client, keys=jwks(EC), **row)
    whose = (client.pk, client.client_id, OWN)
    expected = {
        "proved": client.client_id,
        "refused": "refused",
        "asked": KeyFetch(*whose, asked_before=AT, fresh_until=AT),
        "asked again": KeyFetch(*whose, asked_before=AT - 30 * SECOND, fresh_until=2**62),
    }

    assert judged(signed(client.client_id, key, AT)) == expected[outcome]
