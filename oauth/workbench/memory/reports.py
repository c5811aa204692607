"""What FHIR servers report that they refused counts as what they answered: in development, in memory."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from accounts import clock
from oauth.models import FhirServer
from oauth.workbench.memory.minted_kinds import kind_of
from oauth.workbench.memory.results import Result, remember_result
from smart.http.about_token import REPORTED, ReportedRefusal
from smartauth_probe.catalogue import kinds
from smartauth_probe.verdict import Outcome

OTHER_PATIENT = "patient-other"
REPORTED_BY_IT = "Your server reported that it refused it"


def remember_report(request: HttpRequest, response: HttpResponse, took: int) -> None:
    """A report about a bad token of ours, or of a record that was hidden from a good one, is a result of that kind."""
    reported: ReportedRefusal | None = request.META.get(REPORTED)
    if reported is None or response.status_code != HTTPStatus.NO_CONTENT:
        return
    kind, base = _kind(reported), reported.base or _only_base(reported.reporter)
    if kind and base:
        result = Result(reported.status, Outcome.PASSED, REPORTED_BY_IT, was_asked=True, at=clock.now())
        remember_result(base, kind, result)


def _kind(reported: ReportedRefusal) -> str:
    """The kind that was answered rightly by it, "" for none: what else was wrong there is seen by sending one."""
    name = kind_of(reported.digest)
    if name in kinds():
        return name if kinds()[name].answer.is_met_by(reported.status) else ""
    return OTHER_PATIENT if reported.base and reported.status == HTTPStatus.NOT_FOUND else ""


def _only_base(client_id: str) -> str:
    """Of a token that we do not know, such as a forged one, it tells nothing where one client asks for several."""
    bases = FhirServer.objects.filter(resource_servers__client__client_id=client_id).values_list("base", flat=True)[:2]
    return bases[0] if len(bases) == 1 else ""
