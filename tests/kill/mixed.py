"""Everything at once: issue, refresh, introspect, revoke, invalidate, block; and a plain record of what must be dead.

Each life is one person, one client and one patient of their own, and does one thing after the other, so what it knows
is certain. Watchers ask about anybody's tokens meanwhile, over whatever connection is free: any process may answer.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.codes import CHALLENGE, REDIRECT_URI, VERIFIER
from tests.kill.wire import Answer, Connections, Unanswered
from tests.running import Server

RESOURCE_SERVER = ("demo-resource-server", "demo-resource-server-secret")
HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"
POLICIES = ("flag", "block", "end")
SURE_FOR = 200.0  # seconds of an access token's 300 during which it does not expire by itself
UNAVAILABLE = 503

MAKE = """
import json, secrets
from accounts import clock
from accounts.models import User
from django.db import transaction
from smart.digests import random_token, sha256_hex
from oauth.models import Authorization, Client, Code
from tests.seeded import r4_server
server, now = r4_server(), clock.now()
with transaction.atomic():
    for number in range({lives}):
        name = f"mixed-{{secrets.token_hex(6)}}"
        client = Client.objects.create(client_id=name, redirect_uris={uri!r}, scope="patient/*.rs offline_access",
            grants="authorization_code refresh_token", address_policy={policies!r}[number % {kinds}])
        client.fhir_servers.add(server)
        person = User.objects.create(username=name)
        life = {{"client": name, "person": person.subject, "policy": client.address_policy, "codes": []}}
        for _ in range({codes}):
            granted = Authorization.objects.create(client=client, user=person, fhir_server=server, patient=name,
                scope="patient/*.rs offline_access", requested_scope="patient/*.rs offline_access", patient_vouched=1,
                context=json.dumps({{"patient": name}}), client_epoch=0, user_epoch=0)
            code = random_token()
            Code.objects.create(digest=sha256_hex(code), authorization=granted, redirect_uri={uri!r},
                code_challenge={challenge!r}, issued_at=now, expires_at=now + 600_000_000)
            life["codes"].append(code)
        print(json.dumps(life))
"""


@dataclass
class Record:
    """What is known of every token: since when it must be dead, or from when until when it must live."""

    dead_since: dict[str, float] = field(default_factory=dict)
    alive_since: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    unanswered: int = 0

    def begins_to_end(self, tokens: list[str]) -> None:
        """From now on nobody can say whether they live."""
        for token in tokens:
            self.alive_since.pop(token, None)

    def ended(self, tokens: list[str]) -> None:
        """The ending was acknowledged: every later question must hear so."""
        for token in tokens:
            self.dead_since.setdefault(token, time.monotonic())

    def heard(self, token: str, answer: Any, *, asked_at: float) -> None:
        """Compares what introspection said with what must be true."""
        active = answer["active"]
        if active and self.dead_since.get(token, asked_at) < asked_at:
            self.wrong.append(f"active {asked_at - self.dead_since[token]:.3f} s after its end was acknowledged")
        issued = self.alive_since.get(token)
        if not active and issued is not None and asked_at - issued < SURE_FOR:
            self.wrong.append("inactive although nobody ended it")


@dataclass
class Life:
    """One person with one app, and the tokens that they had."""

    client: str
    person: str
    policy: str
    codes: list[str]
    load: "MixedLoad"
    tokens: list[str] = field(default_factory=list)
    refresh_token: str = ""

    async def run(self) -> None:
        for place, code in enumerate(self.codes, start=1):
            endings = self._endings if place < len(self.codes) else self._invalidations
            try:
                await self._launched(code)
                for _ in range(random.randint(1, 4)):
                    await random.choice((self._used, self._used, self._refreshed))()
                await random.choice(endings)()
            except Unanswered:
                self.load.record.begins_to_end(self.tokens)
                self.load.record.unanswered += 1
                await asyncio.sleep(0.05)

    @property
    def _endings(self) -> list[Callable[[], Awaitable[None]]]:
        return [self._nothing, self._revoked, self._disconnected, self._moved]

    @property
    def _invalidations(self) -> list[Callable[[], Awaitable[None]]]:
        """What ends the codes that still wait too, so it comes last."""
        targets = ({"sub": self.person}, {"client_id": self.client}, {"patient": self.client})
        return [self._invalidating(target) for target in targets]

    async def _launched(self, code: str) -> None:
        older = list(self.tokens)
        form = {
            "grant_type": "authorization_code", "client_id": self.client, "code": code, "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }  # fmt: skip
        self._received(await self._ending(older, self.load.form("/o/token", form)))

    async def _refreshed(self) -> None:
        form = {"grant_type": "refresh_token", "client_id": self.client, "refresh_token": self.refresh_token}
        self._received(await self._ending(list(self.tokens), self.load.form("/o/token", form)))

    def _received(self, answer: Any) -> None:
        self.refresh_token = answer["refresh_token"]
        self.tokens.append(answer["access_token"])
        self.load.record.alive_since[self.tokens[-1]] = time.monotonic()
        self.load.known.append(self.tokens[-1])

    async def _used(self) -> None:
        await self.load.introspected(self.tokens[-1], HOME)

    async def _nothing(self) -> None:
        """The next launch ends it."""

    async def _revoked(self) -> None:
        form = {"token": self.tokens[-1], "client_id": self.client}
        await self._ending(self.tokens[-1:], self.load.form("/o/revoke", form))

    async def _disconnected(self) -> None:
        form = {"token": self.refresh_token, "client_id": self.client}
        await self._ending(list(self.tokens), self.load.form("/o/revoke", form))

    async def _moved(self) -> None:
        """Somebody uses the token from another address: flagged, refused there, or ended everywhere."""
        await self._used()
        if self.policy == "end":
            self.load.record.begins_to_end(self.tokens)
        answer = await self.load.introspected(self.tokens[-1], ELSEWHERE, judged=False)
        if answer["active"] != (self.policy == "flag"):
            self.load.record.wrong.append(f"policy {self.policy}: active {answer['active']} at another address")
        if self.policy == "end":
            self.load.record.ended(self.tokens)

    def _invalidating(self, target: dict[str, str]) -> Callable[[], Awaitable[None]]:
        async def invalidated() -> None:
            await self._ending(list(self.tokens), self.load.invalidate(target))

        return invalidated

    async def _ending(self, tokens: list[str], request: Awaitable[Any]) -> Any:
        """Sends what ends these tokens; once it is acknowledged they must be dead."""
        self.load.record.begins_to_end(tokens)
        answer = await request
        self.load.record.ended(tokens)
        return answer


class MixedLoad:
    """Lives and watchers on one server, until so many requests were sent."""

    def __init__(self, server: Server, *, lives: int, codes: int) -> None:
        script = MAKE.format(
            lives=lives, codes=codes, uri=REDIRECT_URI, challenge=CHALLENGE, policies=POLICIES, kinds=len(POLICIES)
        )
        made = server.manage("shell", "--no-imports", "-c", script).splitlines()
        self.lives = [Life(**json.loads(line), load=self) for line in made]
        self.server, self.record, self.known, self.busy = server, Record(), list[str](), True
        self.asked = 0

    def run(self, *, requests: int, meanwhile: Callable[[], None] | None = None) -> Record:
        """The record after everything is over; `meanwhile` runs in a thread, once the load is under way."""
        asyncio.run(self._run(requests, meanwhile))
        return self.record

    async def _run(self, requests: int, meanwhile: Callable[[], None] | None) -> None:
        self._connections = Connections(self.server.url)
        watchers = [asyncio.create_task(self._watch(requests)) for _ in range(12)]
        work = [asyncio.create_task(self._in_turn(self.lives[number::24])) for number in range(24)]
        if meanwhile:
            while self._connections.asked < 500:  # noqa: ASYNC110  # the load is under way
                await asyncio.sleep(0.02)
            await asyncio.to_thread(meanwhile)
        await asyncio.gather(*work)
        self.busy = False
        await asyncio.gather(*watchers)
        await self._all_over()
        self.asked = self._connections.asked
        await self._connections.close()

    async def _in_turn(self, lives: list[Life]) -> None:
        for life in lives:
            await life.run()

    async def _watch(self, requests: int) -> None:
        while self.busy or self._connections.asked < requests:
            try:
                if self.known:
                    await self.introspected(random.choice(self.known[-400:]))
            except Unanswered:
                self.record.unanswered += 1
            await asyncio.sleep(0 if self.known else 0.01)

    async def _all_over(self) -> None:
        """Every token once more, when nothing moves any longer."""
        for token in self.known:
            await self.introspected(token)

    async def form(self, path: str, fields: dict[str, str]) -> Any:
        return self._good(path, await self._connections.form(path, fields))

    async def invalidate(self, target: dict[str, str]) -> Any:
        body = {**target, "aud": f"{self.server.url}/fhir/r4"}
        return self._good("/o/invalidate", await self._connections.json("/o/invalidate", body, RESOURCE_SERVER))

    async def introspected(self, token: str, address: str = "", *, judged: bool = True) -> Any:
        """What introspection says now, compared with what must be true."""
        fields = {"token": token, **({"__client_ip": address} if address else {})}
        asked_at = time.monotonic()
        said = self._good("/o/introspect", await self._connections.form("/o/introspect", fields, RESOURCE_SERVER))
        if judged:
            self.record.heard(token, said, asked_at=asked_at)
        return said

    def _good(self, path: str, answer: Answer) -> Any:
        """The body of a 200. Raises Unanswered while the database is away; anything else is wrong."""
        status, body = answer
        if status == UNAVAILABLE:
            raise Unanswered(path)
        if status not in (200, 202, 204):
            self.record.wrong.append(f"{path}: {status} {body}")
            raise Unanswered(path)
        return body
