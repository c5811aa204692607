"""UserInfo (OIDC Core §5.3): who has signed in, told to the app that may know it, for the token in the header."""

from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts import clock
from accounts.models import User
from oauth.http.json_response import NO_STORE, json_response
from oauth.http.oauth_errors import database_unavailable, error_response
from oauth.models import AccessToken, liveness
from oauth.people import identities
from smart.digests import sha256_hex
from smart.explanation import Explanation, explain_response
from smart.http.bearer import bearer_challenge, bearer_credentials, is_bearer_token
from smart.http.cors import CLIENT_ID
from smart.http.errors import InsufficientScope, InvalidRequest, InvalidToken, OAuthError
from smart.openid import standard_claims
from smart.scopes.scope_sets import parse_scopes
from smart.tokens.liveness import ISSUED, RULES

METHODS = ("GET", "POST")
CHALLENGE = bearer_challenge("smartauth")


@csrf_exempt  # the token is the proof, a cookie is none
def userinfo(request: HttpRequest) -> HttpResponse:
    """GET and POST alike (ID-05). Raises nothing: every refusal is one of RFC 6750 §3.1."""
    if request.method not in METHODS:
        response = HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(METHODS)})
        explain_response(response, Explanation("ID-05", "only GET and POST are allowed here"))
        return response
    try:
        token = _bearer_token(request)
        return json_response(HTTPStatus.OK, _claims(request, token)) if token else _challenge()
    except OAuthError as error:
        return _error_response(error)
    except (OperationalError, InterfaceError):
        return _error_response(database_unavailable())


def _bearer_token(request: HttpRequest) -> str:
    """The token in the header or in a form (RFC 6750 §2.1, §2.2), "" for none. Raises InvalidRequest.

    One in the URL is never looked at (E127).
    """
    presented = bearer_credentials(request.headers.get("Authorization", ""))
    found = [*filter(None, [presented]), *request.POST.getlist("access_token")]
    if len(found) > 1:
        raise InvalidRequest("the access token was sent more than once", rule="AT-05", case="E128")
    if found and not is_bearer_token(found[0]):
        raise InvalidRequest("that is no access token, or more than one", rule="AT-05", case="E128")
    return found[0] if found else ""


def _claims(request: HttpRequest, token: str) -> dict[str, Any]:
    """The claims that were granted. Raises InvalidToken and InsufficientScope."""
    row = AccessToken.objects.select_related(*liveness.TOKEN_FACTS).filter(digest=sha256_hex(token)).first()
    reason = liveness.dead_reason(row, now=clock.now()) if row else None
    if row is None or reason:
        broken = RULES[reason] if reason else ISSUED
        words = "the access token is unknown, or has ended"
        raise InvalidToken(words, what=broken.broken, rule=broken.rule, case="E125")
    request.META[CLIENT_ID] = row.authorization.client.client_id
    user, scopes = row.authorization.user, parse_scopes(row.scope)
    if user is None or not standard_claims.has_openid(row.scope):
        raise InsufficientScope(
            "the scope openid was not granted", rule="ID-05", case="E126", presented=row.scope, expected="openid"
        )
    if not row.authorization.fhir_server.holds_records:  # what was granted, whatever profile the client has today
        return standard_claims.userinfo_claims(scopes, _account(user))
    return {"sub": user.subject, **(_at_fhir_server(row, user) if standard_claims.has_fhir_user(scopes) else {})}


def _account(user: User) -> standard_claims.Account:
    return standard_claims.Account(
        subject=user.subject,
        name=user.name,
        username=user.username,
        email=user.email,
        email_verified=bool(user.email_verified),
        given_name=user.given_name,
        family_name=user.family_name,
        locale=user.locale,
        updated_at=user.updated_at,
    )


def _at_fhir_server(row: AccessToken, user: User) -> dict[str, str]:
    server = row.authorization.fhir_server
    resource = identities.fhir_user(user, server)
    return {"fhirUser": f"{server.base}/{resource}"} if resource else {}


def _challenge() -> HttpResponse:
    """A request without a token hears what is wanted, and of no error (RFC 6750 §3.1)."""
    response = HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": CHALLENGE, **NO_STORE})
    explain_response(response, Explanation("AT-05", "no access token was sent in the header", case="E124"))
    return response


def _error_response(error: OAuthError) -> HttpResponse:
    challenge = {} if error.headers else {"WWW-Authenticate": f'{CHALLENGE}, error="{error.code}"'}
    return error_response(error, **challenge)
