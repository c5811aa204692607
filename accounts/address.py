"""Where a request comes from."""

from django.conf import settings
from django.http import HttpRequest

from smart.http import addresses


def client_address(request: HttpRequest) -> str:
    """The caller's address: what our own proxies saw, nothing that a caller can write."""
    peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    return addresses.caller_address(peer, forwarded, settings.SMARTAUTH_TRUSTED_PROXIES)
