"""Pages on which somebody decides: never stored, and their form may end at the app (AZ-18, WF-12)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from oauth.http.redirects import ITSELF, form_action_source


def private_page(
    request: HttpRequest, template: str, context: dict[str, object], *, status: int = 200, leads_to: str = ""
) -> HttpResponse:
    """A page on which somebody decides: never stored, and its form may end at the app."""
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    if leads_to and (source := form_action_source(leads_to)) != ITSELF:
        response._csp_update = {"form-action": [source]}  # type: ignore[attr-defined]  # django-csp reads it
    return response
