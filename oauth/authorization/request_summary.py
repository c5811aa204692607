"""What every page of a waiting request says: who asks, for whose record, and where the answer goes."""

from dataclasses import dataclass

from oauth.authorization.pending_request import Pending
from oauth.http.redirects import redirect_host
from oauth.models import public_reference
from oauth.people import identities
from oauth.people.wording import display_name, initials, long_date
from smart.time_units import to_datetime


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """The facts about a waiting request that a person sees on every page of it."""

    pending: Pending

    def context(self) -> dict[str, object]:
        """The names that every template of a waiting request uses."""
        authorization_request = self.pending.authorization_request
        picks = (
            authorization_request is not None
            and authorization_request.needs_patient
            and not self.pending.launch_patient
            and not self._skips
        )
        visits = (
            authorization_request is not None
            and authorization_request.needs_encounter
            and self.pending.row.launch is None
        )
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
