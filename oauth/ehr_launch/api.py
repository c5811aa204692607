"""`/o/launch`: a producer's own EHR registers a launch and gets its handle (EL-02)."""

from http import HTTPStatus

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.address import client_address
from accounts.models import User
from oauth.clients.json_callers import authenticate_confidential, protected_fhir_server
from oauth.ehr_launch import handles
from oauth.http.json_endpoint import JsonEndpoint
from oauth.http.json_members import Members, json_body, required_text
from oauth.http.json_response import json_response
from oauth.models import Client, FhirIdentity, FhirServer
from smart.authorize.launch import Context, InvalidContext, parse_context
from smart.fhir.versions import resource_types
from smart.http.errors import InvalidRequest

ADDRESSED = ("client_id", "launch_url", "aud", "user", "fhirUser")
NOBODY = "is nobody who uses this FHIR base"


class LaunchView(JsonEndpoint):
    """POST of a resource server."""

    rule = "EL-02"

    def post(self, request: Request) -> HttpResponseBase:
        ehr = authenticate_confidential(request)
        members = json_body(request)
        fhir_server = protected_fhir_server(ehr, required_text(members, "aud"))
        client, user = _app(fhir_server, members), _user(fhir_server, members)
        url = _launch_url(client, members)
        context = _context(fhir_server, members)
        by = {"address": client_address(request._request), "reason": f"by {ehr.client_id}"}
        made_by = handles.launch_event(client, user, fhir_server, context, **by)
        try:
            made = handles.prepare(client, url, fhir_server, user, context, vouching=True, made_by=made_by)
        except InvalidContext as problem:
            raise InvalidRequest(str(problem)) from None
        answer = {"launch": made.handle, "launch_url": made.url, "expires_in": made.seconds}
        return json_response(HTTPStatus.CREATED, answer)


def _app(fhir_server: FhirServer, members: Members) -> Client:
    found = (
        handles.launchable_clients()
        .filter(client_id=required_text(members, "client_id"), fhir_servers=fhir_server)
        .first()
    )
    if found is None or not handles.safe_launch_urls(found):
        raise InvalidRequest("client_id is not an app with a launch URL for this FHIR base")
    return found


def _launch_url(client: Client, members: Members) -> str:
    """Where the app is opened: the registered address that the EHR names, else the first (EL-04)."""
    urls = handles.safe_launch_urls(client)
    named = required_text(members, "launch_url") if members.get("launch_url") is not None else urls[0]
    if named not in urls:
        raise InvalidRequest("launch_url is not registered for this app", rule="EL-04", presented=named)
    return named


def _user(fhir_server: FhirServer, members: Members) -> User:
    """Who uses the EHR, by user name or by fhirUser; it must be a user of the FHIR base."""
    if ("user" in members) == ("fhirUser" in members):
        raise InvalidRequest("either user or fhirUser must say who uses the EHR")
    there = FhirIdentity.objects.filter(fhir_server=fhir_server, user__suspended_at=0)
    if "user" in members:
        name, found = "user", there.filter(user__username=required_text(members, "user"))
    else:
        resource = required_text(members, "fhirUser").removeprefix(f"{fhir_server.base}/")
        name, found = "fhirUser", there.filter(resource=resource)
    known = list(found.select_related("user")[:2])
    if len(known) != 1:
        raise InvalidRequest(f"{name} is more than one user here; say user" if known else f"{name} {NOBODY}")
    return known[0].user


def _context(fhir_server: FhirServer, members: Members) -> Context:
    given = {name: value for name, value in members.items() if name not in ADDRESSED}
    try:
        return {**handles.default_context(), **parse_context(given, types=resource_types(fhir_server.version))}
    except InvalidContext as problem:
        raise InvalidRequest(str(problem)) from None
