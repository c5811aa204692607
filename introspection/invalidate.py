"""`/o/invalidate`: an operator ends what he names, a resource server what belongs to its FHIR bases (SD-05, RV-08)."""

from dataclasses import dataclass

from django.contrib import auth
from django.db import transaction
from django.http.response import HttpResponseBase
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts import clock
from accounts.address import client_address
from accounts.models import User
from introspection.invalidation_target import NAMING, Target, parse_target
from oauth.clients.json_callers import authenticate_confidential, has_client_credentials
from oauth.ending import access
from oauth.ending.access import Actor, Ended
from oauth.ending.people import require_sign_in, suspend
from oauth.ending.reasons import EndedFor
from oauth.http.credentials import AUTHENTICATION_FAILED, AuthenticatedClient
from oauth.http.json_endpoint import Forbidden, JsonEndpoint
from oauth.http.json_members import Members, json_body, reject_unknown, required_text
from oauth.http.json_response import json_response
from oauth.models import Authorization, Client, liveness
from smart.http.errors import InvalidClient, InvalidRequest

LOGIN, OPERATOR = "login", "operator"
LOCKS = (LOGIN, OPERATOR)
OF_OPERATORS = {User: EndedFor.PERSON_ENDED, Client: EndedFor.CLIENT_ENDED}


class InvalidateView(JsonEndpoint):
    """What was granted before the answer is dead when it arrives. Who or what is unknown reads like nothing to end."""

    def post(self, request: Request) -> HttpResponseBase:
        asker = _requester(request)
        asked = json_body(request)
        reject_unknown(asked, (*NAMING, "aud", "lock"))
        _reject_nulls(request, asked)
        found, lock = parse_target(asked, asker.client), _lock(asked, asker)
        with transaction.atomic():
            locked = _lockable(found, asker) if lock else ()
            ended = _suspend(locked, asker.actor) if lock == OPERATOR else _end(found, locked, asker)
        counts = {"authorizations": ended.authorizations, "access_tokens": ended.access_tokens}
        return json_response(200, {**counts, **({"lock": lock} if locked else {})})


def _reject_nulls(request: Request, asked: Members) -> None:
    """A null among what says whose access ends would silently end more than was meant."""
    for name, value in dict(request.data).items():
        if asked and value is None:
            raise InvalidRequest(f"{name[:40]} is null: leave it out, or say it")


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: an operator, or a resource server."""

    actor: Actor
    operator: User | None = None
    client: AuthenticatedClient | None = None


def _requester(request: Request) -> Requester:
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
        raise InvalidClient(AUTHENTICATION_FAILED)
    try:
        SessionAuthentication().enforce_csrf(request)
    except PermissionDenied:
        raise Forbidden("the CSRF token is missing or wrong") from None
    if not user.is_staff:
        raise Forbidden("only operators and resource servers may end access")
    return user


def _lock(asked: Members, asker: Requester) -> str:
    if "lock" not in asked:
        return ""
    lock = required_text(asked, "lock")
    if lock not in LOCKS:
        raise InvalidRequest("lock must be login or operator")
    if not {"sub", "fhirUser"} & asked.keys():
        raise InvalidRequest("lock needs the person: sub or fhirUser")
    if lock == OPERATOR and asker.operator is None:
        raise Forbidden("only an operator may lock until an operator's word")
    return lock


def _lockable(found: Target, asker: Requester) -> tuple[User, ...]:
    """Whom the asker may lock: a resource server only who has access at its own bases. Never the asker."""
    if asker.operator in found.people:
        raise InvalidRequest("you cannot lock yourself")
    if asker.client is None:
        return found.people
    own = liveness.usable(Authorization.objects.filter(fhir_server__resource_servers__client=asker.client.pk))
    having = set(own.filter(user__in=found.people).values_list("user", flat=True))
    return tuple(user for user in found.people if user.pk in having)


def _suspend(locked: tuple[User, ...], actor: Actor) -> Ended:
    """All access of these people, until an operator lets them in."""
    return sum((suspend(user, actor) for user in locked), Ended())


def _end(found: Target, locked: tuple[User, ...], asker: Requester) -> Ended:
    for user in locked:
        require_sign_in(user, asker.actor)
    if asker.client is not None:
        return access.end(found.selection, asker.actor, EndedFor.INVALIDATED)
    whole = found.selection.everything_of
    reason = EndedFor.OPERATOR if whole is None else OF_OPERATORS[type(whole)]
    return access.end(found.selection, asker.actor, reason)
