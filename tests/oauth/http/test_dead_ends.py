"""Every page that goes no further says why, who is signed in, and leads on; machines get JSON."""

import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.db import OperationalError

from oauth.http import dead_ends
from tests.conftest import App
from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.visitor import FORM, Visitor, hidden_fields

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def amy(visitor: Visitor, make_person: MakePerson) -> Any:
    """The visitor is signed in as this person."""
    person = make_person("amy")
    visitor.sign_in(visitor.request("GET", "/login"), person)
    return person


def assert_leads_on(page: httpx.Response, status: int, title: str, person: Any = None) -> None:
    """A heading, the same in the title, nothing to store, a link of ours, and who is signed in with the way out."""
    assert page.status_code == status
    assert f"<h1>{title}</h1>" in page.text
    assert f"<title>{title} - smartauth</title>" in page.text
    assert "no-store" in page.headers["Cache-Control"]
    assert re.search(r'<a class="btn[^"]*" href="/', page.text)
    if person is not None:
        assert f">{person}<" in page.text
        assert re.search(r'<form method="post" action="/logout', page.text)


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/no-such-page", 404, "There is no such page"),
        ("GET", "/o/authorise", 404, "There is no such page"),
        ("GET", "/launcher", 403, "This page is for practitioners and operators"),
        ("GET", "/admin/", 403, "This page is for operators"),
        ("GET", "/admin/oauth/client/7/", 403, "This page is for operators"),
        ("GET", "/admin/no-such-page", 403, "This page is for operators"),
        ("GET", "/logout", 405, "This page cannot be opened like that"),
        ("GET", "/apps/7/end", 405, "This page cannot be opened like that"),
        ("GET", "/o/authorize/7/another-account", 405, "This page cannot be opened like that"),
        ("POST", "/sessions", 403, "We stopped this request"),
        ("GET", "/o/authorize/7/consent", 403, "We stopped this request"),
        ("GET", "/o/authorize", 400, "We stopped this request"),
    ],
)
def test_a_dead_end_says_who_is_signed_in_and_leads_on(
    visitor: Visitor, amy: Any, method: str, path: str, status: int, title: str
) -> None:
    page = visitor.request(method, path, headers=BROWSER)

    assert_leads_on(page, status, title, amy)


def test_nobody_is_signed_in_and_it_leads_on_all_the_same(visitor: Visitor) -> None:
    page = visitor.request("GET", "/no-such-page")

    assert_leads_on(page, 404, "There is no such page")
    assert 'href="/login"' in page.text
    assert "/logout" not in page.text


def test_sign_in_as_someone_else_leads_back_to_the_page(visitor: Visitor, amy: Any) -> None:
    page = visitor.request("GET", "/admin/oauth/client/")
    assert 'action="/logout?to=admin"' in page.text

    left = visitor.request("POST", "/logout?to=admin", content=urlencode(hidden_fields(page)), headers=FORM)

    assert left.headers["Location"] == "/login?to=admin"


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "nowhere", ""])
def test_signing_out_leads_nowhere_else(visitor: Visitor, amy: Any, to: str) -> None:
    form = urlencode(hidden_fields(visitor.request("GET", "/apps")))

    left = visitor.request("POST", f"/logout?{urlencode({'to': to})}", content=form, headers=FORM)

    assert left.headers["Location"] == "/login"


def test_what_was_asked_for_is_text_cut_and_without_its_query(visitor: Visitor) -> None:
    page = visitor.request("GET", f"/<b>%E2%80%AE{'x' * 200}?secret=value")

    shown = page.text.split("You asked for</dt><dd><code>")[1].split("</code>")[0]
    assert shown.startswith("/&lt;b&gt;?xxx")
    assert shown.endswith("…")
    assert "secret" not in page.text


def test_a_mistyped_address_is_guessed_in_development_alone(visitor: Visitor, settings: Any) -> None:
    guessed = visitor.request("GET", "/o/authorise", headers=BROWSER).text
    settings.SMARTAUTH_DEV = False
    never, hidden = (visitor.request("GET", path, headers=BROWSER).text for path in ("/launchers", "/launcher"))

    assert '<a href="/o/authorize">' in guessed
    assert "Did you mean" not in never + hidden
    assert without_request(never, "/launchers") == without_request(hidden, "/launcher")


def without_request(page: str, path: str) -> str:
    """The page without its address and reference."""
    return re.sub(r"<dd>[0-9A-Z]{4}-[0-9A-Z]{4}</dd>", "", page.replace(f"<code>{path}</code>", ""))


@pytest.mark.requirement("SB-06")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/fhir/r9/Patient", 404),
        ("GET", "/fhir/r4", 401),
        ("GET", "/o/token", 405),
        ("GET", "/o/introspect", 405),
        ("GET", "/o/invalidate", 405),
        ("GET", "/o/smart-configuration", 400),
        ("POST", "/o/jwks", 405),
        ("POST", "/healthz", 405),
        ("POST", "/readyz", 405),
    ],
)
def test_machines_keep_their_answers_in_a_browser_too(app: App, method: str, path: str, status: int) -> None:
    answer = app.request(method, path, headers=BROWSER)

    assert answer.status_code == status
    assert "<html" not in answer.text


@pytest.mark.requirement("SB-06")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/dev/tokens/", 404), ("POST", "/dev/tokens/kinds", 405), ("POST", "/dev/openapi.json", 405)],
)
def test_in_development_a_tool_gets_no_page_and_a_browser_one(app: App, method: str, path: str, status: int) -> None:
    tool, browser = (app.request(method, path, headers={"Accept": reads}) for reads in ("*/*", BROWSER["Accept"]))

    assert (tool.status_code, browser.status_code) == (status, status)
    assert "<html" not in tool.text
    assert status == 405 or tool.json() == {"error": "not_found"}
    assert "<h1>" in browser.text


@pytest.mark.parametrize(
    ("failure", "status", "title"),
    [(OperationalError("gone"), 503, "We cannot answer just now"), (ValueError("odd"), 500, "Something broke here")],
)
def test_what_broke_leads_on_and_is_tried_again(
    visitor: Visitor, amy: Any, monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int, title: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("oauth.sign_in.sessions._page", fail)

    page = visitor.request("GET", "/sessions?ended=1")

    assert_leads_on(page, status, title, amy if status == 500 else None)
    assert '<a class="btn btn-main" href="/sessions?ended=1">Try again</a>' in page.text
    assert ("Retry-After" in page.headers) is (status == 503)


def test_where_nobody_can_be_looked_up_the_page_still_comes(
    visitor: Visitor, amy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("accounts.sessions.signed_in_user", fail)
    monkeypatch.setattr(dead_ends, "signed_in_user", fail)
    monkeypatch.setattr("oauth.sign_in.sessions.signed_in_user", fail)
    monkeypatch.setattr("oauth.http.page_frame.signed_in_user", fail)

    assert_leads_on(visitor.request("GET", "/sessions"), 503, "We cannot answer just now")


def test_a_form_that_waited_too_long_leads_back_to_its_page(visitor: Visitor, amy: Any) -> None:
    referer = {"Referer": "http://127.0.0.1:8000/sessions?ended=1"}

    own = visitor.request("POST", "/sessions", headers=referer)
    foreign = visitor.request("POST", "/sessions", headers={"Referer": "http://127.0.0.1:8000//evil.example/"})

    assert_leads_on(own, 403, "We stopped this request", amy)
    assert '<a class="btn btn-main" href="/sessions?ended=1">Load the page again</a>' in own.text
    assert "evil.example" not in foreign.text


def test_the_reason_of_a_form_refused_is_for_developers(visitor: Visitor, settings: Any) -> None:
    foreign = {"Origin": "http://localhost:3000"}

    told = visitor.request("POST", "/login", headers=foreign).text
    settings.SMARTAUTH_DEV = False
    hidden = visitor.request("POST", "/login", headers=foreign).text

    assert "Origin checking failed - http://localhost:3000 does not match any trusted origins." in told
    assert "Origin" not in hidden


def test_a_second_answer_leads_to_the_connected_apps(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    person = make_person("amy")
    page = visitor.reach_consent(make_client(), person)
    visitor.allow(page)

    again = visitor.request("GET", page.url.path)

    assert_leads_on(again, 403, "We stopped this request", person)
    assert 'href="/apps"' in again.text


def test_the_sign_in_page_says_who_is_signed_in_already(visitor: Visitor, amy: Any) -> None:
    page = visitor.request("GET", "/login")

    assert f'<dt>Signed in as</dt><dd dir="auto">{amy}</dd>' in page.text
    assert 'action="/logout"' in page.text
