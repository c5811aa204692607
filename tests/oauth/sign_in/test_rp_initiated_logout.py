"""An app asks that its person be signed out (ID-06, E129), with a browser."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.core import signing

from accounts import clock
from accounts.models import SignIn
from oauth.models import Authorization, SigningKey
from oauth.sign_in import rp_initiated_logout
from smart.openid.logout import LogoutRequest
from smart.time_units import CLOCK_SKEW, SECOND
from tests.conftest import App
from tests.fixture_types import MakeClient, MakePerson, MakeVisitor
from tests.oauth.remembering import HTTPS, exchange, refreshing_client
from tests.oauth.visitor import FORM, Visitor, redirect_query

BACK = "https://app.example/left"


@pytest.fixture
def client(make_client: MakeClient) -> Any:
    scope = "openid launch launch/patient patient/*.rs offline_access online_access"
    return refreshing_client(make_client, "none", scope=scope, post_logout_redirect_uris=BACK)


@pytest.fixture
def person(make_person: MakePerson) -> Any:
    return make_person("amy")


@pytest.fixture
def id_token(app: App, visitor: Visitor, client: Any, person: Any) -> str:
    """The visitor is signed in, and their app has this."""
    page = visitor.reach_consent(client, person, scope="openid patient/*.rs", redirect_uri=HTTPS)
    return str(exchange(app, client, redirect_query(visitor.allow(page))["code"])["id_token"])


def ask(visitor: Visitor, method: str = "GET", **parameters: str) -> httpx.Response:
    """What the browser shows after the app's request; a redirect to the app stays as it is."""
    if method == "GET":
        return visitor.follow(visitor.request("GET", f"/o/logout?{urlencode(parameters)}"))
    posted = httpx.AsyncClient(transport=visitor.browser._transport, base_url="http://127.0.0.1:8000")
    first = visitor.app.run(posted.post("/o/logout", content=urlencode(parameters), headers=FORM))
    return visitor.follow(first)


def is_signed_in(person: Any) -> bool:
    return SignIn.objects.filter(user=person).exists()


@pytest.mark.requirement("ID-06")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_with_an_id_token_of_the_person_the_app_gets_them_back_signed_out(
    visitor: Visitor, person: Any, id_token: str, method: str
) -> None:
    response = ask(visitor, method, id_token_hint=id_token, post_logout_redirect_uri=BACK, state="s t")

    assert (response.status_code, response.headers["Location"]) == (303, f"{BACK}?state=s%20t")
    assert response.headers["Cache-Control"] == "no-store"
    assert not is_signed_in(person)


@pytest.mark.requirement("ID-06")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_an_id_token_the_person_is_asked(
    visitor: Visitor, client: Any, person: Any, id_token: str, method: str
) -> None:
    page = ask(visitor, method, client_id=client.client_id, post_logout_redirect_uri=BACK, state="s")
    before = is_signed_in(person)

    response = visitor.send(page)

    assert (page.status_code, before) == (200, True)
    assert "Sign out here?" in page.text
    assert "form-action 'self' https://app.example" in page.headers["Content-Security-Policy"]
    assert (response.status_code, response.headers["Location"]) == (303, f"{BACK}?state=s")
    assert not is_signed_in(person)


@pytest.mark.requirement("ID-06")
def test_an_id_token_of_somebody_else_signs_nobody_out_unasked(
    visitor: Visitor, make_visitor: MakeVisitor, make_person: MakePerson, client: Any, id_token: str
) -> None:
    other, somebody = make_visitor(), make_person("ben")
    other.reach_consent(client, somebody, scope="patient/*.rs", redirect_uri=HTTPS)

    page = ask(other, id_token_hint=id_token, post_logout_redirect_uri=BACK)

    assert "Sign out here?" in page.text
    assert is_signed_in(somebody)
    assert other.send(page).headers["Location"] == BACK


@pytest.mark.requirement("ID-06")
def test_where_nobody_is_signed_in_the_app_gets_its_browser_back(visitor: Visitor, id_token: str, client: Any) -> None:
    ask(visitor, id_token_hint=id_token)

    response = ask(visitor, client_id=client.client_id, post_logout_redirect_uri=BACK)

    assert response.headers["Location"] == BACK


@pytest.mark.requirement("ID-06")
def test_an_id_token_that_is_old_and_of_a_retired_key_still_tells_who(
    visitor: Visitor, person: Any, id_token: str
) -> None:
    from oauth.keys import signing_keys
    from tests.oauth.jwt import header

    kid = header(id_token)["kid"]
    SigningKey.objects.filter(kid=kid).update(state=SigningKey.State.RETIRED, retired_at=1)
    signing_keys.ensure_keys()

    response = ask(visitor, id_token_hint=id_token, post_logout_redirect_uri=BACK)

    assert response.headers["Location"] == BACK
    assert not is_signed_in(person)


@pytest.mark.requirement("E129", "SB-01")
@pytest.mark.parametrize(
    "changes",
    [
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": f"{BACK}/"},
        {"id_token_hint": "garbage"},
        {"id_token_hint": "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30."},
        {"client_id": "somebody-else"},
        {"state": "x" * 9000},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_wrong_request_leads_nowhere_and_offers_to_sign_out(
    visitor: Visitor, person: Any, id_token: str, changes: dict[str, str]
) -> None:
    good = {"id_token_hint": id_token, "post_logout_redirect_uri": BACK}

    page = ask(visitor, **{**good, **changes})
    still = is_signed_in(person)
    after = visitor.send(page)

    assert (page.status_code, still) == (400, True)
    assert "we do not lead you back" in page.text
    assert "Sign out here?" in page.text
    assert "Location" not in page.headers
    assert "Location" not in after.headers
    assert not is_signed_in(person)


@pytest.mark.requirement("E129", "ID-07")
def test_an_access_token_is_no_hint(app: App, visitor: Visitor, client: Any, person: Any) -> None:
    page = visitor.reach_consent(client, person, scope="openid patient/*.rs", redirect_uri=HTTPS)
    token = exchange(app, client, redirect_query(visitor.allow(page))["code"])["access_token"]

    assert ask(visitor, id_token_hint=token, post_logout_redirect_uri=BACK).status_code == 400
    assert is_signed_in(person)


@pytest.mark.requirement("ID-06", "SB-01")
@pytest.mark.parametrize(
    ("age", "counts"), [(600 * SECOND, True), (600 * SECOND + 1, False), (-CLOCK_SKEW, True), (-CLOCK_SKEW - 1, False)]
)
def test_what_an_app_asked_counts_for_ten_minutes_and_never_from_the_future(
    rf: Any, monkeypatch: pytest.MonkeyPatch, age: int, counts: bool
) -> None:
    now = clock.now()
    asked = signing.dumps({"at": now - age, "request": {"client_id": "app"}}, salt=rp_initiated_logout.SALT)
    monkeypatch.setattr(clock, "now", lambda: now)

    found = rp_initiated_logout._read_request(rf.get("/", {"asked": asked}))

    assert (found.client_id == "app") is counts


@pytest.mark.requirement("SB-01")
@pytest.mark.parametrize("salt", ["a logout that an app asks for", rp_initiated_logout.SALT], ids=["before", "now"])
@pytest.mark.parametrize(
    "left",
    [
        {"client_id": "app", "subject": "", "leads_to": BACK, "why": ""},
        {"at": "now", "request": {"client_id": "app"}},
        {"at": 1 << 62, "request": {"client_id": "app"}},
        {"at": None, "request": None},
        {"request": {"client_id": "app"}},
        [],
        "text",
    ],
    ids=["as before", "time as text", "never", "nothing", "no time", "list", "text"],
)
def test_what_another_version_signed_is_refused(rf: Any, salt: str, left: Any) -> None:
    asked = signing.dumps(left, salt=salt)

    assert rp_initiated_logout._read_request(rf.get("/", {"asked": asked})) == LogoutRequest()


@pytest.mark.requirement("SB-01")
def test_what_lacks_a_member_or_has_one_more_is_refused(rf: Any) -> None:
    for request in (["app"], {"client": "app"}, {"client_id": "app", "more": ""}):
        asked = signing.dumps({"at": clock.now(), "request": request}, salt=rp_initiated_logout.SALT)

        assert rp_initiated_logout._read_request(rf.get("/", {"asked": asked})) == LogoutRequest()


@pytest.mark.requirement("SB-01")
@pytest.mark.parametrize("made", ["", "x", "eyJsZWFkc190byI6Imh0dHBzOi8vZXZpbC5leGFtcGxlIn0:1u:x"])
def test_nobody_else_can_say_where_to_go(visitor: Visitor, person: Any, id_token: str, made: str) -> None:
    page = visitor.follow(visitor.request("GET", f"/o/logout/leave?asked={made}"))

    assert page.status_code == 200
    assert "Location" not in visitor.send(page).headers


@pytest.mark.requirement("ID-06", "E40")
def test_the_answer_needs_the_pages_own_token(visitor: Visitor, person: Any, id_token: str) -> None:
    response = visitor.request("POST", "/o/logout/leave", content="", headers=FORM)

    assert response.status_code == 403
    assert is_signed_in(person)


@pytest.mark.requirement("ID-06", "SCP-17", "E92")
def test_what_was_granted_for_the_session_ends_with_it(
    app: App, visitor: Visitor, client: Any, person: Any, id_token: str
) -> None:
    from oauth.ending import online_access
    from smart.digests import sha256_hex

    session = visitor.app.run(_session(visitor))
    authorization = Authorization.objects.get(client=client)
    Authorization.objects.filter(pk=authorization.pk).update(session_digest=sha256_hex(session[online_access.MARK]))

    ask(visitor, id_token_hint=id_token)

    authorization.refresh_from_db()
    assert authorization.ended_for == "signed-out"


async def _session(visitor: Visitor) -> dict[str, Any]:
    from asgiref.sync import sync_to_async

    from accounts.session_store import SessionStore

    key = visitor.browser.cookies["smartauth"]
    found: dict[str, Any] = await sync_to_async(lambda: SessionStore(key).load())()
    return found
