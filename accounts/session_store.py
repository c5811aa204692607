"""Sessions in the database under a digest of their key: who reads the database can open none of them (SB-01)."""

import re
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.rows import only_row
from smart.digests import sha256_hex

_KEY = re.compile(r"[a-z0-9]{32}")
_COLUMN = 40  # characters: 160 bits of the digest, about as many as a key has


def row_key(session_key: str | None) -> str:
    """The key of the row that keeps the session with this key; "" without one."""
    return sha256_hex(session_key)[:_COLUMN] if session_key else ""


class SessionStore(db.SessionStore):
    """Django's own, but for the key of the row. A cookie that is no key never reaches the database."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and _KEY.fullmatch(key))

    def _get_session_from_db(self) -> Session | None:
        rows = Session.objects.filter(session_key=row_key(self.session_key), expire_date__gt=timezone.now())
        found = only_row(rows)
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(row_key(session_key))

    def create_model_instance(self, data: Any) -> Any:
        row = super().create_model_instance(data)
        row.session_key = row_key(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        super().delete(row_key(session_key or self.session_key))
