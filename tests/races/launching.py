"""What a contender does in the race for one launch handle."""

import os
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.codes import CHALLENGE, REDIRECT_URI
from tests.races.contender import Commands, Form
from tests.seeded import r4_server


class LaunchCommands(Commands):
    """Authorization requests of an EHR launch, and what became of them."""

    def launched(self) -> Form:
        """The authorization request of an app that an EHR has just opened."""
        from oauth.models import Client

        server = r4_server()
        client = Client.objects.create(
            client_id=os.urandom(8).hex(), redirect_uris=REDIRECT_URI, scope="launch patient/*.rs"
        )
        client.fhir_servers.add(server)
        return {
            "response_type": "code", "client_id": client.client_id, "redirect_uri": REDIRECT_URI,
            "scope": "launch patient/*.rs", "state": "s", "aud": server.base, "launch": self._handle(client, server),
            "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        }  # fmt: skip

    def _handle(self, client: Any, server: Any) -> str:
        from accounts import clock
        from accounts.models import User
        from oauth.models import Launch
        from smart.digests import random_token, sha256_hex

        handle = random_token()
        Launch.objects.create(
            digest=sha256_hex(handle), client=client, fhir_server=server, user=User.objects.get(username="dr-green"),
            context='{"patient": "amy"}', expires_at=clock.now() + 300_000_000,
        )  # fmt: skip
        return handle

    def authorize(self, forms: list[Form]) -> list[str]:
        """Sends them all at once: "waits", or the error that went back to the app."""
        return [self._outcome(url) for url in self._loop.run_until_complete(self._sent(forms))]

    async def _sent(self, forms: list[Form]) -> list[str]:
        import asyncio

        self._barrier.wait()
        answers = await asyncio.gather(*(self._client.post("/o/authorize", data=form) for form in forms))
        return [answer.headers["Location"] for answer in answers]

    @staticmethod
    def _outcome(url: str) -> str:
        if re.fullmatch(r"/o/authorize/[A-Za-z0-9_-]{43}", url):
            return "waits"
        return parse_qs(urlsplit(url).query)["error_description"][0]

    def waiting(self, client_id: str) -> int:
        """How many requests of that client wait for a person."""
        from oauth.models import PendingRequest

        return PendingRequest.objects.filter(client__client_id=client_id).count()
