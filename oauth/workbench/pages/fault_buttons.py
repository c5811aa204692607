"""The buttons of `/dev/tokens` that let introspection misbehave, and end it, in development only."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from oauth.http.redirects import redirect_within
from oauth.models import Client, FhirServer
from oauth.workbench.faults import switch
from oauth.workbench.faults.switch import FIVE_MINUTES
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.pages.catalogue import catalogue_page
from smartauth_probe.introspection_faults import introspection_faults

PAGE = "/dev/tokens"
NO_FAULT = "There is no such fault."
NOBODY_ASKS = "Choose a FHIR server that introspects."


@require_POST
def begin_fault(request: HttpRequest) -> HttpResponse:
    """Every resource server of the chosen FHIR server, or of all that the client may reach, meets it for a while."""
    form, fault = TokenForm.of(request.POST), request.POST.get("fault", "")
    if fault not in introspection_faults():
        return catalogue_page(request, form, problem=NO_FAULT, field="fault")
    callers = _resource_servers(form)
    if not callers:
        return catalogue_page(request, form, problem=NOBODY_ASKS, field="aud")
    for resource_server in callers:
        switch.turn_on(resource_server, fault, FIVE_MINUTES)
    return redirect_within(PAGE)


@require_POST
def end_fault(request: HttpRequest) -> HttpResponse:
    """That resource server gets right answers again."""
    switch.turn_off(request.POST.get("resource_server", ""))
    return redirect_within(PAGE)


def _resource_servers(form: TokenForm) -> list[str]:
    base, client = form.sent["aud"], form.sent["client"]
    chosen = {"base": base} if base else {"clients__client_id": client}
    callers = Client.objects.filter(protects__fhir_server__in=FhirServer.objects.filter(**chosen))
    return list(callers.distinct().values_list("client_id", flat=True))
