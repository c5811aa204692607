"""Whether this process runs, and whether it can serve: for load balancers and container health checks."""

import logging

from django.db import Error, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

log = logging.getLogger("smartauth.health")


@csrf_exempt
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers; says nothing about databases, so that a failing one does not restart every process."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 while both databases answer, else 503. Which one failed is said, why is in the log."""
    databases = {alias: "ok" if _is_reachable(alias) else "failed" for alias in ("default", "audit")}
    failed = "failed" in databases.values()
    answer = {"status": "failed" if failed else "ok", "databases": databases}
    return JsonResponse(answer, status=503 if failed else 200)


def _is_reachable(alias: str) -> bool:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        log.exception("the database %s does not answer", alias)
        connections[alias].close()
        return False
    return True
