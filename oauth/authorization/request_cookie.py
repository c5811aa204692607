"""The browser that brought a request, and no other, may go on with it: a cookie opens its URL (AZ-20, E40)."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.rows import only_row
from oauth.authorization.pending_request import AlreadyAnswered, Expired, Pending, stored_request
from oauth.models import Client, FhirServer, Launch, PendingRequest
from oauth.models.pending_requests import COOKIE_GRACE_SECONDS
from smart.authorize.request import AuthorizationRequest
from smart.digests import random_token, sha256_hex
from smart.http.addresses import caller_network
from smart.time_units import SECOND, has_begun

COOKIE = "__Secure-smartauth-request" if settings.SESSION_COOKIE_SECURE else "smartauth-request"


class NotInThisBrowser(Exception):
    """No such request waits in this browser."""


def store(
    client: Client,
    fhir_server: FhirServer,
    redirect_uri: str,
    state: str,
    *,
    address: str,
    authorization_request: AuthorizationRequest | None = None,
    refused: str = "",
    launch: Launch | None = None,
) -> HttpResponse:
    """Stores the request and sends the browser to its own URL, with the cookie that opens it."""
    handle, cookie, now = random_token(), random_token(), clock.now()
    PendingRequest.objects.create(
        handle_digest=sha256_hex(handle),
        cookie_digest=sha256_hex(cookie),
        client=client,
        fhir_server=fhir_server,
        request=stored_request(redirect_uri, state, authorization_request, refused),
        launch=launch,
        created_at=now,
        expires_at=now + settings.SMARTAUTH_PENDING_REQUEST_SECONDS * SECOND,
        caller_network=caller_network(address),
    )
    return _redirect_with_cookie(f"/o/authorize/{handle}", cookie)


def _redirect_with_cookie(path: str, cookie: str) -> HttpResponse:
    response = HttpResponse(status=303, headers={"Location": path, "Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=settings.SMARTAUTH_PENDING_REQUEST_SECONDS + COOKIE_GRACE_SECONDS,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def load_pending(request: HttpRequest, handle: str) -> Pending:
    """The request of that URL. Raises NotInThisBrowser without its cookie, AlreadyAnswered or Expired if it is over."""
    rows = PendingRequest.objects.select_related("client", "fhir_server", "user", "launch")
    row = only_row(rows.filter(handle_digest=sha256_hex(handle)))
    shown = sha256_hex(request.COOKIES.get(COOKIE, ""))
    if row is None or not hmac.compare_digest(row.cookie_digest, shown):
        raise NotInThisBrowser
    pending = Pending.of(row, handle)
    if row.answered_at:
        raise AlreadyAnswered(pending)
    if row.expires_at <= clock.now() or not has_begun(row.created_at, now=clock.now()):
        raise Expired(pending)
    return pending
