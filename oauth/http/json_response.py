"""JSON that nobody keeps, as Django sends it."""

from collections.abc import Mapping
from typing import Any

from django.http import JsonResponse

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def json_response(status: int, body: Mapping[str, Any], **headers: str) -> JsonResponse:
    """An answer of the people's side to a machine."""
    return JsonResponse(body, status=status, headers={**NO_STORE, **headers})
