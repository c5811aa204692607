"""The pages of a client beside its form: which kind it is, its secret once, its keys checked."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from accounts import clock
from oauth.clients import jwks_fetch
from oauth.discovery import server_facts
from oauth.models import Client
from operators.admin.client_kinds import KINDS
from operators.admin.model_admin import OperatorAdmin
from operators.admin.rendering import time_element
from smart.clients import jwks


def kinds_page(model_admin: OperatorAdmin, request: HttpRequest) -> TemplateResponse:
    """The first question to who adds a client."""
    offered = server_facts().client_authentication
    return _page(model_admin, request, "kinds", title="Add a client", kinds=KINDS, offered=offered)


def secret_page(model_admin: OperatorAdmin, request: HttpRequest, client: Client, secret: str) -> TemplateResponse:
    """The answer to the POST itself: the secret travels in no message, no session, no URL."""
    about = {"client": client, "secret": secret, "until": old_secret_until(client)}
    response = _page(model_admin, request, "secret", title="The secret of this client", **about)
    response["Cache-Control"] = "no-store"
    return response


def keys_page(model_admin: OperatorAdmin, request: HttpRequest, client: Client) -> TemplateResponse:
    """What is behind the client's JWKS URL now, and what is wrong with it. Keeps nothing."""
    keys, problems = _published_keys(client.jwks_uri)
    about = {"client": client, "keys": keys, "problems": problems}
    return _page(model_admin, request, "keys", title="Keys of this client", **about)


def old_secret_until(client: Client | None) -> SafeString | str:
    """Until when an old secret works too, "" if none does."""
    if client is None or client.old_secret_until <= clock.now():
        return ""
    return time_element(client.old_secret_until)


def pasted_keys(client: Client | None) -> Sequence[jwks.PublicKey]:
    """The keys that stand in the client's row, as far as they can be read."""
    try:
        return jwks.read_registered(client.jwks) if client is not None and client.jwks else ()
    except jwks.InvalidKeys:
        return ()


def _published_keys(url: str) -> tuple[Sequence[jwks.PublicKey], Sequence[str]]:
    """The keys, or what is wrong with them."""
    try:
        return jwks_fetch.fetch_public_keys(url), ()
    except jwks_fetch.Unfetchable as error:
        return (), [f"{error}."]
    except jwks.InvalidKeys as error:
        return (), error.problems


def _page(model_admin: OperatorAdmin, request: HttpRequest, name: str, **context: object) -> TemplateResponse:
    known = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return TemplateResponse(request, f"admin/oauth/client/{name}.html", {**known, **context})
