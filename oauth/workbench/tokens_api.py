"""`/dev/tokens` and `/dev/tokens/kinds`: good and bad tokens for tests in any language, in development only."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from oauth.http.json_endpoint import JsonEndpoint
from oauth.http.json_members import Members, json_body, reject_unknown, required_text
from oauth.http.json_response import json_response
from oauth.workbench.backend_token import issue_to_backend
from oauth.workbench.changes import parse_changes
from oauth.workbench.good_token import CannotMint
from oauth.workbench.hand_out import HandedOut, hand_out
from oauth.workbench.minted_kinds import MINTED_KIND
from oauth.workbench.order import NO_PATIENT, InvalidOrder, find_client, parse_order
from smart.http.about_token import ABOUT_TOKEN
from smart.http.errors import InvalidRequest, OAuthError
from smartauth_probe.catalogue import groups

TEXTS = ("client", "user", "patient", "scope", "aud", "bad", "listener")
CHANGES = ("claims", "without", "header", "lifetime")


class CannotMintHere(OAuthError):
    """Not made for this client and FHIR server, whatever else is asked: a test of it is skipped."""

    code = "cannot_mint"


class TokensView(JsonEndpoint):
    """POST of what the token is to be. Nobody is asked who they are: only this machine is answered in development."""

    rule = "SD-27"

    def post(self, request: Request) -> HttpResponseBase:
        asked = json_body(request)
        reject_unknown(asked, (*TEXTS, *CHANGES))
        try:
            made = ordered_token(asked)
            request._request.META[ABOUT_TOKEN] = about_order(asked, made)
        except InvalidOrder as problem:
            raise InvalidRequest(f"{problem.option}: {problem}" if problem.option else str(problem)) from None
        except CannotMint as problem:
            raise CannotMintHere(f"such a token cannot be made here: {problem}") from None
        return json_response(HTTPStatus.CREATED, made.as_json())


def about_order(asked: Members, made: HandedOut) -> dict[str, str]:
    """Client, person, FHIR server and patient of the token, and its kind where it is a bad one."""
    known = {"client_id": str(asked["client"]), "username": str(asked.get("user", ""))}
    kind = {MINTED_KIND: made.kind.name} if made.kind else {}
    return {**known, "aud": made.server.base, "patient": made.patient, **kind}


def ordered_token(asked: Members) -> HandedOut:
    """The token that these members ask for, for every door in development. Raises InvalidOrder, CannotMint."""
    if not settings.SMARTAUTH_DEV:
        raise CannotMint("tokens are given away like this in development only")
    without_patient = asked.get("patient") == NO_PATIENT
    named = [name for name in TEXTS if name in asked and not (name == "patient" and without_patient)]
    texts = {name: required_text(asked, name) for name in named}
    client, changes = find_client(required_text(asked, "client")), parse_changes(asked)
    scope, aud, bad = texts.get("scope"), texts.get("aud"), texts.get("bad", "")
    if "user" in texts:
        patient = NO_PATIENT if without_patient else texts.get("patient")
        order = parse_order(client, texts["user"], scope, aud, patient)
        return hand_out(order, changes, bad=bad, listener=texts.get("listener", ""))
    if bad or changes:
        raise InvalidOrder("A token that is bad or changed is made for a person.", "user")
    return issue_to_backend(client, scope, aud)


@csrf_exempt  # a POST is answered 405, not 403
@require_safe
def token_kinds(request: HttpRequest) -> HttpResponse:
    """The catalogue, as a client of `/dev/tokens` needs it."""
    return json_response(HTTPStatus.OK, catalogue())


def catalogue() -> dict[str, Any]:
    """All kinds in their groups."""
    return {
        "groups": [
            {"title": group.title, "sentence": group.sentence, "kinds": [kind.as_json() for kind in group.kinds]}
            for group in groups()
        ]
    }
