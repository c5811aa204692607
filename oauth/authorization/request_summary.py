"""What every page of a waiting request says: who asks, for whose record, and where the answer goes."""

from dataclasses import dataclass
from datetime import date

from oauth.authorization.pending_request import Pending
from oauth.http.redirects import redirect_host
from oauth.models import EncounterRecord, PatientRecord, public_reference
from oauth.people import identities
from smart.text import replace_unsafe_characters
from smart.time_units import to_datetime

NAME_LIMIT = 120


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """The facts about a waiting request that a person sees on every page of it."""

    pending: Pending

    def context(self) -> dict[str, object]:
        """The names that every template of a waiting request uses."""
        asked = self.pending.asked
        picks = asked is not None and asked.needs_patient and not self.pending.launch_patient and not self._skips
        visits = asked is not None and asked.needs_encounter and self.pending.row.launch is None
        about = {"summary": self, "pending": self.pending, "number": public_reference(self.pending.row.pk)}
        return {**about, "picks": picks, "visits": visits}

    @property
    def app(self) -> str:
        return display_name(str(self.pending.row.client))

    @property
    def initials(self) -> str:
        return initials(self.app)

    @property
    def maker(self) -> str:
        return display_name(self.pending.row.client.maker)

    @property
    def server(self) -> str:
        return self.pending.row.fhir_server.name

    @property
    def records_at(self) -> str:
        return f"{self.server} ({self.pending.row.fhir_server.get_version_display()})"

    @property
    def returns_to(self) -> str:
        return redirect_host(self.pending.redirect_uri)

    @property
    def known_since(self) -> str:
        return long_date(to_datetime(self.pending.row.client.registered_at).date())

    @property
    def signed_in_as(self) -> str:
        user = self.pending.row.user
        return f"{user} ({user.username})" if user and user.name else str(user or "")

    @property
    def _skips(self) -> bool:
        user = self.pending.row.user
        return user is not None and identities.sole_own_record(user, self.pending.row.fhir_server) is not None


def initials(name: str) -> str:
    """The mark of an app: no picture is fetched from anywhere."""
    return "".join(word[0] for word in name.split() if word[0].isalnum())[:2].upper() or "?"


def display_name(text: str) -> str:
    """As much of a name as a page has room for, without signs that would turn the sentence around it."""
    text = replace_unsafe_characters(text, "")
    return text if len(text) <= NAME_LIMIT else f"{text[: NAME_LIMIT - 1]}…"


def long_date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def visit_description(encounter: EncounterRecord) -> str:
    """ "Check-up, 3 November 2026, Harbour Clinic", as much of it as is recorded."""
    try:
        day = long_date(date.fromisoformat(encounter.day))
    except ValueError:
        day = encounter.day
    return ", ".join(filter(None, (encounter.kind or "Visit", day, encounter.place)))


def birth_date(record: PatientRecord) -> date | None:
    """The whole date, if it is recorded."""
    try:
        return date.fromisoformat(record.birth_date)
    except ValueError:
        return None


def birth_phrase(record: PatientRecord) -> str:
    """ "born 4 May 2017", or as much of the date as is recorded."""
    whole = birth_date(record)
    shown = long_date(whole) if whole else record.birth_date
    return f"born {shown}" if shown else ""
