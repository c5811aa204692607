"""The way back to the app: a redirect that leaks nothing, and the leave for a form to end in it (AZ-18, WF-12)."""

import re

from django.http import HttpResponse
from django.template.loader import render_to_string

_SOURCE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?://(?P<host>[A-Za-z0-9.-]+(?::[0-9]+)?)(?=[/?]|$))?")
WEB = frozenset({"http", "https"})
ITSELF = "'self'"


def redirect_to_app(url: str, *, after_form: bool = True) -> HttpResponse:
    """303 to an address that was proved to be the client's; its scheme may be one of its own.

    No policy can name a host with brackets or an underscore (CSP3 §2.3.1), so no form may end there: a page leads on.
    Where no form of ours was sent before (`after_form` is False), as with prompt=none in a frame, it is always 303.
    """
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    if after_form and form_action_source(url) == ITSELF:
        return HttpResponse(render_to_string("continue.html", {"url": url}), headers=headers)
    return HttpResponse(status=303, headers={"Location": url, **headers})


def redirect_within(path: str) -> HttpResponse:
    """303 to a page of our own."""
    return HttpResponse(status=303, headers={"Location": path, "Cache-Control": "no-store"})


def form_action_source(redirect_uri: str) -> str:
    """The origin of a web address, or an app's own scheme, as a source of form-action; else only ourselves."""
    match = _SOURCE.match(redirect_uri)
    if match is None or (match["host"] is None and match["scheme"].lower() in WEB):
        return ITSELF
    return f"{match['scheme']}://{match['host']}" if match["host"] else f"{match['scheme']}:"


def redirect_host(redirect_uri: str) -> str:
    """Where a redirect URI leads, in words for a person."""
    match = _SOURCE.match(redirect_uri)
    web = match is not None and match["scheme"].lower() in WEB
    return (match["host"] or redirect_uri.split("/")[2]) if match and web else "an app on this device"
