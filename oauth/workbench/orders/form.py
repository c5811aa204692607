"""The form of `/dev/tokens`: what it offers, and what was sent as the members that the JSON door takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.http import QueryDict

from accounts.models import User
from oauth.http.option import OPTIONS_LIMIT, Option
from oauth.models import Client, FhirServer
from oauth.workbench.memory.results import GOOD
from oauth.workbench.orders.changes import parse_member
from oauth.workbench.orders.order import NO_PATIENT, InvalidOrder
from oauth.workbench.orders.own_servers import own_servers
from smart.tokens import client_credentials
from smartauth_probe.token_order import DEFAULT_SCOPE, LAUNCH

FIELDS = (*LAUNCH, "no_patient", "lifetime", "claims", "header")
LIFETIMES = {"": "As long as usual", "60": "1 minute", "300": "5 minutes", "3600": "1 hour", "86400": "1 day"}


@dataclass(frozen=True, slots=True)
class TokenForm:
    """What was sent, field by field; with nothing sent, what it begins with."""

    sent: dict[str, str]

    @classmethod
    def of(cls, data: QueryDict) -> Self:
        return cls({name: str(data.get(name, "")) for name in FIELDS})

    @classmethod
    def beginning(cls, base: str = "") -> Self:
        """For that FHIR server; else for the newest one of the developer's own, or the bundled one."""
        server = FhirServer.of(base) if base else _first_own_server()
        found = {"client": _first_client(server), "user": _first_person(server), "scope": DEFAULT_SCOPE}
        return cls({**dict.fromkeys(FIELDS, ""), **found, "aud": server.base if server else ""})

    @property
    def base(self) -> str:
        """The FHIR base that the token is for, "" where that is not clear."""
        if self.sent["aud"]:
            return self.sent["aud"]
        client = Client.of(self.sent["client"])
        bases = [server.base for server in client.fhir_servers.all()[:2]] if client else []
        return str(bases[0]) if len(bases) == 1 else ""

    def members(self, kind: str) -> dict[str, Any]:
        """The JSON that asks `POST /dev/tokens` for the same. Raises InvalidOrder."""
        said: dict[str, Any] = {name: self.sent[name].strip() for name in LAUNCH if self.sent[name].strip()}
        if self.sent["no_patient"]:
            said["patient"] = NO_PATIENT
        if kind != GOOD:
            said["bad"] = kind
        else:
            said.update(self._changes())
        if self.sent["lifetime"]:
            said["lifetime"] = _seconds(self.sent["lifetime"])
        return said

    def _changes(self) -> dict[str, Any]:
        """Changes of a good token; a bad one is wrong in one way only, so they do not count there."""
        lines = [line.strip() for line in self.sent["claims"].splitlines() if line.strip()]
        without = [line[1:].strip() for line in lines if line.startswith("-")]
        claims = dict(parse_member(line, "claims") for line in lines if not line.startswith("-"))
        header = dict(parse_member(line.strip(), "header") for line in self.sent["header"].splitlines() if line.strip())
        found = {"claims": claims, "without": without, "header": header}
        return {name: value for name, value in found.items() if value}

    @property
    def clients(self) -> list[Option]:
        rows = Client.objects.filter(enabled=1).order_by("pk")[:OPTIONS_LIMIT]
        return self._options("client", ((row.client_id, f"{row.client_id} ({row})") for row in rows))

    @property
    def people(self) -> list[Option]:
        rows = _people()[:OPTIONS_LIMIT]
        named = [(row.username, f"{row} ({row.username})") for row in rows]
        return self._options("user", [*named, ("", "Nobody: for a backend service")])

    @property
    def servers(self) -> list[Option]:
        rows = FhirServer.objects.order_by("pk")[:OPTIONS_LIMIT]
        named = [(row.base, f"{row}, {row.base}") for row in rows]
        return self._options("aud", [("", "The only one of the client"), *named])

    @property
    def lifetimes(self) -> list[Option]:
        return self._options("lifetime", LIFETIMES.items())

    def _options(self, name: str, offered: Iterable[tuple[str, str]]) -> list[Option]:
        return [Option(value, text, value == self.sent[name]) for value, text in offered]


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise InvalidOrder("It takes a number of seconds.", "lifetime")
    return int(text)


def _people() -> Any:
    """Those who may sign in and are somebody at a FHIR server."""
    rows = User.objects.get_queryset().filter(suspended_at=0, identities__isnull=False)
    return rows.distinct().order_by("pk")


def _first_person(server: FhirServer | None) -> str:
    rows = _people().filter(identities__fhir_server=server) if server else _people()
    return next((row.username for row in rows[:1]), "")


def _first_client(server: FhirServer | None) -> str:
    """The first that asks for people."""
    rows = Client.objects.filter(enabled=1, **({"fhir_servers": server} if server else {"fhir_servers__isnull": False}))
    found = rows.distinct().order_by("pk")[:OPTIONS_LIMIT]
    return next((row.client_id for row in found if row.grants.split() != [client_credentials.GRANT]), "")


def _first_own_server() -> FhirServer | None:
    """The newest that is not the bundled one, and for whose tokens somebody may ask."""
    return next((server for server in own_servers() if _first_client(server) and _first_person(server)), None)
