"""What every page's frame shows."""

from django.conf import settings
from django.http import HttpRequest


def page_frame(request: HttpRequest) -> dict[str, object]:
    """Context processor: development line, host of the issuer."""
    return {
        "dev": settings.SMARTAUTH_DEV,
        "issuer": settings.SMARTAUTH_ISSUER,
        "host": settings.SMARTAUTH_ISSUER.split("//")[1],
    }
