"""What clients publish at their JWKS URLs: kept for all processes as long as they allow, asked one at a time.

CL-10 to CL-12. `asked_at` claims a fetch: one is under way while `fetched_at` is before it. A claim that was not
answered in time, since its process died, may be taken over, and so may one that lies in the future, since a clock was
set back. `fresh_until` counts from `asked_at`, so that where nothing may be kept the answer serves only those who had
come before the question was asked.
"""

import asyncio
import json
from typing import NamedTuple

from django.db import transaction

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.clients import jwks_fetch
from oauth.http.per_loop import PerLoop
from oauth.http.writer_pool import writer_pool
from oauth.models import sql
from smart.clients import jwks
from smart.http.errors import TemporarilyUnavailable
from smart.time_units import CLOCK_SKEW, SECOND

REFETCH_SECONDS = 30
FOR_EVER = 2**62
_GIVEN_UP = int(2 * jwks_fetch.SECONDS) * SECOND
_POLL_SECONDS = 0.1
_MOST_AT_ONCE = 20

_CLAIM = """
INSERT INTO oauth_fetchedkeys AS k (client_id, jwks_uri, keys, asked_at, fetched_at, fresh_until)
VALUES (%s, %s, '', %s, 0, 0)
ON CONFLICT (client_id) DO UPDATE SET
    keys = CASE WHEN k.jwks_uri = excluded.jwks_uri THEN k.keys ELSE '' END,
    fresh_until = CASE WHEN k.jwks_uri = excluded.jwks_uri THEN k.fresh_until ELSE 0 END,
    asked_at = excluded.asked_at, jwks_uri = excluded.jwks_uri
WHERE k.jwks_uri <> excluded.jwks_uri
    OR (k.fetched_at >= k.asked_at AND k.asked_at <= %s AND k.fresh_until <= %s)
    OR (k.fetched_at < k.asked_at AND k.asked_at <= %s)
    OR k.asked_at > %s
RETURNING id
"""
_UNDER_WAY = """
SELECT 1 FROM oauth_fetchedkeys
WHERE client_id = %s AND fetched_at < asked_at AND asked_at > %s AND asked_at <= %s
"""
_STORED = "SELECT keys FROM oauth_fetchedkeys WHERE client_id = %s"
_STORE = """
UPDATE oauth_fetchedkeys SET keys = %s, fetched_at = %s, fresh_until = %s
WHERE client_id = %s AND jwks_uri = %s AND asked_at = %s
"""
_GIVE_UP = "UPDATE oauth_fetchedkeys SET fetched_at = %s WHERE client_id = %s AND jwks_uri = %s AND asked_at = %s"


class KeyFetch(NamedTuple):
    """A client whose keys must be asked for: if nobody did after `asked_before`, and none live beyond `fresh_until`."""

    client_pk: int
    client_id: str
    jwks_uri: str
    asked_before: int
    fresh_until: int


class KeysNotCached(Exception):
    """Nothing can be judged before this client's keys are asked for; a request in a writer thread leaves it."""

    def __init__(self, key_fetch: KeyFetch) -> None:
        super().__init__(key_fetch.client_id)
        self.fetch = key_fetch


_fetches: PerLoop[dict[int, "asyncio.Task[None]"]] = PerLoop(dict)


async def renew(key_fetch: KeyFetch) -> None:
    """Asks for the keys, or waits while somebody else does. Raises Unfetchable, or TemporarilyUnavailable when busy."""
    under_way = _fetches()
    task = under_way.get(key_fetch.client_pk)
    if task is None:
        if len(under_way) >= _MOST_AT_ONCE:
            raise TemporarilyUnavailable("too many clients' keys are being fetched, try again", rule="CL-12")
        task = under_way[key_fetch.client_pk] = asyncio.create_task(_fetch_or_wait(key_fetch))
        task.add_done_callback(lambda done: _forget(under_way, key_fetch.client_pk, done))
    await asyncio.shield(task)


def _forget(under_way: dict[int, "asyncio.Task[None]"], client_pk: int, done: "asyncio.Task[None]") -> None:
    del under_way[client_pk]
    if not done.cancelled():
        done.exception()  # looked at, also where everybody who waited has gone


async def _fetch_or_wait(key_fetch: KeyFetch) -> None:
    asked_at = clock.now()
    if await writer_pool.run(lambda: _claim(key_fetch, asked_at)):
        await _fetch(key_fetch, asked_at)
        return
    while await writer_pool.run(lambda: _is_under_way(key_fetch)):  # noqa: ASYNC110  # another process has it
        await asyncio.sleep(_POLL_SECONDS)


async def _fetch(key_fetch: KeyFetch, asked_at: int) -> None:
    try:
        answer = await jwks_fetch.fetch(key_fetch.jwks_uri)
        usable = jwks.usable_keys(answer.body)
    except (jwks_fetch.Unfetchable, jwks.InvalidKeys) as error:
        await writer_pool.run(
            lambda: sql.execute(_GIVE_UP, [clock.now(), key_fetch.client_pk, key_fetch.jwks_uri, asked_at])
        )
        if isinstance(error, jwks_fetch.Unfetchable):
            raise
        raise jwks_fetch.Unfetchable(str(error)) from None
    await writer_pool.run(lambda: _store(key_fetch, asked_at, usable, answer.seconds))


def _claim(key_fetch: KeyFetch, asked_at: int) -> bool:
    judged = [key_fetch.asked_before, key_fetch.fresh_until, asked_at - _GIVEN_UP, asked_at + CLOCK_SKEW]
    return bool(sql.value(_CLAIM, [key_fetch.client_pk, key_fetch.jwks_uri, asked_at, *judged]))


def _is_under_way(key_fetch: KeyFetch) -> bool:
    now = clock.now()
    return bool(sql.value(_UNDER_WAY, [key_fetch.client_pk, now - _GIVEN_UP, now + CLOCK_SKEW]))


def _store(key_fetch: KeyFetch, asked_at: int, usable: jwks.UsableKeys, seconds: int) -> None:
    kept = json.dumps({"keys": usable.keys, "secret": usable.secret})
    fresh_until = asked_at + seconds * SECOND
    before = sql.value(_STORED, [key_fetch.client_pk])
    with transaction.atomic():
        sql.execute(_STORE, [kept, clock.now(), fresh_until, key_fetch.client_pk, key_fetch.jwks_uri, asked_at])
        if usable.secret and usable.secret != _private_key_count(before):
            record_events(_exposure_event(key_fetch, asked_at, usable.secret))


def _private_key_count(before: str | None) -> int:
    """How many private and shared keys the client published when it was asked last."""
    return int(json.loads(before)["secret"]) if before else 0


def _exposure_event(key_fetch: KeyFetch, at: int, count: int) -> Event:
    reason = f"private or shared keys at its JWKS URL: {count}"
    return Event(kind=EventKind.CLIENT_KEYS_EXPOSED, at=at, client=key_fetch.client_id, reason=reason)
