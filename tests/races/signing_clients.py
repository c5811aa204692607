"""What contenders do about clients that sign: register one, and let time pass since its keys were fetched."""

import os

from tests.races.contender import Commands


class SigningCommands(Commands):
    """Commands about clients with keys."""

    def client(self, jwks: str = "", jwks_uri: str = "") -> str:
        """A new client with these keys, or with keys at this address."""
        from oauth.models import Client

        client_id = os.urandom(8).hex()
        Client.objects.create(client_id=client_id, authentication="keys", jwks=jwks, jwks_uri=jwks_uri)
        return client_id

    def later(self, client_id: str, seconds: int) -> None:
        """As if so many seconds had passed since this client's keys were fetched."""
        from django.db.models import F

        from oauth.models import FetchedKeys

        passed = seconds * 1_000_000
        FetchedKeys.objects.filter(client__client_id=client_id).update(
            asked_at=F("asked_at") - passed, fetched_at=F("fetched_at") - passed, fresh_until=F("fresh_until") - passed
        )
