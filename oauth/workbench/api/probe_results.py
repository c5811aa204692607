"""`/dev/probe/results`, in development only: the probe says with what result it ran from a shell."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request

from accounts import clock
from oauth.http.json_endpoint import JsonEndpoint
from oauth.http.json_members import Members, json_body, reject_unknown, required_text
from oauth.models import FhirServer
from oauth.workbench.memory.probe_results import ProbeResult, remember_probe
from oauth.workbench.memory.results import GOOD, Result, remember_result
from smart.fhir.audience import canonical_url
from smart.http.errors import InvalidRequest
from smart.time_units import SECOND
from smartauth_probe.catalogue import kinds
from smartauth_probe.checks.check import Outcome as OfCheck
from smartauth_probe.report.report import result_title
from smartauth_probe.verdict import Outcome

MEMBERS = ("server", "seconds", "chosen", "counts", "failed", "answers", "stopped")
MOST_CHECKS, DAY = 10_000, 86_400
LEAST_STATUS, HIGHEST_STATUS = 100, 599
NAME = re.compile(r"[a-z0-9-]{1,64}")


@csrf_exempt  # no form can send JSON
def probe_results(request: HttpRequest) -> HttpResponseBase:
    """POST tells of a run."""
    return ProbeResultsView.as_view()(request)


class ProbeResultsView(JsonEndpoint):
    """POST of numbers and names of checks. Nobody is asked who they are: only this machine is answered."""

    rule = "SD-27"

    def post(self, request: Request) -> HttpResponseBase:
        members = json_body(request)
        reject_unknown(members, MEMBERS)
        base = _registered_base(required_text(members, "server"))
        result, answers = _result(members), _answers(members)
        remember_probe(base, result)
        _remember_answers(base, answers, result.failed)
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})


def _registered_base(server: str) -> str:
    base = canonical_url(server)
    if FhirServer.of(base) is None:
        raise InvalidRequest("server is no FHIR server that is registered here")
    return base


def _result(members: Members) -> ProbeResult:
    """The numbers in words of ours. Raises InvalidRequest."""
    counts, failed = _counts(members), _failed(members)
    chosen, seconds = _number(members, "chosen", MOST_CHECKS), _number(members, "seconds", DAY)
    stopped, made = members.get("stopped"), sum(counts.values())
    if not isinstance(stopped, bool):
        raise InvalidRequest("stopped must be true or false")
    if not 0 < made <= chosen or len(failed) != counts[OfCheck.FAILED]:
        raise InvalidRequest("counts must be of some checks, not more than chosen, and as many failed as failed names")
    title = result_title(made, chosen, failed=len(failed), passed=counts[OfCheck.PASSED], is_stopped=stopped)
    return ProbeResult(clock.now() - seconds * SECOND, title, failed)


def _counts(members: Members) -> Mapping[str, int]:
    counts, names = members.get("counts"), [outcome.value for outcome in OfCheck]
    if not isinstance(counts, dict) or set(counts) != set(names):
        raise InvalidRequest(f"counts must be an object with {', '.join(names)}")
    return {name: _number(counts, name, MOST_CHECKS) for name in names}


def _failed(members: Members) -> tuple[str, ...]:
    names = members.get("failed")
    if not isinstance(names, list) or not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise InvalidRequest("failed must be a list of names of checks")
    return tuple(names)


def _answers(members: Members) -> Mapping[str, int]:
    """The status that each kind got; a kind of another version is left out. Raises InvalidRequest."""
    answers = members.get("answers")
    if not isinstance(answers, dict):
        raise InvalidRequest("answers must be an object of kinds and statuses")
    statuses = {name: _number(answers, name, HIGHEST_STATUS, LEAST_STATUS) for name in answers if name in kinds()}
    return statuses


def _number(members: Mapping[str, Any], name: str, most: int, least: int = 0) -> int:
    number = members.get(name)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise InvalidRequest(f"{name} must be a number from {least} to {most}")
    return number


def _remember_answers(base: str, answers: Mapping[str, int], failed: tuple[str, ...]) -> None:
    """As results of these kinds; the probe begins only where a good token is let in."""
    now = clock.now()
    remember_result(base, GOOD, Result(HTTPStatus.OK, Outcome.PASSED, "The probe was let in", None, now))
    for kind, status in answers.items():
        outcome = Outcome.FAILED if kind in failed else Outcome.PASSED
        remember_result(base, kind, Result(status, outcome, f"It answered {status} to the probe", None, now))
