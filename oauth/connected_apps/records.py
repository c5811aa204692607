"""Whose records the cards of /apps are about."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import User
from oauth.models import Authorization, FhirIdentity, PatientRecord
from oauth.people.wording import display_name


@dataclass(frozen=True, slots=True)
class Record:
    """Whose record it is about, in the words of a card."""

    name: str
    own: bool
    server: str

    @property
    def of_it(self) -> str:
        if not self.server:
            return "your account here"
        if self.own:
            return "your record"
        return f"the record of {self.name}" if self.name else f"what you may see at {self.server}"


@dataclass(frozen=True, slots=True)
class Records:
    """Whose records a person's authorizations are about, read once for all of them."""

    names: dict[tuple[int, str], str]
    own: frozenset[tuple[int, str]]

    @classmethod
    def of(cls, user: User, found: Iterable[Authorization]) -> "Records":
        places = {(row.fhir_server_id, row.patient) for row in found}
        named = PatientRecord.objects.filter(
            fhir_server__in={server for server, _ in places}, patient__in={patient for _, patient in places}
        )
        identities = FhirIdentity.objects.filter(user=user).values_list("fhir_server_id", "resource")
        return cls(
            {(server, patient): name for server, patient, name in named.values_list("fhir_server", "patient", "name")},
            frozenset((server, resource.removeprefix("Patient/")) for server, resource in identities),
        )

    def about(self, row: Authorization) -> Record:
        place = (row.fhir_server_id, row.patient)
        name = self.names.get(place) or (f"the patient with the number {row.patient}" if row.patient else "")
        server = display_name(row.fhir_server.name) if row.fhir_server.holds_records else ""
        return Record(display_name(name), place in self.own, server)
