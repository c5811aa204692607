"""Processes that race: each runs the whole server on the same databases, and all start at one barrier."""

import asyncio
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any
from unittest.mock import patch

from tests.codes import REDIRECT_URI, VERIFIER, waiting_code
from tests.races.processes import work_beside_others
from tests.running import Server
from tests.seeded import r4_server

SPAWN = multiprocessing.get_context("spawn")
Form = dict[str, str]


class Contender:
    """One process of its own. Commands go in, results come out."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def begin(self, name: str, *arguments: Any) -> None:
        self._pipe.send((name, arguments))

    def end(self) -> Any:
        if not self._pipe.poll(90):
            raise AssertionError("a contender did not answer")
        result = self._pipe.recv()
        if isinstance(result, BaseException):
            raise result
        return result

    def do(self, name: str, *arguments: Any) -> Any:
        self.begin(name, *arguments)
        return self.end()


class Contest:
    """Several contenders, and what they are asked to do at the same moment."""

    def __init__(self, processes: int, commands: "type[Commands]") -> None:
        self._barrier = SPAWN.Barrier(processes)  # kept: who is not yet started opens it by name
        pipes = [SPAWN.Pipe() for _ in range(processes)]
        self.contenders = [Contender(ours) for ours, _ in pipes]
        theirs = [pipe for _, pipe in pipes]
        self._first = SPAWN.Process(target=work_beside_others, args=(theirs, self._barrier, commands), daemon=True)
        self._first.start()

    def post(self, path: str, forms: list[Form]) -> list[tuple[int, Any]]:
        """Status and JSON of every form, spread over all processes, sent at one moment."""
        shares = [forms[number :: len(self.contenders)] for number in range(len(self.contenders))]
        for contender, share in zip(self.contenders, shares, strict=True):
            contender.begin("post", path, share)
        return [answer for contender in self.contenders for answer in contender.end()]

    def everywhere(self, name: str, *arguments: Any) -> list[Any]:
        """The result of a command that all run, each after the barrier."""
        for contender in self.contenders:
            contender.begin(name, *arguments)
        return [contender.end() for contender in self.contenders]

    def alone(self, name: str, *arguments: Any) -> Any:
        """The result of a command that one of them runs."""
        return self.contenders[0].do(name, *arguments)

    def close(self) -> None:
        with suppress(ProcessLookupError):  # it has no group yet
            os.killpg(self._first.pid or 0, signal.SIGKILL)
        self._first.kill()
        self._first.join()


@contextmanager
def contest(server: Server, processes: int, commands: "type[Commands] | None" = None) -> Iterator[Contest]:
    """Contenders on the databases of that server, who know these commands."""
    with patch.dict(os.environ, server.environment):
        made = Contest(processes, commands or Commands)
    try:
        yield made
    finally:
        made.close()


class Commands:
    """What a contender can do."""

    def __init__(self, application: Callable[[Any, Any, Any], Coroutine[None, None, None]], barrier: Barrier) -> None:
        import httpx

        self._barrier = barrier
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url="http://127.0.0.1", timeout=60
        )

    def post(self, path: str, forms: list[Form]) -> list[tuple[int, Any]]:
        return self._loop.run_until_complete(self._post(path, forms, self._barrier.wait))

    async def _post(self, path: str, forms: list[Form], ready: Callable[[], object]) -> list[tuple[int, Any]]:
        ready()
        answers = await asyncio.gather(*(self._client.post(path, data=form) for form in forms))
        return [(answer.status_code, answer.json() if answer.content else None) for answer in answers]

    def make(self, codes: int) -> list[Form]:
        """The exchanges of that many codes of one new client, person and base."""
        from accounts.models import User
        from oauth.models import Client

        server = r4_server()
        client = Client.objects.create(client_id=os.urandom(8).hex(), redirect_uris=REDIRECT_URI)
        person = User.objects.create(username=os.urandom(8).hex())
        return [code_for(client, person, server) for _ in range(codes)]

    def alive(self, tokens: list[str]) -> int:
        """How many of these are active for the demo resource server."""
        caller = {"client_id": "demo-resource-server", "client_secret": "demo-resource-server-secret"}
        forms = [{"token": token, **caller} for token in tokens]
        answers = self._loop.run_until_complete(self._post("/o/introspect", forms, lambda: None))
        return sum(answer["active"] for _, answer in answers)

    def first_start(self, folder: str) -> tuple[str, list[str]]:
        """What a process finds that starts for the first time together with others."""
        from pathlib import Path

        from oauth.keys import signing_keys
        from oauth.models import SigningKey
        from smartauth.first_start import read_or_create_secret

        self._barrier.wait()
        secret = read_or_create_secret(Path(folder) / "drawn")
        signing_keys.ensure_keys()
        return secret, sorted(SigningKey.objects.filter(state="active").values_list("kid", flat=True))

    def forget_keys(self) -> None:
        from oauth.models import SigningKey

        SigningKey.objects.all().delete()


def code_for(client: Any, person: Any, server: Any, **fields: Any) -> Form:
    """The exchange of a code for an authorization with these fields."""
    from oauth.models import Authorization

    scope = fields.pop("scope", "patient/*.rs")
    client.fhir_servers.add(server)
    type(client).objects.filter(pk=client.pk).update(scope=scope)
    authorization = Authorization.objects.create(
        client=client,
        user=person,
        fhir_server=server,
        patient="amy",
        context=json.dumps({"patient": "amy"}),
        patient_vouched=1,
        client_epoch=client.epoch,
        user_epoch=person.epoch,
        fhir_server_epoch=server.epoch,
        scope=scope,
        **fields,
    )
    return {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "code": waiting_code(authorization, life=600_000_000),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
