"""Lives of tokens under load, on several web machines, and what was acknowledged to each of them.

Each life is one person with one app of their own and one code, and does one thing after the other, so what is known of
it is certain. What is not answered may have happened or not: nothing is claimed of it afterwards.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.codes import CHALLENGE, REDIRECT_URI, VERIFIER
from tests.flows.app import RESOURCE_SERVER
from tests.kill.wire import Connections, Unanswered
from tests.running import Server

SCOPE = "patient/*.rs offline_access"
AT_ONCE, WATCHERS = 24, 4
CHANGES_OF_A_LIFE = 2.5  # at least, on average
SPARE = 1500  # lives for as long as what happens halfway takes
MAKE = """
import json, secrets
from accounts import clock
from accounts.models import User
from smart.digests import random_token, sha256_hex
from oauth.models import Authorization, Client, Code
from tests.seeded import r4_server
server, now, names = r4_server(), clock.now(), [secrets.token_hex(8) for _ in range({lives})]
clients = Client.objects.bulk_create([Client(client_id=name, redirect_uris={uri!r}, scope={scope!r},
    grants="authorization_code refresh_token") for name in names])
link = Client.fhir_servers.through
link.objects.bulk_create([link(client_id=client.pk, fhirserver_id=server.pk) for client in clients])
people = User.objects.bulk_create([User(username=name) for name in names])
granted = Authorization.objects.bulk_create([Authorization(client=client, user=person, fhir_server=server,
    patient=client.client_id, scope={scope!r}, requested_scope={scope!r}, patient_vouched=1,
    context=json.dumps({{"patient": client.client_id}}), client_epoch=0, user_epoch=0)
    for client, person in zip(clients, people)])
codes = [random_token() for _ in names]
Code.objects.bulk_create([Code(digest=sha256_hex(code), authorization=each, redirect_uri={uri!r},
    code_challenge={challenge!r}, issued_at=now, expires_at=now + 3_600_000_000) for code, each in zip(codes, granted)])
for client, person, code in zip(clients, people, codes):
    print(json.dumps({{"client": client.client_id, "person": person.subject, "code": code}}))
"""


@dataclass
class Life:
    """What was acknowledged of one person's one app. A token that may have ended is neither `live` nor `dead`."""

    client: str
    person: str
    code: str
    is_code_consumed: bool = False
    live: str = ""
    dead: list[str] = field(default_factory=list)
    refresh_token: str = ""
    spent: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    async def run(self, load: "Load") -> None:
        """Raises Unanswered, after which nothing more is done."""
        form = {"grant_type": "authorization_code", "code": self.code, "redirect_uri": REDIRECT_URI}
        self._receive(await self._post(load, "/o/token", {**form, "code_verifier": VERIFIER}))
        self.is_code_consumed = True
        self._count(load, "issued")
        for _ in range(random.randint(0, 3)):
            await self._refresh(load)
        ending = random.choice((None, self._revoke, self._disconnect, self._invalidate))
        if ending is not None:
            await ending(load)

    def _receive(self, answer: Any) -> None:
        self.live, self.refresh_token = answer["access_token"], answer["refresh_token"]

    async def _refresh(self, load: "Load") -> None:
        token, spent = self._in_doubt()
        form = {"grant_type": "refresh_token", "refresh_token": spent}
        self._receive(await self._post(load, "/o/token", form))
        self.dead.append(token)
        self.spent.append(spent)
        self._count(load, "refreshed")

    async def _revoke(self, load: "Load") -> None:
        token, self.live = self.live, ""
        await self._post(load, "/o/revoke", {"token": token})
        self.dead.append(token)
        self._count(load, "revoked")

    async def _disconnect(self, load: "Load") -> None:
        token, refresh_token = self._in_doubt()
        await self._post(load, "/o/revoke", {"token": refresh_token})
        self._ended(load, "disconnected", token, refresh_token)

    async def _invalidate(self, load: "Load") -> None:
        token, refresh_token = self._in_doubt()
        await load.invalidate({"sub": self.person})
        self._ended(load, "invalidated", token, refresh_token)

    def _in_doubt(self) -> tuple[str, str]:
        """Both tokens, of which nobody knows anything until the next answer."""
        found, self.live, self.refresh_token = (self.live, self.refresh_token), "", ""
        return found

    def _ended(self, load: "Load", change: str, token: str, refresh_token: str) -> None:
        self.dead.append(token)
        self.spent.append(refresh_token)
        self._count(load, change)

    def _count(self, load: "Load", change: str) -> None:
        self.done[change] += 1
        load.changes += 1

    async def _post(self, load: "Load", path: str, form: dict[str, str]) -> Any:
        return await load.form(path, {"client_id": self.client, **form})


class Load:
    """Runs lives until so many changes were acknowledged, a fifth of them and more after what happens halfway.

    `wrong` is what no server may answer.
    """

    def __init__(self, servers: list[Server], *, changes: int) -> None:
        script = MAKE.format(
            lives=int(1.25 * changes / CHANGES_OF_A_LIFE) + SPARE, uri=REDIRECT_URI, scope=SCOPE, challenge=CHALLENGE
        )
        made = servers[0].manage("shell", "--no-imports", "-c", script).splitlines()
        self.lives = [Life(**json.loads(line)) for line in made]
        self.base = f"{servers[0].environment['SMARTAUTH_ISSUER']}/fhir/r4"
        self.wrong: list[str] = []
        self.changes = self.unanswered = 0
        self._machines = [server.listens_at for server in servers]
        self._target, self._begun, self._is_past_half = changes, 0, False

    def run(self, *, halfway: Callable[[], None]) -> None:
        """`halfway` runs in a thread once half of the changes are acknowledged, while the load goes on."""
        asyncio.run(self._run(halfway))

    @property
    def begun(self) -> list[Life]:
        return self.lives[: self._begun]

    async def _run(self, halfway: Callable[[], None]) -> None:
        self._connections = [Connections(url) for url in self._machines]
        work = [asyncio.create_task(self._work()) for _ in range(AT_ONCE)]
        watchers = [asyncio.create_task(self._watch()) for _ in range(WATCHERS)]
        while self.changes < self._target / 2 and not all(task.done() for task in work):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.to_thread(halfway)
        self._target, self._is_past_half = max(self._target, self.changes + self._target // 4), True
        await asyncio.gather(*work)
        for task in watchers:
            task.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        for connections in self._connections:
            await connections.close()

    async def _work(self) -> None:
        while (self.changes < self._target or not self._is_past_half) and self._begun < len(self.lives):
            life, self._begun = self.lives[self._begun], self._begun + 1
            try:
                await life.run(self)
            except Unanswered:
                self.unanswered += 1
                await asyncio.sleep(0.3)

    async def _watch(self) -> None:
        """What is dead stays so, whichever machine is asked and whatever happens behind it."""
        while True:
            dead = [token for life in self.begun[-200:] for token in life.dead]
            if not dead:
                await asyncio.sleep(0.02)
                continue
            try:
                answer = await self.form("/o/introspect", {"token": random.choice(dead)}, RESOURCE_SERVER)
                if answer["active"]:
                    self.wrong.append("a token was active after its end was acknowledged")
            except Unanswered:
                await asyncio.sleep(0.1)

    async def form(self, path: str, fields: dict[str, str], auth: tuple[str, str] | None = None) -> Any:
        """The body of a 200, of any of the machines. Raises Unanswered."""
        return self._good(path, await random.choice(self._connections).form(path, fields, auth))

    async def invalidate(self, target: dict[str, str]) -> None:
        body = {**target, "aud": self.base}
        answer = await random.choice(self._connections).json("/o/invalidate", body, RESOURCE_SERVER)
        self._good("/o/invalidate", answer)

    def _good(self, path: str, answer: tuple[int, Any]) -> Any:
        status, body = answer
        if status != 503 and not 200 <= status < 300:
            self.wrong.append(f"{path}: {status} {body}")
        if not 200 <= status < 300:
            raise Unanswered(path)
        return body
