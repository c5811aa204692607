"""`/o/style/{name}.json`: the look that `smart_style_url` tells apps of; anybody may read it (LC-05)."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from oauth.http.public_documents import public_document
from smart.authorize.style import STYLE, style_version
from smart.http.errors import InvalidTarget


def url() -> str:
    """What a launch says where its EHR does not: the operator's document, else ours where it is today."""
    return settings.SMARTAUTH_STYLE_URL or f"{settings.SMARTAUTH_ISSUER}/o/style/{style_version(STYLE)}.json"


@public_document
def style(request: HttpRequest, named: str) -> Mapping[str, Any]:
    """The document of that name; an older or unknown one is 404."""
    if named != style_version(STYLE):
        raise InvalidTarget("there is no such style", rule="LC-05")
    return STYLE
