"""What contenders do when access is ended while others get some: a resource server that ends, people who allow."""

import json
import os
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.codes import CHALLENGE, REDIRECT_URI, VERIFIER
from tests.races.contender import Form
from tests.races.refreshing import RefreshCommands
from tests.seeded import r4_server

CALLER = ("demo-resource-server", "demo-resource-server-secret")


class InvalidateCommands(RefreshCommands):
    """Commands about ending what others are just getting."""

    def side_by_side(self, number: int) -> tuple[list[Form], dict[str, dict[str, str]]]:
        """Codes of one new client and person whose tokens do not end each other; what an invalidation may name."""
        from oauth.models import Authorization, Client

        patient = f"p-{os.urandom(6).hex()}"
        forms = self.codes(number)
        client_id = forms[0]["client_id"]
        Client.objects.filter(client_id=client_id).update(supersede="off")
        rows = Authorization.objects.filter(client__client_id=client_id)
        rows.update(patient=patient, context=json.dumps({"patient": patient}))
        row = rows.select_related("user").first()
        assert row is not None
        assert row.user is not None
        aud = {"aud": r4_server().base}
        return forms, {
            "sub": {"sub": row.user.subject},
            "client_id": {"client_id": client_id},
            "patient": {"patient": patient, **aud},
        }

    def invalidate(self, target: dict[str, str]) -> tuple[int, Any]:
        """What a resource server hears, once all are ready."""
        return self._loop.run_until_complete(self._json("/o/invalidate", target))

    def report(self, token: str, times: int, refusals: int = 1) -> list[int]:
        """The statuses of so many reports, of one refusal each or of several."""
        self._barrier.wait()
        sent = {"token": token, "status": 403, "count": refusals}
        return [self._loop.run_until_complete(self._json("/o/report", sent, wait=False))[0] for _ in range(times)]

    async def _json(self, path: str, body: dict[str, Any], *, wait: bool = True) -> tuple[int, Any]:
        if wait:
            self._barrier.wait()
        answer = await self._client.post(path, json=body, auth=CALLER)
        return answer.status_code, answer.json() if answer.content else None

    def events(self, kind: str, client_id: str) -> int:
        from audit.models import OutboxEvent

        return OutboxEvent.objects.filter(kind=kind, client=client_id).count()

    # Consent ------------------------------------------------------------------------------------------------------

    def app_for_amy(self) -> tuple[str, dict[str, dict[str, str]]]:
        """A new client, and what an invalidation may name of a new person's access with it."""
        from accounts.models import User
        from oauth.models import ActsFor, Client, FhirIdentity, PatientRecord

        server = r4_server()
        client = Client.objects.create(
            client_id=os.urandom(8).hex(), redirect_uris=REDIRECT_URI, scope="launch/patient patient/*.rs",
            supersede="off",
        )  # fmt: skip
        client.fhir_servers.add(server)
        patient = f"p-{client.client_id}"
        person = User.objects.create(username=client.client_id)
        identity = FhirIdentity.objects.create(user=person, fhir_server=server, resource=f"Patient/{patient}")
        record = PatientRecord.objects.create(fhir_server=server, patient=patient, name="Amy")
        ActsFor.objects.create(identity=identity, record=record)
        targets: dict[str, dict[str, str]] = {
            "sub": {"sub": person.subject},
            "client_id": {"client_id": client.client_id},
            "patient": {"patient": patient, "aud": server.base},
        }
        return client.client_id, targets

    def asked(self, client_id: str) -> None:
        """Gets as far as the consent page, signed in in a browser of its own."""
        from django.test import Client as Browser

        from accounts.models import User

        self._app, self._browser = client_id, Browser(SERVER_NAME="127.0.0.1")
        self._browser.force_login(User.objects.get(username=client_id))
        request = {
            "response_type": "code", "client_id": client_id, "redirect_uri": REDIRECT_URI, "state": "s",
            "scope": "launch/patient patient/Patient.rs", "aud": r4_server().base,
            "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        }  # fmt: skip
        page: Any = self._browser.get("/o/authorize", request)
        while page.status_code == 303:
            self._at = page.headers["Location"]
            page = self._browser.get(self._at)
        text = page.content.decode()
        self._form: dict[str, Any] = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', text))
        self._form = {name: unescape(value) for name, value in self._form.items()}
        for name in ("ask", "ask-time"):
            self._form[name] = re.findall(rf'name="{name}" value="(\d+)" checked', text)
        assert self._at.endswith("/consent"), text

    def allow(self) -> Form | None:
        """Says yes once all are ready: the exchange of the code that came of it, if one did."""
        self._barrier.wait()
        answer: Any = self._browser.post(self._at, {**self._form, "answer": "allow"})
        query = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        if "code" not in query:
            return None
        return {
            "grant_type": "authorization_code", "client_id": self._app,
            "code": query["code"][0], "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER,
        }  # fmt: skip
