"""A cookie of its own opens a waiting request, in the browser that brought it, for as long as it waits."""

import secrets
from typing import Any

import pytest
from django.http import HttpResponse

from accounts import clock
from oauth.authorization import request_cookie
from oauth.authorization.pending_request import AlreadyAnswered, Expired
from oauth.authorization.request_cookie import COOKIE, NotInThisBrowser, load_pending
from oauth.models import PendingRequest
from smart.digests import sha256_hex
from smart.time_units import CLOCK_SKEW, SECOND
from tests.fixture_types import MakeClient, SetClock

URI = "https://app.example.org/callback"


@pytest.fixture
def moment(set_clock: SetClock) -> int:
    now = clock.now()
    set_clock(now)
    return now


@pytest.fixture
def stored(make_client: MakeClient, fhir_server: Any, settings: Any, moment: int) -> HttpResponse:
    """The answer that sends the browser to a request which was refused and waits for a login."""
    settings.SMARTAUTH_PENDING_REQUEST_SECONDS = 600
    return request_cookie.store(make_client(), fhir_server, URI, "state", address="198.51.100.77", refused="to the app")


def handle_of(response: HttpResponse) -> str:
    return response["Location"].removeprefix("/o/authorize/")


def row_of(response: HttpResponse) -> Any:
    return PendingRequest.objects.get(handle_digest=sha256_hex(handle_of(response)))


def request_with(rf: Any, cookie: str | None) -> Any:
    request = rf.get("/")
    request.COOKIES = {} if cookie is None else {COOKIE: cookie}
    return request


@pytest.mark.requirement("AZ-20")
def test_a_request_is_stored_as_digests_and_its_cookie_goes_to_its_own_address_alone(
    stored: HttpResponse, moment: int
) -> None:
    row, cookie = row_of(stored), stored.cookies[COOKIE]

    assert (stored.status_code, stored["Cache-Control"]) == (303, "no-store")
    assert row.cookie_digest == sha256_hex(cookie.value)
    assert min(len(handle_of(stored)), len(cookie.value)) >= 43
    assert (row.created_at, row.expires_at, row.answered_at) == (moment, moment + 600 * SECOND, 0)
    assert row.caller_network == "198.51.100.77"
    assert (cookie["path"], cookie["max-age"]) == (stored["Location"], 600 + 3600)
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.requirement("AZ-20")
def test_the_cookie_is_as_secure_as_that_of_a_session(stored: HttpResponse, settings: Any) -> None:
    assert bool(stored.cookies[COOKIE]["secure"]) is settings.SESSION_COOKIE_SECURE
    settings.SESSION_COOKIE_SECURE = not settings.SESSION_COOKIE_SECURE
    again = request_cookie._redirect_with_cookie("/o/authorize/x", "cookie")
    assert bool(again.cookies[COOKIE]["secure"]) is settings.SESSION_COOKIE_SECURE


@pytest.mark.requirement("AZ-20")
def test_with_its_cookie_the_request_is_there_with_what_belongs_to_it(stored: HttpResponse, rf: Any) -> None:
    handle = handle_of(stored)

    pending = load_pending(request_with(rf, stored.cookies[COOKIE].value), handle)

    assert (pending.handle, pending.redirect_uri, pending.state) == (handle, URI, "state")
    assert (pending.refused, pending.authorization_request) == ("to the app", None)
    assert pending.row == row_of(stored)


@pytest.mark.requirement("AZ-20", "E40")
@pytest.mark.parametrize("cookie", [None, "", "another"])
def test_without_its_cookie_nobody_learns_that_a_request_waits(
    stored: HttpResponse, rf: Any, cookie: str | None
) -> None:
    PendingRequest.objects.filter(pk=row_of(stored).pk).update(answered_at=1)

    with pytest.raises(NotInThisBrowser):
        load_pending(request_with(rf, cookie), handle_of(stored))
    with pytest.raises(NotInThisBrowser):
        load_pending(request_with(rf, stored.cookies[COOKIE].value), secrets.token_hex(8))


@pytest.mark.requirement("AZ-20", "PR-08")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"expires_at": 1}, None),
        ({"expires_at": 0}, Expired),
        ({"created_at": CLOCK_SKEW}, None),
        ({"created_at": CLOCK_SKEW + 1}, Expired),
        ({"answered_at": 0, "expires_at": 0}, AlreadyAnswered),
    ],
    ids=["the last moment", "too late", "as far ahead as clocks may be", "further ahead", "answered"],
)
def test_a_request_is_open_from_its_beginning_to_its_end(
    stored: HttpResponse, rf: Any, moment: int, changes: dict[str, int], error: Any
) -> None:
    changes = {name: moment + offset for name, offset in changes.items()}
    PendingRequest.objects.filter(pk=row_of(stored).pk).update(**changes)
    request = request_with(rf, stored.cookies[COOKIE].value)

    if error is None:
        assert load_pending(request, handle_of(stored)).row.pk == row_of(stored).pk
    else:
        with pytest.raises(error) as refused:
            load_pending(request, handle_of(stored))
        assert refused.value.pending.row.pk == row_of(stored).pk
