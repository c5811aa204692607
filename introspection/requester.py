"""Who asks for an invalidation: an operator in the browser, or a resource server."""

from dataclasses import dataclass

from django.contrib import auth
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts import clock
from accounts.address import client_address
from accounts.models import User
from oauth.clients.json_callers import authenticate_confidential, has_client_credentials
from oauth.ending.selection import Actor
from oauth.http.credentials import AUTHENTICATION_FAILED, AuthenticatedClient
from oauth.http.json_endpoint import Forbidden
from smart.http.errors import InvalidClient


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: an operator, or a resource server."""

    actor: Actor
    operator: User | None = None
    client: AuthenticatedClient | None = None


def authenticate_requester(request: Request) -> Requester:
    """A resource server that proves itself, or an operator who is signed in. Raises InvalidClient or Forbidden."""
    now, address = clock.now(), client_address(request._request)
    if has_client_credentials(request):
        client = authenticate_confidential(request)
        return Requester(Actor(now=now, address=address, client_id=client.client_id), client=client)
    operator = _operator(request)
    return Requester(Actor(now=now, address=address, operator=operator.subject), operator=operator)


def _operator(request: Request) -> User:
    """Who is signed in, an operator, on a page of ours."""
    user = auth.get_user(request._request)
    if not isinstance(user, User):
        what = "nobody is signed in here, and no client proved itself"
        raise InvalidClient(AUTHENTICATION_FAILED, what=what, rule="CL-01", case="E111")
    try:
        SessionAuthentication().enforce_csrf(request)
    except PermissionDenied:
        raise Forbidden("the CSRF token is missing or wrong") from None
    if not user.is_staff:
        raise Forbidden("only operators and resource servers may end access")
    return user
