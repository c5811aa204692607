"""A small load of exchanges, refreshes and revocations, and what the server acknowledged before it was killed."""

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from tests.codes import CHALLENGE, VERIFIER
from tests.flows.app import REDIRECT_URI, RESOURCE_SERVER
from tests.running import Server

CODES = 400
SCOPE = "offline_access patient/*.rs"
# one client and one person for each code: every token has a seat of its own and none supersedes another
MAKE = """
import json, secrets
from accounts import clock
from accounts.models import User
from smart.digests import random_token, sha256_hex
from oauth.models import Authorization, Client, Code
from tests.seeded import r4_server
server, now = r4_server(), clock.now()
for number in range({codes}):
    name = secrets.token_hex(8)
    client = Client.objects.create(client_id=name, redirect_uris={uri!r}, scope={scope!r},
        grants="authorization_code refresh_token")
    client.fhir_servers.add(server)
    person = User.objects.create(username=name)
    granted = Authorization.objects.create(client=client, user=person, fhir_server=server, patient="amy",
        scope={scope!r}, context=json.dumps({{"patient": "amy"}}), client_epoch=0, user_epoch=0,
        patient_vouched=1)
    code = random_token()
    Code.objects.create(digest=sha256_hex(code), authorization=granted, redirect_uri={uri!r},
        code_challenge={challenge!r}, issued_at=now, expires_at=now + 600_000_000)
    print(name, code)
"""


@dataclass
class Load:
    """Threads that buy tokens and end some. What was acknowledged is written down after the answer came."""

    server: Server
    codes: list[tuple[str, str]]
    consumed: list[tuple[str, str]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    refresh_tokens: dict[str, str] = field(default_factory=dict)

    def until_killed(self, kill: Callable[[], None], *, after: int, threads: int = 4) -> None:
        """Runs until everything is dead; the killing begins after that many acknowledged exchanges."""
        waiting = list(self.codes)
        running = [threading.Thread(target=self._work, args=(waiting,)) for _ in range(threads)]
        for thread in running:
            thread.start()
        deadline = time.monotonic() + 60
        while len(self.tokens) < after and time.monotonic() < deadline:
            time.sleep(0.005)
        kill()
        for thread in running:
            thread.join(60)
        assert len(self.tokens) < len(self.codes), "everything was over before the kill"

    def _work(self, waiting: list[tuple[str, str]]) -> None:
        with httpx.Client(base_url=self.server.url, timeout=5) as http, suppress(IndexError):
            while True:
                client, code = waiting.pop()
                if not self._bought(http, client, code):
                    return

    def _bought(self, http: httpx.Client, client: str, code: str) -> bool:
        """One exchange; every third token is ended again, every third refreshed. Whether the server still answered."""
        try:
            answer = http.post("/o/token", data=exchange(client, code))
            if answer.status_code != 200:
                return False
            token = answer.json()["access_token"]
            self.tokens[token] = client
            self.consumed.append((client, code))
            then = secrets.randbelow(3)
            if then == 1:
                self._refresh(http, client, token, answer.json()["refresh_token"])
            if then == 0:
                self.begun.add(token)
                if http.post("/o/revoke", data={"token": token, "client_id": client}).status_code == 200:
                    self.revoked.add(token)
        except httpx.HTTPError:
            return False
        return True

    def _refresh(self, http: httpx.Client, client: str, token: str, refresh_token: str) -> None:
        self.begun.add(token)
        answer = http.post("/o/token", data=refresh(client, refresh_token))
        if answer.status_code == 200:
            self.tokens[answer.json()["access_token"]] = client
            self.refresh_tokens[client] = answer.json()["refresh_token"]

    @property
    def untouched(self) -> set[str]:
        """Tokens that were handed out and that nobody began to end."""
        return set(self.tokens) - self.begun


def prepare(server: Server) -> Load:
    """Codes that wait to be exchanged."""
    script = MAKE.format(codes=CODES, uri=REDIRECT_URI, challenge=CHALLENGE, scope=SCOPE)
    made = [line.split() for line in server.manage("shell", "--no-imports", "-c", script).splitlines()]
    return Load(server, [(client, code) for client, code in made])


def exchange(client: str, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code", "client_id": client, "code": code, "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }  # fmt: skip


def refresh(client: str, token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "client_id": client, "refresh_token": token}


def activity(server: Server, tokens: set[str]) -> dict[str, bool]:
    """What introspection says of each."""
    with httpx.Client(base_url=server.url, timeout=30) as http:
        asked = {token: http.post("/o/introspect", data={"token": token}, auth=RESOURCE_SERVER) for token in tokens}
    return {token: answer.json()["active"] for token, answer in asked.items()}
