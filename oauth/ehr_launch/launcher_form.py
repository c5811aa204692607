"""What is chosen at /launcher, out of what may be chosen, and the launch that it describes (EL-04, EL-05)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self, TypeVar

from django.db.models import Model
from django.http import QueryDict

from accounts import clock
from accounts.models import User
from audit.event_kinds import EventKind
from audit.trail import Event
from oauth.ehr_launch import handles
from oauth.ehr_launch.handles import PreparedLaunch
from oauth.models import Client, EncounterRecord, FhirIdentity, FhirServer, PatientRecord
from oauth.people import identities
from oauth.people.wording import birth_phrase
from smart.authorize.launch import Context, InvalidContext, parse_context, parse_fhir_context
from smart.fhir.fhir_user import is_practitioner
from smart.fhir.versions import resource_types

OPTIONS_LIMIT = 500
NOT_OFFERED = "is not one of those offered; choose again"
LISTS = ("app", "server", "user", "patient", "encounter")
LAUNCH_URL = "launch_url"
TEXTS = ("intent", "tenant", "smart_style_url", "fhir_context")
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a list; the value is the number of its row, or the launch URL itself."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class LauncherForm:
    """What was sent, and the row that each list has chosen; a list depends on what the one before it chose."""

    composer: User
    sent: dict[str, str]
    banner: bool
    offered: dict[str, list[Option]]
    client: Client | None
    launch_url: str
    fhir_server: FhirServer | None
    identity: FhirIdentity | None
    record: PatientRecord | None
    encounter: EncounterRecord | None

    @classmethod
    def of(cls, composer: User, data: QueryDict | None) -> Self:
        """The form as it was sent; with nothing sent, as it begins."""
        sent = {name: str(data.get(name, "")) if data else "" for name in (*LISTS, LAUNCH_URL, *TEXTS)}
        default = handles.default_context()
        if data is None:
            sent["smart_style_url"] = default["smart_style_url"]
        clients = [client for client in handles.launchable_clients() if handles.safe_launch_urls(client)]
        client = _find_row(clients, sent["app"]) or next(iter(clients), None)
        urls = handles.safe_launch_urls(client) if client else []
        launch_url = sent[LAUNCH_URL] if sent[LAUNCH_URL] in urls else next(iter(urls), "")
        servers = list(client.fhir_servers.order_by("pk")) if client else []
        fhir_server = _find_row(servers, sent["server"]) or next(iter(servers), None)
        users = _users(composer, fhir_server) if fhir_server else []
        identity = _find_row(users, sent["user"]) or next(iter(users), None)
        records = (
            list(identities.shareable_records(identity.user, identity.fhir_server)[:OPTIONS_LIMIT]) if identity else []
        )
        record = _find_row(records, sent["patient"])
        visits = list(record.encounters.order_by("-day", "encounter")[:OPTIONS_LIMIT]) if record else []
        encounter = _find_row(visits, sent["encounter"])
        offered = {
            "apps": _options(clients, client, lambda row: f"{row} ({row.client_id})"),
            "launch_urls": [Option(url, url, url == launch_url) for url in urls],
            "servers": _options(servers, fhir_server, lambda row: f"{row}, {row.get_version_display()}"),
            "users": _options(users, identity, lambda row: f"{row.user.username} ({row.user})"),
            "patients": _options(records, record, lambda row: ", ".join(filter(None, (str(row), birth_phrase(row))))),
            "visits": _options(visits, encounter, lambda row: ", ".join(filter(None, (str(row), row.day, row.place)))),
        }
        banner = default["need_patient_banner"] if data is None else "banner" in data
        return cls(composer, sent, banner, offered, client, launch_url, fhir_server, identity, record, encounter)

    def prepared(self, address: str) -> PreparedLaunch:
        """The launch that it describes. Raises InvalidContext, also for a choice that is not offered."""
        self._require_offered()
        if self.client is None or self.fhir_server is None or self.identity is None:
            raise InvalidContext("", "app, server and user must be chosen")
        context = self._context(self.fhir_server)
        made_by = Event(
            kind=EventKind.LAUNCH_PREPARED, at=clock.now(), client=self.client.client_id,
            person=self.identity.user.subject,
            fhir_server=self.fhir_server.base, patient=context.get("patient", ""), address=address,
            operator=self.composer.subject if self.composer.is_staff else "", reason="at the launcher",
        )  # fmt: skip
        return handles.prepare(
            self.client,
            self.launch_url,
            self.fhir_server,
            self.identity.user,
            context,
            vouching=False,
            made_by=made_by,
        )

    def _require_offered(self) -> None:
        rows = (self.client, self.fhir_server, self.identity, self.record, self.encounter)
        for name, row in zip(LISTS, rows, strict=True):
            if self.sent[name] != (str(row.pk) if row else ""):
                raise InvalidContext(name, NOT_OFFERED)
        if self.sent[LAUNCH_URL] not in ("", self.launch_url):
            raise InvalidContext(LAUNCH_URL, NOT_OFFERED)

    def _context(self, fhir_server: FhirServer) -> Context:
        given: Context = {name: self.sent[name].strip() or None for name in TEXTS}
        written = given.pop("fhir_context")
        given["fhirContext"] = parse_fhir_context(written) if written else None
        given["patient"] = self.record.patient if self.record else None
        given["encounter"] = self.encounter.encounter if self.encounter else None
        given["need_patient_banner"] = self.banner
        return parse_context(given, types=resource_types(fhir_server.version))


def _users(composer: User, fhir_server: FhirServer) -> list[FhirIdentity]:
    """Operators launch for anybody, practitioners first; practitioners for themselves."""
    there = FhirIdentity.objects.filter(fhir_server=fhir_server, user__suspended_at=0).select_related("user")
    found = there if composer.is_staff else there.filter(user=composer)
    named = found.select_related("fhir_server").order_by("user__username")[:OPTIONS_LIMIT]
    return sorted(named, key=lambda identity: not is_practitioner(identity.resource))


def _find_row(rows: Iterable[Row], number: str) -> Row | None:
    return next((row for row in rows if str(row.pk) == number), None)


def _options(rows: Iterable[Row], chosen: Row | None, told: Callable[[Row], str]) -> list[Option]:
    return [Option(str(row.pk), told(row), row == chosen) for row in rows]
