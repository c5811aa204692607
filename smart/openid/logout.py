"""OpenID Connect RP-Initiated Logout: where a person may be sent after signing out because an app asked (ID-06)."""

from collections.abc import Sequence
from dataclasses import dataclass

from smart.clients.redirect_uris import url_with_query
from smart.http.parameters import Parameters
from smart.openid.standard_claims import IdTokenHint


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """The app that asks, as it is registered; trusted = enabled and approved. The empty one nobody knows."""

    client_id: str = ""
    trusted: bool = False
    post_logout_redirect_uris: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """What is asked: by which client, of which person ("" if it does not say), where to go then. `why` it is not."""

    client_id: str = ""
    subject: str = ""
    leads_to: str = ""
    why: str = ""


def requesting_client_id(parameters: Parameters, hint: IdTokenHint | None) -> str:
    """Which client asks, by its own word or by the ID token that it got."""
    return parameters.get("client_id", hint.client_id if hint else "")


def validate_logout(parameters: Parameters, hint: IdTokenHint | None, app: RegisteredApp) -> LogoutRequest:
    """What of it may be done without leading anybody astray: a URL that is not the app's own is never used (E129).

    `hint` is what the ID token said, None if there is none of ours.
    """
    if why := _problem(parameters, hint, app):
        return LogoutRequest(why=why)
    leads_to = parameters.get("post_logout_redirect_uri", "")
    state = parameters.get("state", "")
    back = url_with_query(leads_to, {"state": state}) if leads_to and state else leads_to
    return LogoutRequest(app.client_id, hint.subject if hint else "", back)


def _problem(parameters: Parameters, hint: IdTokenHint | None, app: RegisteredApp) -> str:
    if parameters.repeated:
        return "a parameter was sent twice"
    if "id_token_hint" in parameters and hint is None:
        return "id_token_hint is no ID token of this server"
    if hint is not None and parameters.get("client_id", hint.client_id) != hint.client_id:
        return "client_id is not that of the ID token"
    if requesting_client_id(parameters, hint) and not app.trusted:
        return "client_id is unknown, disabled or not approved"
    leads_to = parameters.get("post_logout_redirect_uri", "")
    if leads_to and not requesting_client_id(parameters, hint):
        return "post_logout_redirect_uri needs client_id or id_token_hint: whose it is cannot be told"
    if leads_to and leads_to not in app.post_logout_redirect_uris:
        return "post_logout_redirect_uri is not one of those registered"
    return ""
