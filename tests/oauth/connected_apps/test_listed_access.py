"""Taking access back on the page of connected apps, one app or all of them."""

import re
from typing import Any

import pytest

from accounts.models import SignIn, User
from audit.models import OutboxEvent
from oauth.models import Authorization, Client
from tests.conftest import App
from tests.fixture_types import Grant, Introspect, Issue, MakeClient, MakeVisitor
from tests.oauth.connected_apps.page_reader import OFFLINE, csrf, make_many, page_text, refresh, rows, take_back
from tests.oauth.visitor import Visitor

# Taking it back -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RV-05", "RV-06")
def test_taken_back_is_dead_at_the_next_introspection_and_refresh(
    mine: Visitor, amy: Any, app: App, refreshing: Any, issue: Issue, introspect: Introspect
) -> None:
    answer = issue(refreshing, amy, scope=OFFLINE)
    made = answer["granted"]
    assert introspect(answer["access_token"])["active"] is True

    response = take_back(mine, made)

    assert (response.status_code, response.headers["Location"]) == (303, f"/apps?ended={made.authorization}")
    assert introspect(answer["access_token"]) == {"active": False}
    refusal = refresh(app, answer)
    assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_grant")
    (event,) = OutboxEvent.objects.filter(kind="access-taken-back", authorization=str(made.authorization))
    assert (event.person, event.client, event.address) == (amy.subject, refreshing.client_id, mine.address)
    page = mine.follow(response).text
    assert re.search(
        r'role="status" tabindex="-1" autofocus[^>]*><p><span dir="auto">Growth Chart</span> no longer', page
    )
    assert "Growth Chart no longer has access to your record." in page_text(mine, f"/apps?ended={made.authorization}")
    assert [row[0] for row in rows(mine)] == ["Growth Chart"]
    assert rows(mine)[0][3] == "you took it back"


def test_a_code_does_not_outlive_it(mine: Visitor, amy: Any, app: App, grant: Grant) -> None:
    made = grant(person=amy)

    take_back(mine, made)

    assert app.post("/o/token", data=made.exchange()).json()["error"] == "invalid_grant"


def test_a_second_time_changes_nothing(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]
    take_back(mine, made)
    made.authorization.refresh_from_db()
    ended_at = made.authorization.ended_at

    again = take_back(mine, made)

    made.authorization.refresh_from_db()
    assert again.status_code == 303
    assert (made.authorization.ended_at, made.authorization.epoch) == (ended_at, 1)
    assert OutboxEvent.objects.filter(kind="access-taken-back", authorization=str(made.authorization)).count() == 1


@pytest.mark.parametrize("number", ["2222-2222", "zzzz", "1", "0000-0000", "%00", "9" * 40, "²²²²-²²²²"])
def test_a_number_of_nothing_is_a_page_that_does_not_exist(mine: Visitor, number: str) -> None:
    response = mine.request("POST", f"/apps/{number}/end", data={"csrfmiddlewaretoken": csrf(mine)})

    assert response.status_code == 404


@pytest.mark.requirement("RV-05")
def test_the_access_of_somebody_else_looks_like_nothing(mine: Visitor, issue: Issue, introspect: Introspect) -> None:
    answer = issue()
    form = {"csrfmiddlewaretoken": csrf(mine)}

    theirs = mine.request("POST", f"/apps/{answer['granted'].authorization}/end", data=form)
    none = mine.request("POST", "/apps/2222-2222/end", data=form)

    assert theirs.status_code == none.status_code == 404
    assert without_reference(theirs.text) == without_reference(none.text)
    assert introspect(answer["access_token"])["active"] is True
    assert not OutboxEvent.objects.filter(kind="access-taken-back", authorization=str(answer["granted"].authorization))


def without_reference(page: str) -> str:
    """The page but for its reference, its time and the token of its form."""
    return re.sub(r'\b[2-9A-Z]{4}-[2-9A-Z]{4}\b|<time.*?</time>|name="csrfmiddlewaretoken" value="\w+"', "", page)


def test_it_needs_the_form_of_the_page_and_a_session(mine: Visitor, visitor: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]

    response = mine.request("POST", f"/apps/{made.authorization}/end")

    made.authorization.refresh_from_db()
    assert response.status_code == 403
    assert made.authorization.ended_at == 0


def test_what_still_lives_is_not_said_to_have_ended(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]

    page = page_text(mine, f"/apps?ended={made.authorization}")

    assert "Growth Chart" in page
    assert "no longer has" not in page


def test_another_access_of_the_same_app_is_told(mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue) -> None:
    client = make_client(supersede=Client.Supersede.GRANT)
    first, _ = issue(client, amy)["granted"], issue(client, amy)

    page = page_text(mine, take_back(mine, first).headers["Location"])

    assert "Growth Chart no longer has this access. It still has another one to your record, below." in page


# Everything at once ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RV-05")
def test_everything_ends_after_one_more_question(
    mine: Visitor,
    make_visitor: MakeVisitor,
    amy: Any,
    issue: Issue,
    make_client: MakeClient,
    introspect: Introspect,
) -> None:
    phone, twice = make_visitor(), make_client(supersede=Client.Supersede.GRANT)
    tokens = [issue(client, amy)["access_token"] for client in (twice, twice, make_client())]
    others = issue()["access_token"]
    phone.sign_in(phone.request("GET", "/login"), amy)

    question = mine.request("GET", "/apps/end-all")
    assert "2 apps that can use health records because you allowed it get nothing more." in question.text
    assert [introspect(token)["active"] for token in tokens] == [True] * 3
    response = mine.send(question)

    assert (response.status_code, response.headers["Location"]) == (303, "/apps/end-all?done=1")
    assert "No app can use your records any more, and you are signed out everywhere." in mine.follow(response).text
    assert [introspect(token) for token in tokens] == [{"active": False}] * 3
    assert introspect(others)["active"] is True
    assert not SignIn.objects.filter(user=amy).exists()
    assert phone.request("GET", "/apps").headers["Location"] == "/login?to=apps"
    told = OutboxEvent.objects.filter(kind="access-taken-back", person=amy.subject)
    assert [event.reason for event in told] == ["everything"] * 3


def test_what_was_being_asked_meanwhile_is_dead_too(mine: Visitor, amy: Any, grant: Grant, app: App) -> None:
    before = User.objects.get(pk=amy.pk)
    mine.send(mine.request("GET", "/apps/end-all"))

    made = grant(person=before)

    assert app.post("/o/token", data=made.exchange()).json()["error"] == "invalid_grant"


def test_everything_at_once_needs_the_form_of_the_page(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]

    response = mine.request("POST", "/apps/end-all")

    made.authorization.refresh_from_db()
    assert response.status_code == 403
    assert made.authorization.ended_at == 0


def test_everything_of_many_ends_with_an_event_each(
    mine: Visitor, amy: Any, make_client: MakeClient, fhir_server: Any
) -> None:
    make_many(505, make_client(), amy, fhir_server)

    response = mine.send(mine.request("GET", "/apps/end-all"))

    assert response.status_code == 303
    assert not Authorization.objects.filter(user=amy, ended_at=0).exists()
    assert OutboxEvent.objects.filter(kind="access-taken-back", person=amy.subject).count() == 505
