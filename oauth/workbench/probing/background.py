"""One run of the probe at a time, in a thread beside the requests that it sends to this very server."""

from collections.abc import Sequence
from threading import Thread

from django.conf import settings

from accounts import clock
from oauth.models import FhirServer
from oauth.workbench.memory.probe_runs import ProbeRun, begin_run
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.probing.results import remember_check, remember_good_token
from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Check
from smartauth_probe.development_server import DevelopmentServer
from smartauth_probe.report.evidence import Evidence
from smartauth_probe.report.html import as_html
from smartauth_probe.report.report import Report
from smartauth_probe.runner import CheckResult, run
from smartauth_probe.target.client import Client, Limits, Stop
from smartauth_probe.target.discovery import CouldNotRun, prepare
from smartauth_probe.tokens.development import DevelopmentTokens
from smartauth_probe.tokens.source import TokenSource

LIMITS = Limits(whole=600.0)
STOPPED = "Somebody stopped it on its page"
FAILED = "The probe failed: what happened stands in the output of this server"


def begin_probe(server: FhirServer) -> ProbeRun:
    """A run with every check, begun now; while another one runs, that one."""
    checks, name = all_checks(), server.name_and_version
    begun, is_new = begin_run(server.base, name, total=len(checks), now=clock.now())
    if is_new:
        authority = DevelopmentServer(settings.SMARTAUTH_ISSUER)
        asked = TokenForm.beginning(server.base).sent
        source = DevelopmentTokens(authority, client=asked["client"], user=asked["user"], aud=server.base)
        Thread(target=probe_server, args=(begun, source, checks), name="probe", daemon=True).start()
    return begun


def probe_server(begun: ProbeRun, source: TokenSource, checks: Sequence[Check]) -> None:
    """Makes the checks; whatever happens, the run has a result at its end."""
    try:
        report = _report(begun, source, checks)
        begun.report = as_html(report)
        begun.title = report.title
    except (CouldNotRun, Stop) as reason:
        begun.title = f"The probe could not run: {reason}"
    finally:
        begun.title = begun.title or FAILED


def _report(begun: ProbeRun, source: TokenSource, checks: Sequence[Check]) -> Report:
    """Raises CouldNotRun, Stop."""

    def observe(made: CheckResult, number: int, total: int) -> None:
        begun.made, begun.total = number, total
        begun.failed += made.result.is_failed
        remember_check(begun.base, made)
        if begun.is_to_stop:
            raise Stop(STOPPED)

    probe = prepare(Client(begun.base, LIMITS), source)
    remember_good_token(probe)
    made = run(probe, list(checks), observe)
    return Report.about(probe, made, Evidence(probe.private))
