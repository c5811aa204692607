"""Whether this process runs, and whether it can serve: for load balancers and container health checks."""

import logging
from typing import Any

from django.conf import settings
from django.db import Error, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from operators import readiness

log = logging.getLogger("smartauth.health")
OK, FAILED, OUTDATED = "ok", "failed", "migrations are missing"
LATE, UNKNOWN = "late", "unknown"
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
    is_ready, members = readiness_state()
    return JsonResponse(members, status=200 if is_ready else 503)


def readiness_state() -> tuple[bool, dict[str, Any]]:
    """Whether everything is there that serving needs, and what of it is. A late worker keeps nobody from serving."""
    databases = {alias: _database_state(alias) for alias in readiness.DATABASES}
    if {*databases.values()} == {OK} and not settings.SMARTAUTH_DEV and readiness.are_one_database():
        log.error("the audit database is the main database under another name")
        databases["audit"] = SAME
    is_asked = databases["default"] == OK
    keys, worker = (_keys_state(), _worker_state()) if is_asked else (FAILED, UNKNOWN)
    is_ready = {*databases.values(), keys} == {OK}
    status = OK if is_ready else FAILED
    return is_ready, {"status": status, "databases": databases, "signing_keys": keys, "worker": worker}


def _database_state(alias: str) -> str:
    try:
        missing = readiness.missing_migrations(alias)
    except Error as error:
        log.exception("%s", readiness.failure_sentence(alias, error))
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


def _worker_state() -> str:
    try:
        return LATE if readiness.is_worker_late() else OK
    except Error:
        log.exception("the outbox cannot be read")
        return UNKNOWN
