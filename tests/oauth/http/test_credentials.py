"""What a caller presents, before anybody believes it."""

import pytest

from accounts import clock
from oauth.clients.signed_assertion import read_assertion
from oauth.http.credentials import parse_credentials
from oauth.http.machine_request import MachineRequest
from smart.clients.assertions import InvalidAssertion
from smart.http.parameters import Parameters
from tests.conftest import basic
from tests.signing import assertion_form, pair

LONG = "c" * 65_000
WAYS: dict[str, tuple[bool, dict[str, str]]] = {
    "Basic": (True, {}),
    "Basic and the body": (True, {"client_id": LONG}),
    "a secret in the body": (False, {"client_id": LONG, "client_secret": "s"}),
    "no secret": (False, {"client_id": LONG}),
    "an assertion": (False, {"client_id": LONG, "client_assertion": "a", "client_assertion_type": "t"}),
}


@pytest.mark.requirement("SD-20", "CL-03")
@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_no_client_can_have_makes_nobodys_statement_long_and_is_nobodys_still(way: str) -> None:
    in_header, form = WAYS[way]
    header = basic(LONG, "s")["Authorization"] if in_header else None

    assert parse_credentials(header, Parameters([*form.items()])).client_id == "c" * 101


@pytest.mark.requirement("SD-20")
def test_neither_does_the_name_in_an_assertion() -> None:
    form = Parameters([*assertion_form(pair("ES384").assertion("c" * 2000)).items()])
    request = MachineRequest("/o/token", {}, "", form, parse_credentials(None, form), clock.now())

    try:
        read_assertion(request)
    except InvalidAssertion:
        pytest.fail("it is refused later, by who knows the clients")
    assert request.credentials.client_id == "c" * 101


@pytest.mark.parametrize("length", [1, 100])
def test_a_name_that_a_client_can_have_is_whole(length: int) -> None:
    assert parse_credentials(None, Parameters([("client_id", "c" * length)])).client_id == "c" * length
