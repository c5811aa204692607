"""AuditEvents and Provenance live in the audit database; what waits to go there in the main one."""

from typing import Any

from django.db import models

APP = "fhir_audit"
_WAITING = "waitingevent"


class FhirAuditRouter:
    """Knows the tables of fhir.audit, and leaves all others to the next router."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return _home(model._meta.model_name) if model._meta.app_label == APP else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool | None:
        return _home(model_name) == db if app_label == APP else None


def _home(model_name: str | None) -> str:
    return "default" if model_name == _WAITING else "audit"
