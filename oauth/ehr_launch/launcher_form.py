"""What is chosen at /launcher, out of what may be chosen, and the launch that it describes (EL-04, EL-05)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

from accounts.models import User
from oauth.ehr_launch import handles
from oauth.ehr_launch.handles import PreparedLaunch
from oauth.http.option import OPTIONS_LIMIT, Option
from oauth.models import Client, EncounterRecord, FhirIdentity, FhirServer, PatientRecord
from oauth.people import identities
from oauth.people.wording import birth_phrase
from smart.authorize.launch import Context, InvalidContext, parse_context, parse_fhir_context
from smart.fhir.fhir_user import is_practitioner
from smart.fhir.versions import resource_types

NOT_OFFERED = "is not one of those offered; choose again"
LISTS = ("app", "server", "user", "patient", "encounter")
LAUNCH_URL = "launch_url"
TEXTS = ("intent", "tenant", "smart_style_url", "fhir_context")
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Offer(Generic[Row]):
    """The rows of one list, and which of them is chosen."""

    rows: Sequence[Row]
    chosen: Row | None

    @classmethod
    def or_none(cls, rows: Iterable[Row], number: str) -> Self:
        """The row of that number is chosen, else none."""
        rows = list(rows)
        return cls(rows, next((row for row in rows if str(row.pk) == number), None))

    @classmethod
    def or_first(cls, rows: Iterable[Row], number: str) -> Self:
        """The row of that number is chosen, else the first."""
        rows = list(rows)
        return cls(rows, cls.or_none(rows, number).chosen or next(iter(rows), None))

    def options(self, text: Callable[[Row], str]) -> list[Option]:
        return [Option(str(row.pk), text(row), row == self.chosen) for row in self.rows]


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
        sent = _values_sent(data)
        apps = Offer.or_first(filter(handles.safe_launch_urls, handles.launchable_clients()), sent["app"])
        urls = handles.safe_launch_urls(apps.chosen) if apps.chosen else []
        launch_url = sent[LAUNCH_URL] if sent[LAUNCH_URL] in urls else next(iter(urls), "")
        servers = Offer.or_first(apps.chosen.fhir_servers.order_by("pk") if apps.chosen else (), sent["server"])
        users = Offer.or_first(_users(composer, servers.chosen) if servers.chosen else (), sent["user"])
        records = Offer.or_none(_records(users.chosen) if users.chosen else (), sent["patient"])
        visits = Offer.or_none(_visits(records.chosen) if records.chosen else (), sent["encounter"])
        offered = {
            "apps": apps.options(lambda row: f"{row} ({row.client_id})"),
            "launch_urls": [Option(url, url, url == launch_url) for url in urls],
            "servers": servers.options(lambda row: row.name_and_version),
            "users": users.options(lambda row: f"{row.user.username} ({row.user})"),
            "patients": records.options(lambda row: ", ".join(filter(None, (str(row), birth_phrase(row))))),
            "visits": visits.options(lambda row: ", ".join(filter(None, (str(row), row.day, row.place)))),
        }
        banner = handles.default_context()["need_patient_banner"] if data is None else "banner" in data
        chosen = (servers.chosen, users.chosen, records.chosen, visits.chosen)
        return cls(composer, sent, banner, offered, apps.chosen, launch_url, *chosen)

    def prepare(self, address: str) -> PreparedLaunch:
        """The launch that it describes. Raises InvalidContext, also for a choice that is not offered."""
        self._require_offered()
        if self.client is None or self.fhir_server is None or self.identity is None:
            raise InvalidContext("", "app, server and user must be chosen")
        client, url, fhir_server, user = self.client, self.launch_url, self.fhir_server, self.identity.user
        context = self._context(fhir_server)
        operator = self.composer.subject if self.composer.is_staff else ""
        by = {"address": address, "operator": operator, "reason": "at the launcher"}
        made_by = handles.launch_event(client, user, fhir_server, context, **by)
        return handles.prepare(client, url, fhir_server, user, context, vouching=False, made_by=made_by)

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


def _values_sent(data: QueryDict | None) -> dict[str, str]:
    """What was chosen and typed; with nothing sent, what the form begins with."""
    names = (*LISTS, LAUNCH_URL, *TEXTS)
    if data is None:
        return {**dict.fromkeys(names, ""), "smart_style_url": handles.default_context()["smart_style_url"]}
    return {name: str(data.get(name, "")) for name in names}


def _users(composer: User, fhir_server: FhirServer) -> list[FhirIdentity]:
    """Operators launch for anybody, practitioners first; practitioners for themselves."""
    there = FhirIdentity.objects.filter(fhir_server=fhir_server, user__suspended_at=0).select_related("user")
    found = there if composer.is_staff else there.filter(user=composer)
    named = found.select_related("fhir_server").order_by("user__username")[:OPTIONS_LIMIT]
    return sorted(named, key=lambda identity: not is_practitioner(identity.resource))


def _records(identity: FhirIdentity) -> QuerySet[PatientRecord]:
    return identities.shareable_records(identity.user, identity.fhir_server)[:OPTIONS_LIMIT]


def _visits(record: PatientRecord) -> QuerySet[EncounterRecord]:
    return record.encounters.order_by("-day", "encounter")[:OPTIONS_LIMIT]
