"""Whose word about an address is taken: that of a resource server that is trusted, at its FHIR server (IN-11)."""

from typing import Any

import httpx
import pytest

from oauth.models import ResourceServerRole
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Issue, MakeResourceServer
from tests.introspection.addresses import ELSEWHERE, HOME, Told, Under, changes, row


@pytest.mark.requirement("IN-11", "PR-05")
def test_a_resource_server_that_is_not_trusted_for_it_changes_nothing(
    under: Under, told: Told, make_resource_server: MakeResourceServer, events: Events
) -> None:
    answer, stranger = under("end"), make_resource_server()

    first, then = told(answer["access_token"], HOME, stranger), told(answer["access_token"], ELSEWHERE, stranger)

    assert first == then
    assert first["active"] is True
    assert "__ip_flag" not in first
    assert row(answer).use_address is None
    assert changes(events, answer) == []


@pytest.mark.requirement("IN-11")
def test_trust_is_given_for_one_fhir_server_and_no_other(
    under: Under, told: Told, make_resource_server: MakeResourceServer, other_fhir_server: Any, fhir_server: Any
) -> None:
    caller = make_resource_server(fhir_server, other_fhir_server)
    ResourceServerRole.objects.filter(client=caller, fhir_server=other_fhir_server).update(tells_addresses=1)
    answer = under("block")

    told(answer["access_token"], HOME, caller)

    assert row(answer).use_address is None
    assert told(answer["access_token"], ELSEWHERE, caller)["active"] is True


@pytest.mark.requirement("IN-11")
def test_who_asks_with_an_access_token_tells_no_address(app: App, under: Under, issue: Issue) -> None:
    own, answer = issue(scope="__smartauth.introspect")["access_token"], under("block")
    form = {"token": answer["access_token"], "__client_ip": HOME}

    told = app.post("/o/introspect", data=form, headers={"Authorization": f"Bearer {own}"})

    assert told.json()["active"] is True
    assert row(answer).use_address is None


@pytest.mark.requirement("PR-04")
@pytest.mark.parametrize(
    "odd", ["", "unknown", "203.0.113.999", "203.0.113.5, 198.51.100.9", "é", "a" * 5000, "%", None]
)
def test_what_is_no_address_proves_nothing(under: Under, told: Told, events: Events, odd: str | None) -> None:
    answer = under("block")
    told(answer["access_token"], odd)
    unbound = row(answer).use_address
    told(answer["access_token"], HOME)

    assert told(answer["access_token"], odd)["active"] is True

    assert (unbound, row(answer).use_address) == (None, HOME)
    assert changes(events, answer) == []


@pytest.mark.requirement("E106")
def test_two_addresses_are_one_too_many(app: App, under: Under, trusted: Any) -> None:
    token = under("block")["access_token"]
    body = f"token={token}&__client_ip={HOME}&__client_ip={ELSEWHERE}"
    headers = {**basic(trusted.client_id, SECRET), "Content-Type": "application/x-www-form-urlencoded"}

    answer: httpx.Response = app.post("/o/introspect", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.requirement("PR-05", "IN-11")
def test_a_header_of_the_resource_servers_own_request_is_nobodys_address(app: App, under: Under, trusted: Any) -> None:
    answer = under("block")
    headers = {
        **basic(trusted.client_id, SECRET),
        "X-Forwarded-For": HOME,
        "X-Real-IP": HOME,
        "Forwarded": f"for={HOME}",
    }

    app.post("/o/introspect", data={"token": answer["access_token"]}, headers=headers)

    assert row(answer).use_address is None
