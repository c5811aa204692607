"""What is forgotten when a database is restored: everything that was granted. What was taken back, spent or replaced
after the backup lives in it again, and nobody can tell it from the rest (SD-05, RV-08)."""

from django.contrib.sessions.models import Session
from django.db.models import Model

from accounts.models import SignIn
from oauth.ending.reasons import EndedFor
from oauth.models import Authorization, Launch, PendingRequest


def statements(now: int) -> list[str]:
    """SQL for both engines, to be committed together with what was restored. `now` in microseconds."""
    return [
        f"UPDATE {_table(Authorization)} SET epoch = epoch + 1, ended_at = {int(now)}, "  # noqa: S608  # no input in it
        f"ended_for = '{EndedFor.RESTORED.value}' WHERE ended_at = 0",
        *(f"DELETE FROM {_table(model)}" for model in (PendingRequest, Launch, SignIn, Session)),  # noqa: S608
    ]


def _table(model: type[Model]) -> str:
    return model._meta.db_table
