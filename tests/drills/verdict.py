"""What is found after a drill, compared with what was acknowledged before, as a table."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.codes import REDIRECT_URI, VERIFIER
from tests.drills.lives import Life, Load
from tests.flows.app import RESOURCE_SERVER
from tests.kill.wire import Connections
from tests.running import Server

# what an acknowledged change writes into the trail
EVENTS = {
    "issued": "issued",
    "refreshed": "refreshed",
    "revoked": "revoked",
    "disconnected": "authorization-ended",
    "invalidated": "authorization-ended",
}
TRAIL = """
import json
from django.db.models import Count
from audit.models import SecurityEvent
from audit.shipping import ship
ship()
print(json.dumps(list(SecurityEvent.objects.values_list("client", "kind").annotate(Count("pk")))))
"""
AT_ONCE = 16


@dataclass
class Row:
    """One kind of thing: how many were acknowledged, how many are found as they must be."""

    name: str
    acknowledged: int = 0
    found: int = 0
    fault: str = "lost"

    @property
    def faults(self) -> int:
        return self.acknowledged - self.found


@dataclass
class Verdict:
    """All rows; `lost` and `resurrected` must be 0."""

    rows: list[Row] = field(default_factory=list)

    @property
    def lost(self) -> int:
        return sum(row.faults for row in self.rows if row.fault == "lost")

    @property
    def resurrected(self) -> int:
        return sum(row.faults for row in self.rows if row.fault == "resurrected")

    def table(self) -> str:
        lines = [f"{'':44}{'acknowledged':>14}{'found':>10}{'lost':>8}{'resurrected':>13}"]
        for row in self.rows:
            lost, resurrected = (row.faults if row.fault == fault else "" for fault in ("lost", "resurrected"))
            lines.append(f"{row.name:44}{row.acknowledged:>14,}{row.found:>10,}{lost:>8}{resurrected:>13}")
        lines.append(f"{'':68}{self.lost:>8}{self.resurrected:>13}")
        return "\n".join(line.rstrip() for line in lines)


class Examination:
    """Asks a server about everything that a load has left."""

    def __init__(self, load: Load, server: Server) -> None:
        self._load, self._server, self.verdict = load, server, Verdict()
        self._url = server.listens_at

    def after_failover(self) -> Verdict:
        """Everything is as it was acknowledged."""
        self._examine_trail()
        asyncio.run(self._ask(everything_ended=False))
        return self.verdict

    def after_restore(self) -> Verdict:
        """Nothing that was granted lives, also what nobody had ended; the trail is whole."""
        self._examine_trail()
        asyncio.run(self._ask(everything_ended=True))
        return self.verdict

    async def _ask(self, *, everything_ended: bool) -> None:
        self._connections = Connections(self._url)
        lives = self._load.begun
        live = [life.live for life in lives if life.live]
        refresh_tokens = [(life, life.refresh_token) for life in lives if life.refresh_token]
        dead = [token for life in lives for token in life.dead]
        spent = [(life, token) for life in lives for token in life.spent]
        codes = [life for life in lives if life.is_code_consumed]
        if everything_ended:
            unused = [life for life in self._load.lives if not life.is_code_consumed]
            await self._row("access tokens alive before the restore", "resurrected", live, self._is_dead)
            await self._row("their refresh tokens", "resurrected", refresh_tokens, self._is_refresh_refused)
            await self._row("codes that nobody had used", "resurrected", unused, self._is_code_refused)
        else:
            await self._row("access tokens issued and not ended", "lost", live, self._is_alive)
        await self._row("access tokens revoked, ended, superseded", "resurrected", dead, self._is_dead)
        if not everything_ended:  # it ends the access token, so that comes after it was asked about
            await self._row("refresh tokens not used yet", "lost", refresh_tokens, self._is_refreshed)
        await self._row("refresh tokens consumed or ended", "resurrected", spent, self._is_refresh_refused)
        await self._row("codes consumed", "resurrected", codes, self._is_code_refused)
        await self._connections.close()

    async def _row(self, name: str, fault: str, each: Iterable[Any], holds: Callable[[Any], Awaitable[bool]]) -> None:
        row, waiting = Row(name, fault=fault), list(each)
        row.acknowledged = len(waiting)

        async def work() -> None:
            while waiting:
                is_found = await holds(waiting.pop())
                row.found += is_found

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        self.verdict.rows.append(row)

    async def _is_alive(self, token: str) -> bool:
        status, said = await self._connections.form("/o/introspect", {"token": token}, RESOURCE_SERVER)
        assert status == 200, said
        return bool(said["active"])

    async def _is_dead(self, token: str) -> bool:
        return not await self._is_alive(token)

    async def _refreshed(self, life: Life, token: str) -> tuple[int, Any]:
        form = {"grant_type": "refresh_token", "client_id": life.client, "refresh_token": token}
        return await self._connections.form("/o/token", form)

    async def _is_refreshed(self, asked: tuple[Life, str]) -> bool:
        return (await self._refreshed(*asked))[0] == 200

    async def _is_refresh_refused(self, asked: tuple[Life, str]) -> bool:
        return _is_invalid_grant(await self._refreshed(*asked))

    async def _is_code_refused(self, life: Life) -> bool:
        form = {
            "grant_type": "authorization_code", "client_id": life.client, "code": life.code,
            "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER,
        }  # fmt: skip
        return _is_invalid_grant(await self._connections.form("/o/token", form))

    def _examine_trail(self) -> None:
        """Each acknowledged change has its event, by the client, which no other life has."""
        told = json.loads(self._server.manage("shell", "--no-imports", "-v0", "-c", TRAIL))
        found = {(client, kind): number for client, kind, number in told}
        row = Row("events")
        for life in self._load.begun:
            for change, number in life.done.items():
                row.acknowledged += number
                row.found += min(number, found.get((life.client, EVENTS[change]), 0))
        self.verdict.rows.append(row)


def _is_invalid_grant(answer: tuple[int, Any]) -> bool:
    status, body = answer
    assert status in (200, 400), answer
    return status == 400 and body["error"] == "invalid_grant"
