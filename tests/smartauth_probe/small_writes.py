"""What the small server does beside reading and searching: so far it answers that it does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartauth_probe.raw_http import Response

if TYPE_CHECKING:
    from tests.smartauth_probe.small_server import Asked


def write(asked: Asked, parts: list[str]) -> Response:
    from tests.smartauth_probe.small_server import Refused

    raise Refused(404 if asked.request.method == "GET" else 405, "not-supported")
