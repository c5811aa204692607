"""Which requests are answered at the redirect URI of the app at all, rule by rule (RFC 6749 §4.1.2.1, AZ-06)."""

from smart.authorize.error_pages import Unredirectable
from smart.authorize.unvalidated_request import Rule, UnvalidatedRequest
from smart.clients.redirect_uris import is_registered

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
LONGEST_STATE = 2048


def _check_client_named_once(request: UnvalidatedRequest) -> None:
    if request.parameters.repeated & {"client_id", "redirect_uri"}:
        raise Unredirectable("E2", "client_id or redirect_uri was sent twice")


def _check_client_known(request: UnvalidatedRequest) -> None:
    if not request.client.enabled or request.get("client_id") != request.client.client_id:
        raise Unredirectable("E1", "client_id is missing, unknown or disabled", presented=request.get("client_id"))


def _check_not_pushed(request: UnvalidatedRequest) -> None:
    # a pushed request holds the redirect_uri, so where one is not known there is nobody to answer to
    if request.get("request_uri").startswith(REQUEST_URI_PREFIX):
        raise Unredirectable("E35", "request_uri names a pushed request, and none waits here")


def _check_client_has_redirect_uri(request: UnvalidatedRequest) -> None:
    if not request.client.redirect_uris:
        raise Unredirectable("E10", "the client has no redirect_uri")


def _check_redirect_uri_sent(request: UnvalidatedRequest) -> None:
    if not request.get("redirect_uri"):
        raise Unredirectable("E3", "redirect_uri is missing")


def _check_redirect_uri_registered(request: UnvalidatedRequest) -> None:
    uri, registered = request.get("redirect_uri"), request.client.redirect_uris
    sent = {"presented": uri, "expected": ", ".join(registered)}
    if "#" in uri or uri.lower().startswith(("javascript:", "data:")):
        raise Unredirectable("E7", "redirect_uri has a fragment or a dangerous scheme", **sent)
    if not is_registered(uri, registered, native=request.client.native):
        raise Unredirectable("E4", "redirect_uri is not one of those registered", **sent)


def _check_state_length(request: UnvalidatedRequest) -> None:
    # an answer without the state would be none, and a longer one no browser carries everywhere
    if len(request.get("state")) > LONGEST_STATE:
        presented = f"{len(request.get('state'))} characters"
        raise Unredirectable("E39", f"state is longer than {LONGEST_STATE} characters", presented=presented)


REDIRECTION_RULES: tuple[Rule, ...] = (
    Rule("AZ-04", "E2", "client_id and redirect_uri are sent once.", _check_client_named_once),
    Rule("AZ-06", "E1", "The client is known and enabled.", _check_client_known),
    Rule("AZ-06", "E35", "No pushed request is named: none is taken here.", _check_not_pushed),
    Rule("AZ-06", "E10", "The client has a redirect URI.", _check_client_has_redirect_uri),
    Rule("AZ-03", "E3", "redirect_uri is sent.", _check_redirect_uri_sent),
    Rule("AZ-05", "E4 E5 E6 E7", "redirect_uri is exactly one of those registered.", _check_redirect_uri_registered),
    Rule("AZ-24", "E39", "state is no longer than 2048 characters.", _check_state_length),
)
