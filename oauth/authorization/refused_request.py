"""How a request ends that is refused before it waits: on a page, or with an error for its app (AZ-06, AZ-13)."""

from collections.abc import Mapping
from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.address import client_address
from oauth.authorization.events import record_refused_request
from oauth.authorization.pending_request import waiting_count
from oauth.authorization.request_cookie import store
from oauth.http import error_pages
from oauth.http.explanations import error_uri, random_reference, with_reference
from oauth.http.redirects import redirect_to_app
from oauth.models import Client, FhirServer
from smart.authorize.error_pages import Unredirectable
from smart.clients.redirect_uris import error_redirect
from smart.explanation import explain_response
from smart.http.errors import OAuthError, ServerError, TemporarilyUnavailable

CROWDED = "too many requests of this address wait for an answer, try again in a few minutes"
LATER = "Many requests of your network wait for an answer. Open the app again in a few minutes."


class TooManyWaiting(TemporarilyUnavailable):
    """Requests of this address fill all the room that one address has."""


def require_room(request: HttpRequest) -> None:
    """One network may let so many requests wait: one that sends more stores nothing. Raises TooManyWaiting."""
    if waiting_count(client_address(request), now=clock.now()) >= settings.SMARTAUTH_PENDING_REQUESTS:
        raise TooManyWaiting(CROWDED, rule="AZ-13")


def stop(
    request: HttpRequest,
    refusal: Unredirectable,
    parameters: Mapping[str, str],
    client: Client | None = None,
    **parts: object,
) -> HttpResponse:
    """The page of a request that goes nowhere, and its event."""
    reference, app = random_reference(), str(client) if client and client.enabled else ""
    record_refused_request(request, refusal.explanation, reference, parameters, client)
    return error_pages.stopped_page(request, refusal, app, reference=reference, **parts)


def refuse_request(
    request: HttpRequest, client: Client, redirect_uri: str, parameters: Mapping[str, str], error: OAuthError
) -> HttpResponse:
    """Tells the app what is wrong: at once, or after a login where nobody has approved the client (AZ-13)."""
    explanation = with_reference(replace(error.explanation, reference=random_reference()))
    if not _is_failure_of_ours(error):
        record_refused_request(request, explanation, explanation.reference, parameters, client)
    state = parameters.get("state", "")
    answer = error_redirect(redirect_uri, error, state, settings.SMARTAUTH_ISSUER, error_uri(explanation))
    if client.approved:
        response = redirect_to_app(answer, after_form=False)
        explain_response(response, explanation)
        return response
    try:
        require_room(request)
    except TooManyWaiting:
        return _crowded_page(request, explanation.reference)
    anywhere = client.fhir_servers.first() or FhirServer.userinfo()
    return store(client, anywhere, redirect_uri, state, address=client_address(request), refused=answer)


def _crowded_page(request: HttpRequest, reference: str) -> HttpResponse:
    lead = error_pages.NOTHING_SHARED
    page = error_pages.error_page(request, 503, "Too many requests", lead, advice=LATER, reference=reference)
    page["Retry-After"] = str(settings.SMARTAUTH_PENDING_REQUEST_SECONDS)
    return page


def _is_failure_of_ours(error: OAuthError) -> bool:
    """Such a one stands in the log with its trace, and a database that fails takes no event."""
    return isinstance(error, ServerError | TemporarilyUnavailable) and not isinstance(error, TooManyWaiting)
