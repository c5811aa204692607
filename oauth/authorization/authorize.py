"""The authorization endpoint: reads the request, has it judged, and lets it wait for a person (RFC 6749 §4.1)."""

import logging
from dataclasses import replace
from http import HTTPStatus

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts import clock
from accounts.address import client_address
from accounts.sessions import signed_in_user
from oauth.authorization.error_page_details import error_page_details
from oauth.authorization.prompts import MUST_ACT, silent_refusal
from oauth.authorization.refusals import FAILED_HERE
from oauth.authorization.refused_request import refuse_request, require_room, stop
from oauth.authorization.request_cookie import store
from oauth.ehr_launch.handles import consume
from oauth.http import error_pages
from oauth.http.explanations import random_reference
from oauth.models import Client, FhirServer
from oauth.tokens import id_token
from smart.authorize.error_pages import Unredirectable
from smart.authorize.request import AuthorizationRequest, trusted_redirect_uri, validate_request
from smart.authorize.unvalidated_request import ClientPolicy
from smart.explanation import Explanation, explain_response
from smart.fhir.audience import is_same_audience
from smart.http import limits
from smart.http.errors import LoginRequired, OAuthError, ServerError, TemporarilyUnavailable
from smart.http.media_types import FORM
from smart.http.parameters import MalformedParameters, Parameters

log = logging.getLogger("smartauth.authorize")

METHODS = ("GET", "POST")


@csrf_exempt
def authorize(request: HttpRequest) -> HttpResponse:
    """RFC 6749 §4.1.1, by GET or by a POST from any site (AZ-02)."""
    if request.method not in METHODS:
        return _method_not_allowed(request)
    try:
        parameters = _parameters(request)
    except Unredirectable as refusal:
        return stop(request, refusal, {})
    client = Client.of(parameters.get("client_id", ""))
    allowed = _policy(client) if client else None
    try:
        redirect_uri = trusted_redirect_uri(parameters, allowed)
    except Unredirectable as refusal:
        explained = error_page_details(refusal, parameters, allowed, _bases())
        return stop(request, refusal, parameters, client, explained=explained)
    if client is None or allowed is None:
        raise AssertionError("trusted_redirect_uri() lets no unknown client through")
    return _judge_and_store(request, parameters, client, allowed, redirect_uri)


def _method_not_allowed(request: HttpRequest) -> HttpResponse:
    allowed, reference = ", ".join(METHODS), random_reference()
    response = error_pages.error_page(
        request, 405, "We stopped this request", error_pages.NOT_YOUR_FAULT, reference=reference
    )
    response["Allow"] = allowed
    why = Explanation("AZ-02", "only GET and POST are allowed here", request.method or "", allowed, case="E38")
    explain_response(response, replace(why, reference=reference))
    return response


def _parameters(request: HttpRequest) -> Parameters:
    query = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    if request.method == "POST" and request.content_type != FORM:
        sent = request.content_type or "no content type"
        raise Unredirectable("E37", "the body is not form-encoded", presented=sent, expected=FORM)
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    status = limits.size_refusal(query=len(query), body=length, body_limit=limits.MAX_AUTHORIZE_BODY)
    if status is not None:
        raise _unreadable(status)
    try:
        return Parameters.parse(request.body if request.method == "POST" else query)
    except MalformedParameters as error:
        raise _unreadable(HTTPStatus.BAD_REQUEST) from error


def _unreadable(status: HTTPStatus) -> Unredirectable:
    refusal = Unredirectable("E39", "the request cannot be read")
    refusal.status = status
    return refusal


def _policy(client: Client) -> ClientPolicy:
    return ClientPolicy(
        client_id=client.client_id,
        enabled=bool(client.enabled),
        native=client.application_type == Client.ApplicationType.NATIVE,
        grants=frozenset(client.grants.split()),
        redirect_uris=tuple(client.redirect_uris.split()),
        scope=client.scope,
        bases=tuple(client.fhir_servers.values_list("base", flat=True)),
        allows_missing_state=bool(client.allows_missing_state),
        refuses_unknown_scopes=bool(client.refuses_unknown_scopes),
        confidential=client.authentication != Client.Authentication.NONE,
        openid=client.profile == Client.Profile.OPENID,
    )


def _bases() -> dict[str, str]:
    return dict(FhirServer.objects.values_list("base", "version"))


def _judge_and_store(
    request: HttpRequest, parameters: Parameters, client: Client, allowed: ClientPolicy, redirect_uri: str
) -> HttpResponse:
    """Stores the request until its user comes, or tells the app what is wrong: at once, or after a login where nobody
    has approved the client (AZ-13)."""
    try:
        authorization_request = validate_request(
            parameters, allowed, _bases(), hinted_subject=_hinted_subject(parameters)
        )
        _refuse_silent_without_session(request, client, authorization_request)
        require_room(request)
        return _store(request, client, _fhir_server(authorization_request), authorization_request)
    except OAuthError as refusal:
        error = refusal
    except (OperationalError, InterfaceError):
        error = TemporarilyUnavailable(FAILED_HERE, rule="E42", case="E42")
    except Exception:  # whatever broke, the app is known and gets its answer (E42)
        log.exception("a request could not be judged")
        error = ServerError(FAILED_HERE, rule="E42", case="E42")
    return refuse_request(request, client, redirect_uri, parameters, error)


def _fhir_server(authorization_request: AuthorizationRequest) -> FhirServer:
    if authorization_request.openid:
        return FhirServer.userinfo()
    servers = FhirServer.objects.order_by("pk")
    return next(server for server in servers if is_same_audience(server.base, authorization_request.aud))


def _hinted_subject(parameters: Parameters) -> str:
    """The user that the app expects by an ID token that it got here itself, "" if it shows none such (E43).

    With an ID token of another app it could find out who is signed in, although nobody told it about that user.
    """
    hint = id_token.parse_hint(parameters["id_token_hint"]) if "id_token_hint" in parameters else None
    return hint.subject if hint and hint.client_id == parameters.get("client_id") else ""


def _refuse_silent_without_session(
    request: HttpRequest, client: Client, authorization_request: AuthorizationRequest
) -> None:
    """Answers at once where nobody is signed in, also in a frame that our cookies do not reach (E32).

    A POST of another site comes without the session's cookie: the next step knows whether somebody is signed in.
    """
    if (
        "none" in authorization_request.prompts
        and request.method == "GET"
        and client.approved
        and signed_in_user(request) is None
    ):
        raise LoginRequired(MUST_ACT, **silent_refusal("nobody is signed in"))


def _store(
    request: HttpRequest, client: Client, fhir_server: FhirServer, authorization_request: AuthorizationRequest
) -> HttpResponse:
    """Stored together with the launch that it uses up, so that no second request can have it (AZ-10)."""
    with transaction.atomic():
        launch = (
            consume(authorization_request.launch, client, fhir_server, now=clock.now())
            if authorization_request.launch
            else None
        )
        authorization_request = replace(authorization_request, launch="")  # only its digest lies in the database
        return store(
            client,
            fhir_server,
            authorization_request.redirect_uri,
            authorization_request.state,
            address=client_address(request),
            authorization_request=authorization_request,
            launch=launch,
        )
