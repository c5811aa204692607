"""What answers under whatever name it is asked: a load balancer asks by address, and these answers name no host."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PATHS = frozenset({"/healthz", "/readyz", "/o/jwks"})


class AnyHostMiddleware:
    """Middleware: these paths see the issuer's own name in place of the one that was sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in PATHS:
            request.META["HTTP_HOST"] = urlsplit(settings.SMARTAUTH_ISSUER).netloc
        return self.get_response(request)
