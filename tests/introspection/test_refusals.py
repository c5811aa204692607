"""What an explanation of introspection and revocation says, in development: rule, row, what came, what was expected."""

import re
from typing import Any

import httpx
import pytest

from introspection import refusals
from oauth.http.explanations import latest_explanation
from oauth.models import Authorization, ResourceServerRole
from smart.explanation import Explanation
from smart.tokens.liveness import ISSUED
from tests.conftest import BASE, SECRET, App, basic
from tests.explained import HEADER
from tests.fixture_types import Issue, MakeClient, MakeResourceServer
from tests.introspection.test_token_lookup import NOW, row

HOME, ELSEWHERE = "203.0.113.5", "198.51.100.9"


def explanation_of(response: httpx.Response) -> Explanation:
    reference = re.search(r"\(([A-Z0-9-]+)\)$", response.headers[HEADER])
    assert reference, response.headers[HEADER]
    found = latest_explanation(reference[1])
    assert found
    return found


def said(response: httpx.Response) -> tuple[str, str, str, str]:
    found = explanation_of(response)
    return found.rule, found.case, found.presented, found.expected


@pytest.mark.requirement("AZ-25", "IN-07")
def test_a_caller_hears_why_it_is_none(app: App, issue: Issue) -> None:
    asked, own, ended = issue()["access_token"], issue(scope="patient/*.rs"), issue(scope="__smartauth.introspect")
    Authorization.objects.filter(pk=ended["granted"].authorization.pk).end("person", now=1)

    def ask(token: str) -> httpx.Response:
        return app.post("/o/introspect", data={"token": asked}, headers={"Authorization": f"Bearer {token}"})

    unknown, dead, lacking = ask("nobody"), ask(ended["access_token"]), ask(own["access_token"])

    assert said(unknown)[:2] == (ISSUED.rule, "E104")
    assert explanation_of(unknown).what == ISSUED.broken
    assert (said(dead)[1], explanation_of(dead).what != "") == ("E108", True)
    assert said(lacking) == ("IN-07", "E105", "patient/*.rs", "__smartauth.introspect")
    words = [answer.json()["error_description"] for answer in (unknown, dead, lacking)]
    assert words[0] == words[1] == "the access token is unknown, expired or ended"
    assert words[2] == "the access token lacks the scope __smartauth.introspect"


@pytest.mark.requirement("AZ-25", "IN-06")
def test_a_resource_server_hears_why_a_token_is_inactive(
    app: App, issue: Issue, make_client: MakeClient, make_resource_server: MakeResourceServer
) -> None:
    token = issue(make_client(address_policy="block"))["access_token"]
    trusted, stranger = make_resource_server(), make_client("secret")
    ResourceServerRole.objects.filter(client=trusted).update(tells_addresses=1)

    def ask(client: Any, address: str, token: str = token) -> httpx.Response:
        form = {"token": token, "__client_ip": address}
        return app.post("/o/introspect", data=form, headers=basic(client.client_id, SECRET))

    assert ask(trusted, HOME).json()["active"] is True
    foreign, moved = ask(stranger, HOME), ask(trusted, ELSEWHERE)

    assert said(foreign) == ("IN-07", "E107", stranger.client_id, f"a resource server of {BASE}")
    assert said(moved) == ("PR-06", "E107", ELSEWHERE, HOME)
    assert explanation_of(moved).what == "it was used from another address, and the policy is block"


@pytest.mark.requirement("AZ-25", "IN-06")
def test_a_resource_server_hears_of_each_token_what_ended_that_one(
    app: App, issue: Issue, make_resource_server: MakeResourceServer
) -> None:
    headers, whys = basic(make_resource_server().client_id, SECRET), []
    for ended_for in ("person", "operator"):
        answer = issue()
        Authorization.objects.filter(pk=answer["granted"].authorization.pk).end(ended_for, now=1)
        told = app.post("/o/introspect", data={"token": answer["access_token"]}, headers=headers)
        whys.append(explanation_of(told).what)

    assert whys == ["The person took the access back", "An operator ended it"]


@pytest.mark.requirement("AZ-25", "IN-08")
def test_a_resource_server_hears_that_it_asked_about_a_refresh_token(
    app: App, issue: Issue, make_client: MakeClient, make_resource_server: MakeResourceServer
) -> None:
    scope = "offline_access patient/*.rs"
    answer = issue(make_client(grants="authorization_code refresh_token", scope=scope), scope=scope)
    headers = basic(make_resource_server().client_id, SECRET)

    refresh, unknown = (
        app.post("/o/introspect", data={"token": token}, headers=headers) for token in (answer["refresh_token"], "x")
    )

    assert refresh.content == unknown.content == b'{"active":false}'
    assert (said(refresh)[0], said(unknown)[0]) == ("IN-08", ISSUED.rule)
    assert explanation_of(refresh).what == "it is a refresh token, which opens no records"


@pytest.mark.requirement("AZ-25", "RV-01", "RV-03")
def test_a_client_hears_why_a_token_is_not_its_own_to_revoke(app: App, issue: Issue, make_client: MakeClient) -> None:
    answer = issue(scope="openid launch/patient patient/*.rs")
    own, other = answer["granted"].client.client_id, make_client().client_id

    missing = app.post("/o/revoke", data={"client_id": own})
    foreign = app.post("/o/revoke", data={"client_id": other, "token": answer["access_token"]})
    unfit = app.post("/o/revoke", data={"client_id": own, "token": answer["id_token"]})

    assert [said(each)[:2] for each in (missing, foreign, unfit)] == [
        ("RV-01", "E110"), ("RV-03", "E112"), ("RV-01", "E113"),
    ]  # fmt: skip
    assert foreign.json()["error_description"] == "this token belongs to another client"
    assert unfit.json()["error_description"] == "an ID token cannot be revoked"


@pytest.mark.requirement("AZ-25", "IN-06")
def test_what_is_remembered_of_dead_tokens_is_bounded_and_one_that_is_gone_has_a_cause_too(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MOST_CAUSES", 2)
    monkeypatch.setattr(refusals, "_causes", {})

    told, remembered = [], []
    for number in (2**40, 2**40 + 1, 2**40 + 2):
        told.append(refusals.dead(row(token=number, revoked_at=1), NOW).what)
        remembered.append(len(refusals._causes))

    assert told == [ISSUED.broken] * 3
    assert remembered == [1, 2, 1]
