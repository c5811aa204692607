"""What contenders do about refreshing: launches with a refresh token to use up, and signing the person out."""

import os
from typing import Any

from tests.codes import REDIRECT_URI
from tests.races.contender import Commands, Form, code_for
from tests.seeded import r4_server

SCOPE = "offline_access launch/patient patient/*.rs"
ONLINE = "online_access launch/patient patient/*.rs"


class RefreshCommands(Commands):
    """Commands about refresh tokens."""

    def grace(self, seconds: int) -> None:
        """The grace window of this process from now on."""
        from django.conf import settings

        self._barrier.wait()
        settings.SMARTAUTH_REFRESH_GRACE_SECONDS = seconds

    def idle(self, seconds: int) -> None:
        """How long a refresh token that this process issues may lie unused."""
        from django.conf import settings

        settings.SMARTAUTH_REFRESH_IDLE_SECONDS = seconds

    def successors(self, token: str) -> int:
        """How many tokens were issued for this one."""
        from oauth.models import RefreshToken
        from smart.digests import sha256_hex

        return RefreshToken.objects.filter(predecessor__digest=sha256_hex(token)).count()

    def codes(self, number: int, **fields: Any) -> list[Form]:
        """The exchanges of that many codes of one new client and person, who may refresh."""
        from accounts.models import User
        from oauth.models import ActsFor, Client, FhirIdentity, PatientRecord

        server = r4_server()
        client = Client.objects.create(
            client_id=os.urandom(8).hex(),
            redirect_uris=REDIRECT_URI,
            grants="authorization_code refresh_token",
            scope=f"{SCOPE} {ONLINE}",
        )
        client.fhir_servers.add(server)
        person = User.objects.create(username=os.urandom(8).hex())
        identity = FhirIdentity.objects.create(user=person, fhir_server=server, resource="Patient/amy")
        ActsFor.objects.create(identity=identity, record=PatientRecord.objects.get(fhir_server=server, patient="amy"))
        return [code_for(client, person, server, **{"scope": SCOPE, **fields}) for _ in range(number)]

    def launches(self, number: int) -> list[tuple[str, Form]]:
        """Launches of different clients and people: each access token, and the form that refreshes it."""
        return [self._launched() for _ in range(number)]

    def online(self, number: int, session: str) -> list[tuple[str, Form]]:
        """The same with online_access, all in one session."""
        from accounts import clock
        from smart.digests import sha256_hex

        ends_at = clock.now() + 3_600_000_000
        fields = {"scope": ONLINE, "session_digest": sha256_hex(session), "session_ends_at": ends_at}
        return [self._launched(**fields) for _ in range(number)]

    def _launched(self, **fields: Any) -> tuple[str, Form]:
        (code,) = self.codes(1, **fields)
        ((_, answer),) = self.quietly([code])
        return answer["access_token"], refresh(code["client_id"], answer["refresh_token"])

    def quietly(self, forms: list[Form]) -> list[tuple[int, Any]]:
        """Status and JSON of token requests that race with nobody."""
        return self._loop.run_until_complete(self._post("/o/token", forms, lambda: None))

    def keep(self, client_id: str, number: int) -> None:
        """Its person may have so many tokens from now on."""
        from oauth.models import Client

        Client.objects.filter(client_id=client_id).update(tokens_to_keep=number)

    def numbers(self, client_id: str) -> tuple[list[int], int]:
        """The numbers of its tokens in their seat, and the latest that the seat knows."""
        from oauth.models import AccessToken, Seat

        tokens = AccessToken.objects.filter(authorization__client__client_id=client_id)
        seat = Seat.objects.get(pk__in=tokens.values("seat"))
        return sorted(tokens.values_list("seat_number", flat=True)), seat.latest_number

    def sign_out(self, session: str) -> None:
        """What signing out does with the authorizations of that session."""
        from accounts import clock
        from oauth.ending.selection import Actor
        from oauth.ending.sessions import end_online_access

        self._barrier.wait()
        end_online_access([session], Actor(now=clock.now(), address="192.0.2.7"))


def refresh(client_id: str, token: str) -> Form:
    return {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}
