"""The backend: Django looks for this module under this name."""

from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg import Error
from psycopg.errors import ReadOnlySqlTransaction

from oauth.http.postgresql_session import KEEPALIVES, TAKES_NO_WRITES

_SET_KEEPALIVES = [f"set_config('{name}', '{value}', false)" for name, value in KEEPALIVES.items()]


class WritableErrorWrapper(DatabaseErrorWrapper):
    """Django's errors; a write that a server refuses because it takes none is an OperationalError."""

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_type is not None and issubclass(exc_type, ReadOnlySqlTransaction):
            self.wrapper.errors_occurred = True  # type: ignore[attr-defined]
            raise OperationalError(*exc_value.args).with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """A standby, or a primary that was put aside, tells what was true some time ago: nothing is read from it either."""

    @cached_property
    def wrap_database_errors(self) -> WritableErrorWrapper:
        return WritableErrorWrapper(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises OperationalError for a server that only reads. libpq knows which it chose, behind PgBouncer nobody."""
        connection = super().get_new_connection(conn_params)
        try:
            if _is_read_only(connection):
                what = "the database takes no writes: it is a standby, or set to read only"
                raise ReadOnlySqlTransaction(what)
            if settings.SMARTAUTH_DATABASE_POOL_MODE == "none":
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT {', '.join(_SET_KEEPALIVES)}")
            connection.commit()  # it commits by itself only from here on
        except BaseException:
            connection.close()
            raise
        return connection

    def is_usable(self) -> bool:
        """Asked at each request, and after an error: a server may have become a standby meanwhile."""
        try:
            return self.connection is not None and not _is_read_only(self.connection)
        except Error:
            return False


def _is_read_only(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {TAKES_NO_WRITES}")
        (found,) = cursor.fetchone()
        return bool(found)
