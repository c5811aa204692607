"""`/dev/tokens` and `/dev/tokens/kinds`: good and bad tokens for tests in any language, in development only."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from oauth.http.json_endpoint import JsonEndpoint
from oauth.http.json_members import json_body, reject_unknown
from oauth.http.json_response import json_response
from oauth.workbench.minting.good_token import CannotMint
from oauth.workbench.orders.members import about_order, create_from_members
from oauth.workbench.orders.order import InvalidOrder
from smart.http.about_token import ABOUT_TOKEN
from smart.http.errors import InvalidRequest, OAuthError
from smartauth_probe.catalogue import groups
from smartauth_probe.token_order import MEMBERS


class CannotMintHere(OAuthError):
    """Not made for this client and FHIR server, whatever else is asked: a test of it is skipped."""

    code = "cannot_mint"


class TokensView(JsonEndpoint):
    """POST of what the token is to be. Nobody is asked who they are: only this machine is answered in development."""

    rule = "SD-27"

    def post(self, request: Request) -> HttpResponseBase:
        asked = json_body(request)
        reject_unknown(asked, tuple(MEMBERS))
        try:
            made = create_from_members(asked)
            request._request.META[ABOUT_TOKEN] = about_order(asked, made)
        except InvalidOrder as problem:
            raise InvalidRequest(f"{problem.option}: {problem}" if problem.option else str(problem)) from None
        except CannotMint as problem:
            raise CannotMintHere(f"such a token cannot be made here: {problem}") from None
        return json_response(HTTPStatus.CREATED, made.as_json())


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
