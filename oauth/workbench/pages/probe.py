"""`/dev/probe`, in development only: a bundled FHIR server is probed, and the report opens when it is done."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from accounts import clock
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_within
from oauth.workbench.memory.probe_runs import ProbeRun, probe_run
from oauth.workbench.orders.own_servers import bundled_servers
from oauth.workbench.probing.background import begin_probe
from smart.time_units import to_datetime
from smartauth_probe.report.html import content_security_policy

ALONE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Leads to the page of the run: a new one, or the one that runs already."""
    server = next((each for each in bundled_servers() if each.base == request.POST.get("server")), None)
    if server is None:
        raise Http404
    return redirect_within(begin_probe(server).address)


@require_safe
def probe_page(request: HttpRequest, number: int) -> HttpResponse:
    """How far it is; the report, once it is written."""
    run = _run(number)
    if run.report:
        return _report_page(run)
    now = to_datetime(clock.now()).strftime("%H:%M:%S")
    return private_page(request, "dev_probe.html", {"run": run, "now": now})


@require_POST
def stop(request: HttpRequest, number: int) -> HttpResponse:
    """After the check that is being made."""
    run = _run(number)
    run.is_to_stop = True
    return redirect_within(run.address)


def _run(number: int) -> ProbeRun:
    run = probe_run(number)
    if run is None:
        raise Http404
    return run


def _report_page(run: ProbeRun) -> HttpResponse:
    """As `smartauth probe --html` writes it, under a policy that allows its own style and nothing else."""
    policy = f"{content_security_policy()}; {ALONE}"
    return HttpResponse(run.report, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})
