"""Keys of a running server: rotated under load, after a crash, and with another key-encryption key."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.codes import CHALLENGE, VERIFIER
from tests.flows.app import REDIRECT_URI, introspect, read, token
from tests.running import ROOT, Server
from tests.waiting import wait_until

SCOPE = "openid fhirUser offline_access launch/patient patient/*.rs"
ANNOUNCED = 2
# an app of amy's that may refresh, and a code for it
LAUNCHED = """
import json, secrets
from accounts import clock
from accounts.models import User
from smart.digests import random_token, sha256_hex
from oauth.models import Authorization, Client, Code
from tests.seeded import r4_server
server, now, person = r4_server(), clock.now(), User.objects.get_queryset().get(username="amy")
for _ in range(3):
    client = Client.objects.create(client_id=secrets.token_hex(8), redirect_uris={uri!r}, scope={scope!r},
        grants="authorization_code refresh_token")
    client.fhir_servers.add(server)
    granted = Authorization.objects.create(client=client, user=person, fhir_server=server, patient="amy",
        scope={scope!r}, context=json.dumps({{"patient": "amy"}}), client_epoch=0, user_epoch=person.epoch,
        auth_time=now)
    code = random_token()
    Code.objects.create(digest=sha256_hex(code), authorization=granted, redirect_uri={uri!r},
        code_challenge={challenge!r}, issued_at=now, expires_at=now + 600_000_000)
    print(client.client_id, code)
"""


@dataclass
class Seen:
    """What apps and watchers of the keys have seen: tokens with the time before they were asked, JWKS with theirs."""

    url: str
    tokens: list[tuple[float, str, str]] = field(default_factory=list)
    published: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def refresh(self, client_id: str, code: str) -> None:
        """An app that exchanges its code and refreshes from then on."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI,
                "code_verifier": VERIFIER}  # fmt: skip
        with httpx.Client(base_url=self.url, timeout=30) as http:
            while not self.over.is_set():
                asked = time.monotonic()
                answer = http.post("/o/token", data={**form, "client_id": client_id})
                if answer.status_code != 200:
                    self.failures.append(answer.text)
                    return
                said = answer.json()
                self.tokens += [(asked, name, said[name]) for name in ("access_token", "id_token") if name in said]
                form = {"grant_type": "refresh_token", "refresh_token": said["refresh_token"]}
                self.over.wait(0.02)

    def signing_keys(self) -> dict[str, int]:
        """How many keys of each algorithm have signed something."""
        return Counter(kid[:5] for kid in {kid_of(token) for _, _, token in list(self.tokens)})

    def has_signed_with(self, number: int) -> bool:
        return self.signing_keys() == {"es256": number, "rs256": number}

    def watch(self) -> None:
        """A reader that fetches the keys again and again, over new connections, so from either process."""
        while not self.over.is_set():
            asked = time.monotonic()
            self.published.append((asked, httpx.get(f"{self.url}/o/jwks", timeout=30).json()))
            self.over.wait(0.05)


@cache
def kid_of(token: str) -> str:
    header: dict[str, str] = json.loads(jwt_part(token))
    return header["kid"]


def jwt_part(token: str) -> bytes:
    from joserfc.util import urlsafe_b64decode

    return urlsafe_b64decode(token.split(".")[0].encode())


def verifies(token: str, published: dict[str, Any]) -> bool:
    try:
        jwt.decode(token, KeySet.import_key_set(published), algorithms=["ES256", "RS256"])  # type: ignore[arg-type]
    except (JoseError, ValueError):
        return False
    return True


@pytest.fixture
def pair() -> Iterator[Server]:
    """Two processes whose next keys may sign after two seconds."""
    made = Server(processes=2, SMARTAUTH_KEY_ANNOUNCED_SECONDS=str(ANNOUNCED))
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()


@pytest.mark.requirement("DS-21", "DS-20", "TV-12")
def test_under_load_five_rotations_break_no_request_and_no_token(pair: Server) -> None:
    seen = Seen(pair.url)
    script = LAUNCHED.format(uri=REDIRECT_URI, challenge=CHALLENGE, scope=SCOPE)
    apps = [line.split() for line in pair.manage("shell", "--no-imports", "-c", script).splitlines()]
    threads = [threading.Thread(target=seen.refresh, args=app) for app in apps]
    threads.append(threading.Thread(target=seen.watch))
    for thread in threads:
        thread.start()

    signed: list[bool] = []
    for number in range(2, 7):
        time.sleep(ANNOUNCED)
        pair.manage("keys", "rotate")
        signed.append(wait_until(partial(seen.has_signed_with, number)))
    seen.over.set()
    for thread in threads:
        thread.join(60)

    assert seen.failures == []
    assert (signed, seen.signing_keys()) == ([True] * 5, {"es256": 6, "rs256": 6})
    # a reader that fetched the keys a second before a token was asked for, or at any time afterwards, knows its key
    published = [(at, {key["kid"] for key in found["keys"]}) for at, found in seen.published]
    for asked, _, issued in seen.tokens:
        assert all(kid_of(issued) in kids for at, kids in published if at > asked - ANNOUNCED / 2)
    assert all(verifies(issued, seen.published[-1][1]) for _, _, issued in seen.tokens[::20])
    assert not verifies(seen.tokens[-1][2], seen.published[0][1])


def test_a_token_of_a_retired_key_is_good_at_introspection_and_at_the_fhir_server(server: Server) -> None:
    old = token(server, client="demo-public")

    server.manage("keys", "rotate", "--now")
    server.manage("keys", "rotate", "--now")

    assert introspect(server, old)["active"] is True
    assert read(server, "Patient/amy", old).status_code == 200
    assert verifies(old, httpx.get(f"{server.url}/o/jwks").json())


def test_a_token_of_a_withdrawn_key_is_alive_at_introspection_but_verifies_no_more(server: Server) -> None:
    old = token(server, client="demo-public")

    server.manage("keys", "withdraw", kid_of(old))

    assert introspect(server, old)["active"] is True
    assert not verifies(old, httpx.get(f"{server.url}/o/jwks").json())


CRASH = """
import os
from oauth.keys import rotation, signing_keys
signing_keys.create_key = lambda *_: os._exit(9)
rotation.rotate(rotation.active_keys().first().kid, urgent=True)
"""


def test_a_crash_in_a_rotation_changes_nothing(server: Server) -> None:
    before = server.manage("keys", "list")

    command = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", CRASH]
    crashed = subprocess.run(command, env=server.environment, cwd=ROOT, capture_output=True, timeout=60)

    assert crashed.returncode == 9
    assert server.manage("keys", "list") == before
    assert token(server)


@pytest.mark.requirement("SB-04", "SB-07")
def test_the_key_encryption_key_is_changed_and_with_neither_nothing_starts(
    own_server: Server,
) -> None:
    old, new = (own_server.folder / "key-encryption-key").read_text(), Fernet.generate_key().decode()
    issued = token(own_server)

    restarted(own_server, f"{new},{old}")
    moved = own_server.manage("keys", "re-encrypt")
    restarted(own_server, new)

    assert moved.count("256-") == 4
    assert introspect(own_server, issued)["active"] is True
    assert read(own_server, "Patient/amy", token(own_server)).status_code == 200
    assert "UNREADABLE" not in own_server.manage("keys", "list")
    with pytest.raises(AssertionError, match="SMARTAUTH_KEY_ENCRYPTION_KEYS lacks the key"):
        restarted(own_server, Fernet.generate_key().decode())


def restarted(server: Server, key_encryption_keys: str) -> None:
    server.stop()
    server.environment |= {"SMARTAUTH_KEY_ENCRYPTION_KEYS": key_encryption_keys}
    server.start()
