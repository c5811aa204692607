"""Whether this process runs, and whether it can serve: for load balancers and container health checks."""

import logging

from django.conf import settings
from django.db import Error, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from operators import readiness

log = logging.getLogger("smartauth.health")
OK, FAILED, OUTDATED = "ok", "failed", "migrations are missing"
SAME = "the same as default"


@csrf_exempt
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers; says nothing about databases, so that a failing one does not restart every process."""
    return JsonResponse({"status": OK})


@csrf_exempt
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 while everything is there that serving needs, else 503. What failed is said, why is in the log."""
    databases = {alias: _database_state(alias) for alias in readiness.DATABASES}
    if {*databases.values()} == {OK} and not settings.SMARTAUTH_DEV and readiness.are_one_database():
        log.error("the audit database is the main database under another name")
        databases["audit"] = SAME
    keys = _keys_state() if databases["default"] == OK else FAILED
    ready = {*databases.values(), keys} == {OK}
    answer = {"status": OK if ready else FAILED, "databases": databases, "signing_keys": keys}
    return JsonResponse(answer, status=200 if ready else 503)


def _database_state(alias: str) -> str:
    try:
        missing = readiness.missing_migrations(alias)
    except Error:
        log.exception("the database %s does not answer", alias)
        connections[alias].close()
        return FAILED
    if missing:
        log.error("the database %s lacks migrations of %s", alias, ", ".join(missing))
    return OUTDATED if missing else OK


def _keys_state() -> str:
    try:
        return OK if readiness.can_sign() else FAILED
    except Error:
        log.exception("the signing keys cannot be read")
        return FAILED
