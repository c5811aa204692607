"""After a token was blocked at another address: the person's next request for that app asks for a password (SD-06)."""

import html
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from accounts import clock
from accounts.models import SignIn, User
from oauth.models import AddressBlock, Authorization
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeClient, MakePerson, MakeResourceServer, MakeVisitor
from tests.oauth.remembering import HTTPS, OFFLINE, allow_for_good, exchange, refreshing_client
from tests.oauth.visitor import Visitor, redirect_query

HOME, ELSEWHERE = "203.0.113.5", "198.51.100.9"
ASKED = {"scope": OFFLINE, "redirect_uri": HTTPS}
TITLE = "Please enter your password again"


@pytest.fixture
def person(make_person: MakePerson) -> Any:
    """Somebody with their own record."""
    return make_person("amy")


@pytest.fixture
def told(app: App, make_resource_server: MakeResourceServer) -> Callable[[str, str], dict[str, Any]]:
    """What a resource server hears that is trusted to tell this address."""
    caller = make_resource_server()
    caller.protects.update(tells_addresses=1)

    def ask(token: str, address: str) -> dict[str, Any]:
        form = {"token": token, "__client_ip": address}
        found: dict[str, Any] = app.post(
            "/o/introspect", data=form, headers=basic(caller.client_id, SECRET)
        ).json()  # fmt: skip
        return found

    return ask


@pytest.fixture(params=["secret", "none"], ids=["server-side app", "browser app"])
def client(request: pytest.FixtureRequest, make_client: MakeClient) -> Any:
    """An app that may refresh, under block."""
    return refreshing_client(make_client, request.param, address_policy="block")


@pytest.fixture
def stopped(app: App, visitor: Visitor, client: Any, person: Any, told: Any) -> dict[str, Any]:
    """The tokens of an app that was used at home and then stopped elsewhere; the person is still signed in."""
    tokens = allow_for_good(app, visitor, client, person)
    assert told(tokens["access_token"], HOME)["active"] is True
    assert told(tokens["access_token"], ELSEWHERE) == {"active": False}
    return tokens


def words(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text)))


@pytest.mark.requirement("SD-06")
def test_the_next_request_asks_for_the_password_and_says_why_but_never_where_it_was_before(
    visitor: Visitor, client: Any, person: Any, stopped: dict[str, Any]
) -> None:
    page = visitor.follow(visitor.ask(client, **ASKED))

    assert page.url.path.endswith("/login")
    assert TITLE in words(page)
    assert "This app was used from a new network address." in words(page)
    assert "Where you used the app before, it keeps working." in words(page)
    assert f"You use it now from {visitor.address}" in words(page)
    assert HOME not in page.text
    assert ELSEWHERE not in page.text
    assert re.search(rf'name="username"[^>]*value="{person.username}" readonly', page.text)
    assert "Confirm it is me" in words(page)
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("SD-06", "PR-06")
def test_after_the_password_the_new_token_belongs_to_where_it_is_then_used(
    app: App, visitor: Visitor, client: Any, person: Any, stopped: dict[str, Any], told: Any
) -> None:
    page = visitor.sign_in(visitor.follow(visitor.ask(client, **ASKED)), person)
    response = page if page.status_code == 303 else visitor.allow(page)
    tokens = exchange(app, client, redirect_query(response)["code"])

    assert told(tokens["access_token"], ELSEWHERE)["active"] is True
    assert told(tokens["access_token"], HOME) == {"active": False}


@pytest.mark.requirement("SD-06")
def test_a_login_newer_than_the_block_is_enough_for_the_next_request_too(
    visitor: Visitor, client: Any, person: Any, stopped: dict[str, Any]
) -> None:
    visitor.sign_in(visitor.follow(visitor.ask(client, **ASKED)), person)

    again = visitor.follow(visitor.ask(client, **ASKED))

    assert not again.url.path.endswith("/login")


@pytest.mark.requirement("SD-06", "E32")
def test_a_quiet_request_hears_login_required_although_the_person_is_signed_in_and_has_allowed_it(
    visitor: Visitor, client: Any, stopped: dict[str, Any]
) -> None:
    before = Authorization.objects.filter(client=client).count()

    response = visitor.follow(visitor.ask(client, prompt="none", **ASKED))

    assert redirect_query(response)["error"] == "login_required"
    assert Authorization.objects.filter(client=client).count() == before


@pytest.mark.requirement("SD-06")
def test_a_request_that_was_waiting_when_it_was_stopped_does_not_get_round_the_password(
    app: App, visitor: Visitor, make_client: MakeClient, person: Any, told: Any
) -> None:
    client = refreshing_client(make_client, address_policy="block")
    tokens = allow_for_good(app, visitor, client, person)
    told(tokens["access_token"], HOME)
    page = visitor.follow(visitor.ask(client, prompt="consent", **ASKED))
    assert page.url.path.endswith("/consent")
    told(tokens["access_token"], ELSEWHERE)
    granted = Authorization.objects.filter(client=client).count()

    response = visitor.allow(page)

    assert response.status_code == 403
    assert Authorization.objects.filter(client=client).count() == granted
    assert TITLE in words(visitor.follow(visitor.request("GET", page.url.path)))


def test_a_login_for_this_very_request_is_enough_however_often_it_is_stopped_meanwhile(
    app: App, visitor: Visitor, make_client: MakeClient, person: Any, stopped: dict[str, Any], client: Any
) -> None:
    page = visitor.sign_in(visitor.follow(visitor.ask(client, prompt="consent", **ASKED)), person)
    AddressBlock.objects.filter(client=client, user=person).update(blocked_at=clock.now())

    response = visitor.allow(page)

    assert "code" in redirect_query(response)


@pytest.mark.requirement("SD-06")
def test_another_app_and_another_person_are_not_asked(
    visitor: Visitor,
    make_visitor: MakeVisitor,
    make_client: MakeClient,
    make_person: MakePerson,
    client: Any,
    stopped: dict[str, Any],
) -> None:
    other_app = refreshing_client(make_client, address_policy="block")
    somebody = make_visitor()
    somebody.reach_consent(client, make_person("ben"), **ASKED)

    own = visitor.follow(visitor.ask(other_app, **ASKED))
    others = somebody.follow(somebody.ask(client, **ASKED))

    assert own.url.path.endswith("/consent")
    assert others.url.path.endswith("/consent")


def test_the_person_who_confirms_is_the_one_signed_in_whatever_name_is_sent(
    visitor: Visitor, client: Any, make_person: MakePerson, stopped: dict[str, Any], person: Any
) -> None:
    page = visitor.follow(visitor.ask(client, **ASKED))

    wrong = visitor.send(page, username=make_person("ben").username, password="not theirs")
    right = visitor.follow(visitor.send(wrong, username="nobody", password="smartauth-demo"))

    assert wrong.status_code == 422
    assert TITLE in words(wrong)
    assert not right.url.path.endswith("/login")
    assert SignIn.objects.filter(user=person).exists()


@pytest.mark.requirement("SD-06", "PR-06")
def test_under_end_the_page_does_not_promise_that_anything_goes_on(
    app: App, visitor: Visitor, make_client: MakeClient, person: Any, told: Any
) -> None:
    client = refreshing_client(make_client, address_policy="end")
    tokens = allow_for_good(app, visitor, client, person)
    told(tokens["access_token"], HOME)
    told(tokens["access_token"], ELSEWHERE)

    page = visitor.follow(visitor.ask(client, **ASKED))

    assert "The access it had has ended." in words(page)
    assert "it was used from a new address" in words(visitor.request("GET", "/apps"))


@pytest.mark.requirement("SD-05")
def test_a_person_locked_until_a_later_login_signs_in_again_for_every_app(
    visitor: Visitor, make_client: MakeClient, person: Any, issue: Issue
) -> None:
    client = refreshing_client(make_client)
    issue(client, person)
    visitor.reach_consent(client, person, **ASKED)
    User.objects.get_queryset().filter(pk=person.pk).update(login_after=clock.now())

    quiet = visitor.follow(visitor.ask(client, prompt="none", **ASKED))
    page = visitor.follow(visitor.ask(client, **ASKED))
    after = visitor.sign_in(page, person)

    assert redirect_query(quiet)["error"] == "login_required"
    assert page.url.path.endswith("/login")
    assert TITLE not in words(page)
    assert after.url.path.endswith("/consent")
