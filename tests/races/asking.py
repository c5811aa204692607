"""What contenders do as a backend service: many of its workers ask at the same moment."""

import asyncio
import os
from typing import Any

from tests.conftest import SECRET, basic
from tests.races.contender import Commands
from tests.seeded import r4_server

SCOPE = "system/*.rs"


class ServiceCommands(Commands):
    """Commands about client_credentials."""

    def service(self, keep: int) -> str:
        """A new backend service that keeps so many tokens, and has asked for none."""
        from oauth.clients.secrets import client_secret_digest
        from oauth.models import Client

        client_id = os.urandom(8).hex()
        client = Client.objects.create(
            client_id=client_id,
            authentication="secret",
            secret_digest=client_secret_digest(client_id, SECRET),
            grants="client_credentials",
            backend_by_secret=1,
            scope=SCOPE,
            tokens_to_keep=keep,
        )
        client.fhir_servers.add(r4_server())
        return client_id

    def ask(self, client_id: str, number: int) -> list[tuple[int, Any]]:
        """Status and JSON of so many token requests of the service, sent once everybody is ready."""
        return self._loop.run_until_complete(self._ask(client_id, number))

    async def _ask(self, client_id: str, number: int) -> list[tuple[int, Any]]:
        form, headers = {"grant_type": "client_credentials", "scope": SCOPE}, basic(client_id, SECRET)
        self._barrier.wait()
        asked = (self._client.post("/o/token", data=form, headers=headers) for _ in range(number))
        return [(answer.status_code, answer.json()) for answer in await asyncio.gather(*asked)]

    def end_access(self, client_id: str) -> None:
        """What an operator does who ends all access of the service."""
        from oauth.models import Client

        self._barrier.wait()
        Client.objects.filter(client_id=client_id).advance_epoch()

    def standing(self, client_id: str) -> int:
        """How many authorizations it has."""
        from oauth.models import Authorization

        return Authorization.objects.filter(client__client_id=client_id).count()
