"""What must be true before the first request is answered. A process that could not check does not serve."""

import logging
import threading
import time
from importlib import import_module

from django.conf import settings
from django.db import Error, connections
from django.urls import get_resolver

from accounts.database_failure import failure_of
from accounts.engine import is_on_postgresql
from oauth.demo import credentials
from oauth.keys import signing_keys
from operators.readiness import are_one_database, failure_sentence, missing_migrations

log = logging.getLogger("smartauth.startup")
RETRY_SECONDS = 1.0


class UnsafeStart(Exception):
    """What an operator must change before this server may serve, in a sentence."""


class NotYet(Exception):
    """What is missing today and may come while the server waits."""


class StartupGate:
    """Closed until the checks have passed once in this process, however it was started."""

    def __init__(self) -> None:
        self.is_open = False
        self._checking = threading.Lock()
        self._next_try = 0.0
        self._reason = ""

    def is_due(self) -> bool:
        """Whether it is worth trying now: nobody else does, and the last time is a while ago."""
        return not self._checking.locked() and time.monotonic() >= self._next_try

    def open(self) -> None:
        """Opens if the checks pass. Raises UnsafeStart; what may pass by itself is logged and keeps it closed."""
        with self._checking:
            try:
                load_pages()
                load_driver()
                check_database()
                self.is_open = True
            except UnsafeStart:
                raise
            except NotYet as missing:
                self._log_once(str(missing))
            except Error as error:
                if self._is_news(f"{failure_of(error).what} {type(error.__cause__ or error).__qualname__}"):
                    log.exception("no request is served: %s", failure_sentence("default", error))
            except Exception as error:
                if self._is_news(type(error).__qualname__):
                    log.exception("no request is served: the checks could not be made")
            finally:
                self._next_try = time.monotonic() + RETRY_SECONDS
                connections.close_all()

    def try_open(self) -> bool:
        """Whether it is open now; why not is logged."""
        if not self.is_open and self.is_due():
            try:
                self.open()
            except UnsafeStart as refusal:
                self._log_once(str(refusal))
        return self.is_open

    def _log_once(self, reason: str) -> None:
        if self._is_news(reason):
            log.error("no request is served: %s", reason)

    def _is_news(self, reason: str) -> bool:
        """A server that waits is asked often."""
        self._reason, earlier = reason, self._reason
        return reason != earlier


gate = StartupGate()


def load_pages() -> None:
    """Nobody who asks for one waits for it, nor meets one that cannot be loaded: its error keeps the server closed."""
    get_resolver().url_patterns  # noqa: B018  # reading it imports them, those of the admin too


def load_driver() -> None:
    """The same of what the event loop asks PostgreSQL with, which is installed where that is used."""
    if is_on_postgresql():
        import_module("oauth.http.prepared_statement")


def check_database() -> None:
    """Raises UnsafeStart or NotYet, or the error of the main database where that fails (SB-07)."""
    if missing := missing_migrations("default"):
        command = f"{settings.SMARTAUTH_COMMAND} migrate"
        raise NotYet(f"the database lacks migrations of {', '.join(missing)}; `{command}` applies them.")
    if not settings.SMARTAUTH_DEV and (left := credentials.usable_demo_credentials()):
        raise UnsafeStart(f"Demo data with public passwords is in the database: {', '.join(left)}.")
    if not settings.SMARTAUTH_DEV and are_one_database():
        raise UnsafeStart(
            "SMARTAUTH_DATABASE_URL and SMARTAUTH_AUDIT_DATABASE_URL name one database under two names: the trail "
            "needs a database of its own."
        )
    signing_keys.ensure_keys()
    if lost := signing_keys.unreadable_kids():
        raise UnsafeStart(
            f"The signing keys {', '.join(lost)} cannot be decrypted: SMARTAUTH_KEY_ENCRYPTION_KEYS lacks the key that "
            f"they were encrypted with. If it is lost, `{settings.SMARTAUTH_COMMAND} keys withdraw` makes new ones."
        )
