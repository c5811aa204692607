"""Who a request proves to be, asked of the function that every endpoint of machines calls (CL-01, CL-10)."""

import pytest

from accounts import clock, rate_limit
from oauth.clients.authentication import SecretClient, authenticate, client_of_row
from oauth.clients.secrets import client_secret_digest
from oauth.http.credentials import AuthenticatedClient, Credentials
from smart.http.errors import InvalidClient
from tests.conftest import SECRET
from tests.fixture_types import MakeClient
from tests.oauth.clients.assertion_client import EC, request_of, signed
from tests.signing import jwks

line = pytest.mark.requirement


@pytest.fixture(autouse=True)
def nobody_failed_before(committed: None) -> None:
    """Failures of callers that name no client are counted together; those of other tests are not ours."""
    rate_limit.forget_failures("client", "", "192.0.2.7")


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


# Of a batch -----------------------------------------------------------------------------------------------------------

PROVED = AuthenticatedClient(7, "app", frozenset({"authorization_code", "refresh_token"}), "secret", "openid")
DIGESTS = (client_secret_digest("app", "new"), client_secret_digest("app", "old"))
ROW = SecretClient(7, "app", "authorization_code refresh_token", "openid", "secret", 1, *DIGESTS, 1000)


@line("CL-01", "CL-03")
@pytest.mark.parametrize(
    ("credentials", "now", "found"),
    [
        (Credentials("app", "new"), 1000, PROVED),
        (Credentials("app", "old"), 999, PROVED),
        (Credentials("app", "old"), 1000, None),
        (Credentials("app", "another"), 1, None),
        (Credentials("app", None), 1, None),
        (Credentials("another", "new"), 1, None),
        (Credentials("app", "new", bearer="abc"), 1, None),
    ],
)
def test_the_row_of_a_batch_is_the_client_whose_secret_came_with_the_request(
    credentials: Credentials, now: int, found: AuthenticatedClient | None
) -> None:
    assert client_of_row(request_of(credentials, now=now), ROW) == found


@line("CL-01")
@pytest.mark.parametrize(("client_id", "is_found"), [("app", True), ("another", False)])
def test_the_row_of_a_public_client_is_the_client_that_the_request_names(client_id: str, is_found: bool) -> None:
    found = client_of_row(request_of(Credentials(client_id, None)), ROW._replace(authentication="none"))

    assert (found is not None) is is_found


@line("CL-01", "CL-04")
def test_who_proved_itself_by_an_assertion_is_the_client_of_its_own_row_alone() -> None:
    request = request_of(Credentials("another", None))
    request.client = PROVED

    assert client_of_row(request, ROW) is PROVED
    assert client_of_row(request, ROW._replace(pk=8)) is None
