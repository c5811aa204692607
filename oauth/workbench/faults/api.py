"""`/dev/introspection-faults`: makes introspection misbehave for one resource server for a while, in development."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request

from oauth.http.json_endpoint import JsonEndpoint
from oauth.http.json_members import Members, json_body, reject_unknown, required_text
from oauth.http.json_response import json_response
from oauth.models import Client
from oauth.workbench.faults import switch
from oauth.workbench.faults.switch import FIVE_MINUTES, LONGEST, CurrentFault
from smart.http.errors import InvalidRequest
from smartauth_probe.introspection_faults import introspection_faults

MEMBERS = ("resource_server", "fault", "seconds")


@csrf_exempt  # no form can send JSON or DELETE
def introspection_faults_api(request: HttpRequest) -> HttpResponseBase:
    """GET says what there is and what goes on, POST begins one, DELETE ends one."""
    if request.method in ("GET", "HEAD"):
        return json_response(HTTPStatus.OK, state())
    if request.method == "DELETE":
        switch.turn_off(request.GET.get("resource_server", ""))
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})
    return FaultsView.as_view()(request)


class FaultsView(JsonEndpoint):
    """POST of a fault and of who is to meet it."""

    rule = "SD-27"

    def post(self, request: Request) -> HttpResponseBase:
        asked = json_body(request)
        reject_unknown(asked, MEMBERS)
        return json_response(HTTPStatus.CREATED, begin(asked).as_json())


def state() -> dict[str, Any]:
    """Every fault, and who meets one now."""
    return {
        "faults": [fault.as_json() for fault in introspection_faults().values()],
        "current": [each.as_json() for each in switch.current_faults()],
    }


def begin(asked: Members) -> CurrentFault:
    """Switches it on, whatever went on before for this caller. Raises InvalidRequest."""
    resource_server, fault = required_text(asked, "resource_server"), required_text(asked, "fault")
    if fault not in introspection_faults():
        raise InvalidRequest(f"fault must be one of {', '.join(introspection_faults())}")
    known = resource_servers()
    if resource_server not in known:
        raise InvalidRequest(f"resource_server must be the client id of one: {', '.join(known) or 'there is none'}")
    return switch.turn_on(resource_server, fault, _seconds(asked))


def resource_servers() -> list[str]:
    """The client ids of all that may introspect."""
    found = Client.objects.filter(protects__isnull=False).distinct().order_by("client_id")
    return list(found.values_list("client_id", flat=True))


def _seconds(asked: Members) -> int:
    seconds = asked.get("seconds", FIVE_MINUTES)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= LONGEST:
        raise InvalidRequest(f"seconds must be a number from 1 to {LONGEST}")
    return seconds
