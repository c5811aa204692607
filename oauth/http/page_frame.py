"""What every page's frame shows."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.sessions import signed_in_user


def page_frame(request: HttpRequest) -> dict[str, object]:
    """Context processor: development line, host of the issuer, and who is signed in, looked up where a page asks."""
    return {
        "dev": settings.SMARTAUTH_DEV,
        "issuer": settings.SMARTAUTH_ISSUER,
        "host": settings.SMARTAUTH_ISSUER.split("//")[1],
        "account": SimpleLazyObject(lambda: signed_in_user(request)),
    }
