"""The callers that a development server answers: this machine and the networks of a setting, under its own names. All
others could sign in with the public passwords, and a foreign page could by DNS rebinding."""

from http import HTTPStatus
from ipaddress import ip_address

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from oauth.http.machine_response import MachineResponse, invalid_request
from smart.http.addresses import normalize
from smart.http.errors import InvalidRequest
from smartauth.any_host import PATHS


def refusal(path: str, peer: str, host: str) -> MachineResponse | None:
    """Why this request is not answered in development; a peer without address is a socket of this machine (SB-07)."""
    if peer and not _is_near(peer):
        words = "a development server answers this machine only; SMARTAUTH_DEV_NETWORKS names further networks"
        return invalid_request(HTTPStatus.FORBIDDEN, InvalidRequest(words, rule="SB-07"))
    if host and path not in PATHS and not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        words = "a development server has no such name; SMARTAUTH_ALLOWED_HOSTS names further ones"
        known = ", ".join(settings.ALLOWED_HOSTS)
        error = InvalidRequest(words, rule="SB-08", case="E131", presented=host, expected=known)
        return invalid_request(HTTPStatus.BAD_REQUEST, error)
    return None


def _is_near(peer: str) -> bool:
    address = normalize(peer)
    if not address:
        return False
    found = ip_address(address)
    return found.is_loopback or any(found in network for network in settings.SMARTAUTH_DEV_NETWORKS)
