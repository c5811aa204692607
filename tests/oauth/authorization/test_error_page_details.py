"""Below an error page in development: which rule refused, and where a redirect URI differs from the registered one."""

from dataclasses import replace
from typing import Any

import pytest

from oauth.authorization.error_page_details import error_page_details
from smart.authorize.error_pages import Unredirectable
from smart.authorize.unvalidated_request import ClientPolicy
from smart.explanation import State
from smart.http.parameters import Parameters

URIS = ("https://app.example.org/callback", "https://app.example.org/other")
CLIENT = ClientPolicy(client_id="growth-chart", enabled=True, redirect_uris=URIS)


@pytest.fixture(autouse=True)
def development(settings: Any) -> None:
    settings.SMARTAUTH_DEV = True


def details(case: str, client: ClientPolicy | None = CLIENT, **parameters: str) -> dict[str, Any]:
    sent = Parameters([("client_id", "growth-chart"), *parameters.items()])
    return error_page_details(Unredirectable(case), sent, client, {})


def test_outside_development_there_are_none(settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    assert details("E4", redirect_uri="https://evil.example/") == {}


@pytest.mark.requirement("AZ-25", "AZ-05")
@pytest.mark.parametrize("case", ["E4", "E7"])
@pytest.mark.parametrize(
    ("sent", "same"),
    [
        ("https://app.example.org/callback/", "https://app.example.org/callback"),
        ("https://app.example.org/others", "https://app.example.org/other"),
        ("https://app.example.org/c", "https://app.example.org/c"),
        ("http://app.example.org/callback", "http"),
        ("com.example:/cb", ""),
        ("", ""),
    ],
)
def test_a_redirect_uri_is_compared_with_the_likest_that_is_registered(case: str, sent: str, same: str) -> None:
    found = details(case, redirect_uri=sent)

    assert (found["rule"], found["case"], found["client"]) == ("AZ-05", case, "growth-chart")
    assert (found["sent"], found["same"], found["different"]) == (sent, same, sent.removeprefix(same))
    assert found["registered"] == URIS


@pytest.mark.requirement("AZ-25")
def test_a_redirect_uri_that_was_not_sent_is_compared_as_an_empty_one() -> None:
    assert details("E4")["different"] == ""


@pytest.mark.requirement("AZ-25")
def test_where_none_is_registered_all_of_a_redirect_uri_differs() -> None:
    found = details("E4", replace(CLIENT, redirect_uris=()), redirect_uri=URIS[0])

    assert (found["same"], found["different"]) == ("", URIS[0])


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(("case", "client"), [("E3", CLIENT), ("E1", None), ("E4", None)])
def test_of_another_refusal_the_rules_alone_are_shown(case: str, client: ClientPolicy | None) -> None:
    found = details(case, client)

    assert set(found) == {"rule", "case", "client", "outcomes"}
    assert found["client"] == ("growth-chart" if client else "")
    assert [each.state for each in found["outcomes"]].count(State.REFUSED) == 1


@pytest.mark.requirement("AZ-25")
def test_what_the_rules_say_follows_from_the_request_and_the_client() -> None:
    wrong, right = details("E4", redirect_uri="https://evil.example/"), details("E39", redirect_uri=URIS[0])

    refused = [next(each.rule for each in found["outcomes"] if each.state is State.REFUSED) for found in (wrong, right)]
    assert refused[0] == "AZ-05"
    assert refused[1] != "AZ-05"
