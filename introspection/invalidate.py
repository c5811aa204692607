"""`/o/invalidate`: an operator ends what they name, a resource server what belongs to its FHIR bases (SD-05, RV-08)."""

from collections.abc import Sequence

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.models import User
from introspection.invalidation_target import NAMING, Target, parse_target
from introspection.requester import Requester, authenticate_requester
from oauth.ending import access
from oauth.ending.people import require_sign_in_and_end, suspend_all
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Ended
from oauth.http.json_endpoint import Forbidden, JsonEndpoint
from oauth.http.json_members import Members, json_body, reject_unknown, required_text
from oauth.http.json_response import json_response
from oauth.models import Authorization, Client, liveness
from smart.http.errors import InvalidRequest

LOGIN, OPERATOR = "login", "operator"
LOCKS = (LOGIN, OPERATOR)
OF_OPERATORS = {User: EndedFor.PERSON_ENDED, Client: EndedFor.CLIENT_ENDED}


class InvalidateView(JsonEndpoint):
    """What was granted before the answer is dead when it arrives. An unknown target reads like nothing to end."""

    rule = "SD-05"

    def post(self, request: Request) -> HttpResponseBase:
        requester = authenticate_requester(request)
        members = json_body(request)
        reject_unknown(members, (*NAMING, "aud", "lock"))
        _reject_nulls(request, members)
        target, lock = parse_target(members, requester.client), _requested_lock(members, requester)
        if lock:
            people, ended = _apply_lock(target, lock, requester)
        else:
            people, ended = (), access.end(target.selection, requester.actor, _reason(target, requester))
        counts = {"authorizations": ended.authorizations, "access_tokens": ended.access_tokens}
        return json_response(200, {**counts, **({"lock": lock} if people else {})})


def _reject_nulls(request: Request, members: Members) -> None:
    """A null among what names the target would silently end more than was meant."""
    for name, value in dict(request.data).items():
        if members and value is None:
            raise InvalidRequest(f"{name[:40]} is null: leave it out, or say it")


def _requested_lock(members: Members, requester: Requester) -> str:
    """What `lock` says: sign in again, or wait for an operator; "" for neither. Raises InvalidRequest or Forbidden."""
    if "lock" not in members:
        return ""
    lock = required_text(members, "lock")
    if lock not in LOCKS:
        raise InvalidRequest("lock must be login or operator")
    if not {"sub", "fhirUser"} & members.keys():
        raise InvalidRequest("lock needs the person: sub or fhirUser")
    if lock == OPERATOR and requester.operator is None:
        raise Forbidden("only an operator may suspend people")
    return lock


def _people_named(target: Target, requester: Requester) -> Sequence[User]:
    """Those that `lock` may be about: of a resource server those with access at its bases, of nobody themselves."""
    if requester.operator in target.people:
        raise InvalidRequest("you cannot lock yourself")
    if requester.client is None:
        return target.people
    own = liveness.usable(Authorization.objects.filter(fhir_server__resource_servers__client=requester.client.pk))
    having = set(own.filter(user__in=target.people).values_list("user", flat=True))
    return tuple(user for user in target.people if user.pk in having)


def _apply_lock(target: Target, lock: str, requester: Requester) -> tuple[Sequence[User], Ended]:
    """Who is suspended or must sign in again, and how much ends."""
    people, actor = _people_named(target, requester), requester.actor
    if lock == OPERATOR:
        return people, suspend_all(people, actor)
    return people, require_sign_in_and_end(people, target.selection, actor, _reason(target, requester))


def _reason(target: Target, requester: Requester) -> EndedFor:
    if requester.client is not None:
        return EndedFor.INVALIDATED
    whole = target.selection.everything_of
    return EndedFor.OPERATOR if whole is None else OF_OPERATORS[type(whole)]
