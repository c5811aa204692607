"""The trail lives in the audit database, everything else in the main one."""

from typing import Any

from django.db import models


class AuditRouter:
    """Django's database router of this project."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return _home(model._meta.app_label, model._meta.model_name)

    db_for_write = db_for_read

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        return None

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool | None:
        return _home(app_label, model_name) == db


def _home(app_label: str, model_name: str | None) -> str:
    return "audit" if (app_label, model_name) == ("audit", "securityevent") else "default"
