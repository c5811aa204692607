"""`/o/report`: a resource server reports the requests that it refused (SD-05, HI-08)."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts import clock
from accounts.address import client_address
from oauth.clients.json_callers import authenticate_confidential
from oauth.ending import reported_refusals
from oauth.ending.selection import Actor
from oauth.http.json_endpoint import JsonEndpoint
from oauth.http.json_members import Members, json_body, reject_unknown, required_text
from oauth.models import AccessToken, liveness
from smart.digests import sha256_hex
from smart.http.about_token import REPORTED, ReportedRefusal
from smart.http.bearer import MAX_TOKEN
from smart.http.errors import InvalidRequest

STATUSES = (401, 403, 404, 429)
MOST = 1000


class ReportView(JsonEndpoint):
    """204 whatever the token is: nobody learns here which tokens exist, or for which FHIR base."""

    rule = "HI-08"

    def post(self, request: Request) -> HttpResponseBase:
        resource_server = authenticate_confidential(request)
        members = json_body(request)
        reject_unknown(members, ("token", "status", "count"))
        presented = required_text(members, "token", MAX_TOKEN)
        status, count = _status(members), _count(members)
        tokens = AccessToken.objects.select_related(*liveness.TOKEN_FACTS)
        own = tokens.filter(authorization__fhir_server__resource_servers__client=resource_server.pk)
        digest = sha256_hex(presented)
        token = own.filter(digest=digest).first()
        base = token.authorization.fhir_server.base if token else ""
        request._request.META[REPORTED] = ReportedRefusal(digest, status, resource_server.client_id, base)
        if token is not None:
            address = client_address(request._request)
            actor = Actor(now=clock.now(), address=address, client_id=resource_server.client_id)
            reported_refusals.record_refusals(token, status, count, actor)
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


def _status(members: Members) -> int:
    status = members.get("status")
    if status is None:
        raise InvalidRequest("status is missing")
    if not isinstance(status, int) or status not in STATUSES:
        raise InvalidRequest(f"status must be the one that was answered: {', '.join(map(str, STATUSES))}")
    return status


def _count(members: Members) -> int:
    count = members.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MOST:
        raise InvalidRequest(f"count must be a number from 1 to {MOST}")
    return count
