"""The console: what it shows of a request, and that nothing of it opens anything."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth.workbench.console.buffer import buffer
from oauth.workbench.console.row import Row
from oauth.workbench.faults import switch
from tests.conftest import BASE, SECRET, VERIFIER, App, basic
from tests.fixture_types import Grant, Issue, MakeClient, MakePerson, MakeResourceServer
from tests.oauth.visitor import Visitor
from tests.oauth.workbench.conftest import Asker

CONSOLE = "/dev/console"


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    buffer.clear()
    yield
    buffer.clear()


def newest() -> Row:
    return buffer.rows()[-1]


def shown(app: App, query: str = "") -> str:
    page = app.get(f"{CONSOLE}{query}")
    assert page.status_code == 200
    return unescape(page.text)


def everything(app: App) -> str:
    """All rows as they are kept, the page, and the page of each."""
    rows = buffer.rows()
    return "\n".join([repr(rows), shown(app), *(shown(app, f"?at={row.number}") for row in rows)])


def introspect(app: App, caller: Any, token: str, **form: str) -> None:
    app.post("/o/introspect", data={"token": token, **form}, headers=basic(caller.client_id, SECRET))


# What is shown --------------------------------------------------------------------------------------------------------


def test_a_token_that_is_issued_and_asked_about(
    app: App, make_resource_server: MakeResourceServer, issue: Issue
) -> None:
    caller, answer = make_resource_server(), issue()
    client, person = answer["granted"].client.client_id, answer["granted"].person.username

    introspect(app, caller, answer["access_token"])

    issued, asked = buffer.rows()[-2:]
    assert (issued.what, issued.answer, issued.outcome) == ("Token, for a code", "issued", "other")
    assert (asked.what, asked.answer, asked.outcome) == ("Introspect", "active", "active")
    assert (asked.asker, issued.asker) == (caller.client_id, "")
    assert {(each.client, each.server, each.patient) for each in (issued, asked)} == {(client, BASE, "amy")}
    assert shown(app).count(person) >= 2
    pane = shown(app, f"?at={asked.number}")
    assert f"<dt>Asked by</dt><dd>{caller.client_id}</dd>" in pane
    assert "What it did with that is not seen here." in pane
    assert "Let in: " not in pane


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("aud-longer", "the FHIR server must answer 401"), ("good-previous-key", "What it did with that is not seen")],
)
def test_an_active_bad_token_says_that_it_must_be_refused(
    app: App, asker: Asker, make_resource_server: MakeResourceServer, kind: str, answer: str
) -> None:
    caller = make_resource_server(asker.client.fhir_servers.get())
    token = asker.get(bad=kind)["access_token"]
    assert (newest().what, newest().kind) == (f"Test token, {kind}", kind)

    introspect(app, caller, token)

    assert (newest().what, newest().answer, newest().kind) == ("Introspect", "active", kind)
    pane = shown(app, f"?at={newest().number}")
    assert f"<dt>Kind</dt><dd>{kind}</dd>" in pane
    assert answer in pane


def test_a_decision_says_what_was_asked_and_why_it_was_denied(
    app: App, make_resource_server: MakeResourceServer, issue: Issue
) -> None:
    caller, token = make_resource_server(), issue(scope="patient/Observation.rs")["access_token"]
    entity = {"subject": {"type": "access_token", "id": token}, "context": {"understands": ["fhir-view/1"]}}

    def ask(path: str = "/access/v1/evaluation", **members: Any) -> Row:
        assert app.post(path, json={**entity, **members}, headers=basic(caller.client_id, SECRET)).status_code == 200
        return newest()

    def about(name: str) -> dict[str, Any]:
        resource = {"type": name, "id": "*", "properties": {"base": BASE}}
        return {"action": {"name": "search-type"}, "resource": resource}

    allowed, denied = ask(**about("Observation")), ask(**about("Condition"))
    many = ask("/access/v1/evaluations", evaluations=[about("Condition"), about("Condition")])

    assert (allowed.what, allowed.answer) == ("Decision, search-type of Observation", "allowed")
    assert allowed.outcome == "other"
    assert (denied.answer, denied.outcome) == ("denied", "refused")
    assert denied.reason == (
        "insufficient_scope: the FHIR server must answer 403. no scope of the token covers s of Condition"
    )
    assert (many.what, many.answer, many.outcome) == ("Decisions", "0 of 2 allowed", "refused")
    assert {(row.asker, row.patient) for row in (allowed, denied, many)} == {(caller.client_id, "amy")}


def test_a_refusal_says_why(app: App, make_client: MakeClient) -> None:
    client = make_client("secret")

    app.post("/o/token", data={"grant_type": "refresh_token"}, headers=basic(client.client_id, "wrong"))

    assert (newest().answer, newest().outcome, newest().client) == ("401", "refused", client.client_id)
    assert newest().reason
    page = shown(app, f"?at={newest().number}")
    assert '<tr class="is-no" aria-current="true">' in page
    assert page.count(newest().reason) >= 2


def test_a_token_that_nobody_issued_is_inactive_and_of_nobody(
    app: App, make_resource_server: MakeResourceServer
) -> None:
    introspect(app, make_resource_server(), "nonsense")

    assert (newest().answer, newest().outcome, newest().client) == ("inactive", "refused", "")


def test_a_fault_stands_in_the_place_of_the_answer(
    app: App, make_resource_server: MakeResourceServer, issue: Issue
) -> None:
    caller, token = make_resource_server(), issue()["access_token"]
    app.post("/dev/introspect/html", data={"token": token}, headers=basic(caller.client_id, SECRET))
    fixed = newest().answer
    switch.turn_on(caller.client_id, "empty", 60)
    introspect(app, caller, token)
    switch.turn_off(caller.client_id)

    assert (fixed, newest().answer, newest().reason) == ("html", "empty", "200 comes with nothing in it.")


@pytest.mark.usefixtures("issue")
def test_of_the_name_of_a_parameter_no_more_is_shown_than_fhir_has(app: App) -> None:
    app.get("/fhir/r4/Observation?patient:Patient=amy&patient:short-secret=amy")

    assert newest().what == "GET /Observation?patient:Patient=amy&patient:…=amy"
    assert "short-secret" not in everything(app)


@pytest.mark.usefixtures("issue")
def test_a_request_without_a_token_at_the_fhir_server(app: App) -> None:
    app.get("/fhir/r4/Patient/amy?name=Shaw&_count=5")

    assert (newest().what, newest().answer) == ("GET /Patient/amy?…&_count=5", "401")
    assert (newest().outcome, newest().server, newest().reason) == ("refused", BASE, "This needs an access token.")


def test_what_is_about_no_token_leaves_no_row(app: App) -> None:
    for path in ("/", "/login", "/healthz", "/o/jwks", "/fhir/r4/metadata", CONSOLE, "/dev/tokens"):
        app.get(path)

    assert buffer.rows() == []
    assert "Nothing has happened yet" in shown(app)


def test_a_request_at_authorize_and_a_test_token(visitor: Visitor, make_client: MakeClient, asker: Asker) -> None:
    client = make_client()
    visitor.ask(client)
    authorize = newest()
    asker.get()

    assert (authorize.what, authorize.client, authorize.server) == ("Authorize", client.client_id, BASE)
    assert "state" not in authorize.head
    assert (newest().what, newest().answer, newest().client) == ("Test token", "minted", asker.client.client_id)
    assert (newest().person, newest().patient) == (asker.person.username, "amy")


# Filters --------------------------------------------------------------------------------------------------------------


def test_filters_are_in_the_url_and_a_set_one_can_be_taken_away(
    app: App, make_resource_server: MakeResourceServer, issue: Issue
) -> None:
    caller, answer = make_resource_server(), issue()
    client = answer["granted"].client.client_id
    introspect(app, caller, answer["access_token"])
    introspect(app, caller, "nonsense")

    def rows(query: str) -> list[str]:
        return re.findall(r'<th scope="row" class="c-what"><a [^>]+>([^<]+)', shown(app, query))

    assert rows("") == ["Introspect", "Introspect", "Token, for a code"]
    assert rows("?answer=refused") == ["Introspect"]
    assert rows("?answer=other") == ["Token, for a code"]
    assert rows(f"?client={client}") == ["Introspect", "Token, for a code"]
    assert rows("?who=AMY&answer=active") == ["Introspect"]
    assert rows("?server=https://nobody.example.org") == []
    assert rows(f"?why={buffer.rows()[-1].cause}") == (["Introspect"] if buffer.rows()[-1].cause else rows(""))
    assert 'href="/dev/console?answer=let-in"' in shown(app, "?who=amy&answer=let-in")
    assert "No request fits these filters." in shown(app, "?who=nobody")
    assert re.findall(r'data-count="([a-z-]+)">(\d+)', shown(app)) == [
        ("all", "3"), ("refused", "1"), ("let-in", "0"), ("active", "1"), ("other", "1"),
    ]  # fmt: skip


def test_all_can_be_forgotten(app: App, visitor: Visitor) -> None:
    app.get("/fhir/r4/Patient/amy")
    assert len(buffer.rows()) == 1

    page = visitor.request("GET", CONSOLE)
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[0]
    cleared = visitor.request("POST", f"{CONSOLE}/clear", data={"csrfmiddlewaretoken": token})

    assert (cleared.status_code, buffer.rows()) == (303, [])


def test_what_others_send_is_text_on_the_page(app: App) -> None:
    app.post("/o/token", data={"grant_type": "x", "client_id": "<script>alert(1)</script>"})

    assert newest().client == "<script>alert(1)</script>"
    assert "<script>alert" not in app.get(CONSOLE).text


# Leaks ----------------------------------------------------------------------------------------------------------------


def test_no_token_code_or_secret_gets_there(
    app: App, grant: Grant, make_client: MakeClient, make_resource_server: MakeResourceServer
) -> None:
    scope = "launch/patient patient/*.rs openid offline_access"
    client = make_client("secret", scope=scope, grants="authorization_code refresh_token")
    made, caller = grant(client, scope=scope), make_resource_server()
    me, exchange = basic(client.client_id, SECRET), made.exchange()
    answer = app.post("/o/token", data=exchange, headers=me).json()
    again = app.post(
        "/o/token", data={"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}, headers=me
    )
    replayed = app.post("/o/token", data=exchange, headers=me)
    access = answer["access_token"]
    introspect(app, caller, access, __client_ip="203.0.113.77")
    bearer = {"Authorization": f"Bearer {access}", "Cookie": "sessionid=a-session-of-somebody"}
    app.get(f"/fhir/r4/Patient/amy?access_token={access}&name=Whitlock&x=y", headers=bearer)
    app.get(f"/fhir/r4/Patient/{access}", headers=bearer)
    app.get("/o/userinfo", headers=bearer)
    app.post("/o/revoke", data={"token": access, "client_secret": "in-the-body"}, headers=me)
    app.post("/o/revoke", data={"token": access}, headers=me)
    report = json.dumps({"token": access, "status": 403})
    app.post(
        "/o/report", content=report, headers={"Content-Type": "application/json", **basic(caller.client_id, SECRET)}
    )

    titles = [row.what for row in buffer.rows()]
    seen = everything(app)
    secrets = [
        access, again.json()["access_token"], answer["refresh_token"], answer["id_token"], exchange["code"],
        again.json()["refresh_token"], VERIFIER, SECRET, me["Authorization"].split()[1], "a-session-of-somebody",
        "Whitlock", "in-the-body", "203.0.113.77", *access.split("."),
    ]  # fmt: skip
    assert replayed.status_code == 400
    assert titles == [
        "Token, for a code", "Token, by refresh", "Token, for a code", "Introspect", "GET /Patient/amy?…&…&…",
        "GET /Patient/…", "UserInfo", "Revoke", "Revoke", "Report of refusals",
    ]  # fmt: skip
    assert [secret for secret in secrets if secret in seen] == []


def test_no_code_state_or_handle_of_a_sign_in_gets_there(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_client(), make_person("amy")
    login = visitor.follow(visitor.ask(client, state="the-state-of-an-app"))
    handle = urlsplit(str(login.url)).path.split("/")[3]
    consent = visitor.sign_in(login, person)
    back = visitor.allow(consent)

    assert [row.what for row in buffer.rows()] == ["Authorize", "Authorize, consent"]
    assert (newest().answer, newest().client, newest().patient) == ("allowed", client.client_id, "amy")
    code = parse_qs(urlsplit(back.headers.get("Location", "")).query).get("code", ["no code"])[0]
    seen = everything(app)
    assert [secret for secret in (handle, code, "the-state-of-an-app", "smartauth-demo") if secret in seen] == []
    assert code != "no code"
