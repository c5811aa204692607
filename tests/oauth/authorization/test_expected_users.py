"""An ID token that comes along names the user that the app expects (id_token_hint; AZ-22, E43)."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from oauth.keys import signing_keys
from oauth.models import (
    PendingRequest,
    SigningKey,
)
from tests.conftest import App
from tests.fixture_types import MakeClient, MakePerson, MakeVisitor
from tests.oauth.jwt import header
from tests.oauth.remembering import HTTPS, allow_for_good, assert_refused, grants, refreshing_client
from tests.oauth.visitor import FORM, Visitor, hidden_fields, redirect_query


@pytest.mark.requirement("E43")
@pytest.mark.parametrize("hint", ["eyJhbGciOiJub25lIn0.e30.", "not a token"])
def test_an_id_token_hint_that_this_server_never_signed_is_refused(
    visitor: Visitor, make_client: MakeClient, hint: str
) -> None:
    client = make_client()

    response = visitor.ask(client, id_token_hint=hint)

    assert_refused(response, "invalid_request")
    assert PendingRequest.objects.filter(client=client).count() == 0


OPENID = "openid launch/patient patient/Observation.rs offline_access"


def app_of(app: App, visitor: Visitor, make_client: MakeClient, person: Any) -> tuple[Any, str]:
    """A client whose person is signed in and has allowed it for good, and their ID token."""
    client = refreshing_client(make_client, "none", scope=OPENID)
    told = allow_for_good(app, visitor, client, person, scope=OPENID)
    return client, told["id_token"]


def again(visitor: Visitor, client: Any, hint: str, **changes: str) -> httpx.Response:
    return visitor.follow(visitor.ask(client, scope=OPENID, redirect_uri=HTTPS, id_token_hint=hint, **changes))


@pytest.mark.requirement("E43", "AZ-22")
def test_with_an_id_token_of_who_is_signed_in_nobody_is_asked(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, hint = app_of(app, visitor, make_client, make_person("amy"))

    assert "code" in redirect_query(again(visitor, client, hint, prompt="none"))
    assert "code" in redirect_query(again(visitor, client, hint))


@pytest.mark.requirement("E43")
def test_an_old_id_token_of_a_retired_key_is_still_a_hint(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, hint = app_of(app, visitor, make_client, make_person("amy"))
    SigningKey.objects.filter(kid=header(hint)["kid"]).update(state=SigningKey.State.RETIRED, retired_at=1)
    signing_keys.ensure_keys()

    assert "code" in redirect_query(again(visitor, client, hint, prompt="none"))


@pytest.mark.requirement("E43")
def test_an_id_token_of_a_key_that_was_withdrawn_is_no_hint(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, hint = app_of(app, visitor, make_client, make_person("amy"))
    withdrawn = {"state": SigningKey.State.RETIRED, "retired_at": 1, "withdrawn_at": 1}
    SigningKey.objects.filter(kid=header(hint)["kid"]).update(**withdrawn)
    signing_keys.ensure_keys()

    assert redirect_query(again(visitor, client, hint))["error"] == "invalid_request"


@pytest.mark.requirement("E43", "E32")
def test_an_id_token_of_somebody_else_is_login_required_where_no_page_may_be_shown(
    app: App, visitor: Visitor, make_visitor: MakeVisitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, _ = app_of(app, visitor, make_client, make_person("amy"))
    hint = allow_for_good(app, make_visitor(), client, make_person("ben"), scope=OPENID)["id_token"]
    before = grants(client)

    told = redirect_query(again(visitor, client, hint, prompt="none"))

    assert told["error"] == "login_required"
    assert grants(client) == before


@pytest.mark.requirement("E43")
@pytest.mark.parametrize("prompt", ["none", "login"])
def test_an_id_token_that_another_app_got_is_no_hint(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson, prompt: str
) -> None:
    _, hint = app_of(app, visitor, make_client, make_person("amy"))
    curious = refreshing_client(make_client, "none", scope=OPENID)

    told = redirect_query(again(visitor, curious, hint, prompt=prompt))

    assert told["error"] == "invalid_request"
    assert PendingRequest.objects.filter(client=curious).count() == 0


@pytest.mark.requirement("E43")
def test_who_is_signed_in_and_not_expected_switches_or_tells_the_app(
    app: App, visitor: Visitor, make_visitor: MakeVisitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    ben = make_person("ben")
    client, _ = app_of(app, visitor, make_client, make_person("amy"))
    hint = allow_for_good(app, make_visitor(), client, ben, scope=OPENID)["id_token"]

    page = again(visitor, client, hint)
    refusal = redirect_query(visitor.send(page, cancel="1"))
    waiting = again(visitor, client, hint)
    switch = str(waiting.url).replace("/another-user", "/another-account")
    switched = visitor.request("POST", switch, content=urlencode(hidden_fields(waiting)), headers=FORM)
    consent = visitor.sign_in(visitor.follow(switched), ben)

    assert (page.status_code, page.url.path.rpartition("/")[2]) == (403, "another-user")
    assert "The app expects another user" in page.text
    assert ben.username not in page.text
    assert refusal["error"] == "login_required"
    assert "code" in redirect_query(consent)  # ben has allowed it before


@pytest.mark.requirement("E43", "ID-07")
def test_an_access_token_is_no_hint(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = refreshing_client(make_client, "none", scope=OPENID)
    told = allow_for_good(app, visitor, client, make_person("amy"), scope=OPENID)

    assert redirect_query(again(visitor, client, told["access_token"]))["error"] == "invalid_request"
