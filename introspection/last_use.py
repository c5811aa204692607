"""When a token was used last, and from where: noted once a minute an authorization, and nobody waits for it."""

import asyncio
import logging
from functools import partial

from django.db import InterfaceError, OperationalError

from introspection.address_binding import Use
from oauth.http.per_loop import PerLoop
from oauth.http.writer_pool import writer_pool
from oauth.models import sql
from smart.time_units import SECOND

log = logging.getLogger("smartauth.introspection")

EVERY = 60 * SECOND
MOST_WAITING = 1000
_NOTE = "UPDATE oauth_authorization SET used_at = %s, used_from = %s WHERE id = %s AND used_at <= %s"


def note_last_use(use: Use, now: int) -> None:
    """Writes the use down soon, unless one of the last minute is known."""
    if use.found.used_at <= now - EVERY:
        last_uses().note(use, now)


class LastUses:
    """The uses of one event loop that wait to be written. What is lost is noted at the next introspection."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, str]] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, use: Use, now: int) -> None:
        """Writes the use down soon, unless too many wait."""
        if len(self._waiting) >= MOST_WAITING:
            return
        self._waiting[use.found.authorization] = (now, use.address)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                await writer_pool.run(partial(_write, batch))
        except (OperationalError, InterfaceError):
            log.warning("last uses were not written, the next ones will be")
        finally:
            self._task = None


def _write(batch: dict[int, tuple[int, str]]) -> None:
    """Each by itself: a transaction that holds many rows could wait for others in a circle."""
    for authorization, (now, address) in batch.items():
        sql.execute(_NOTE, [now, address, authorization, now - EVERY])


last_uses = PerLoop(LastUses)  # the uses of the running loop
