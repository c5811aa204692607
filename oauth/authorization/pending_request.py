"""The authorization request while it waits for a person: what was asked, what is chosen, one answer (AZ-20, E40)."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.rows import only_row
from oauth.ehr_launch.handles import stored_context
from oauth.models import EncounterRecord, PatientRecord, PendingRequest
from oauth.people import identities
from smart.authorize.request import AuthorizationRequest
from smart.http.addresses import caller_network
from smart.time_units import CLOCK_SKEW


class Expired(Exception):
    """The request waited longer than it may."""

    def __init__(self, pending: "Pending") -> None:
        super().__init__("the request waited too long")
        self.pending = pending


class AlreadyAnswered(Exception):
    """The request has its answer; there is no second one."""

    def __init__(self, pending: "Pending") -> None:
        super().__init__("the request was answered before")
        self.pending = pending


@dataclass(frozen=True, slots=True)
class Pending:
    """A waiting request: its row, the handle in its URL, and what was asked (nothing if it was refused already)."""

    row: PendingRequest
    handle: str
    redirect_uri: str
    state: str
    refused: str = ""
    authorization_request: AuthorizationRequest | None = None

    @classmethod
    def of(cls, row: PendingRequest, handle: str) -> Self:
        kept = json.loads(row.request)
        authorization_request = kept.pop("asked")  # its name in rows that wait since an older version
        return cls(
            row,
            handle,
            authorization_request=AuthorizationRequest(**authorization_request) if authorization_request else None,
            **kept,
        )

    @property
    def url(self) -> str:
        return f"/o/authorize/{self.handle}"

    @property
    def request(self) -> AuthorizationRequest:
        """What was asked. Only for a request that was not refused."""
        if self.authorization_request is None:
            raise ValueError("this request was refused already")
        return self.authorization_request

    @property
    def patient(self) -> PatientRecord | None:
        """The record that was chosen for it."""
        found = PatientRecord.objects.filter(fhir_server=self.row.fhir_server, patient=self.row.patient)
        return only_row(found.select_related("fhir_server")) or self._vouched_patient

    @property
    def encounter(self) -> EncounterRecord | None:
        """The visit that was chosen for it."""
        return only_row(identities.encounters(self.patient).filter(encounter=self.row.encounter))

    @property
    def needs_encounter_choice(self) -> bool:
        """Whether a visit is still to be chosen: the app wants to know one, no EHR has told it, and there is one."""
        wanted = self.request.needs_encounter and self.row.launch is None
        return wanted and self.encounter is None and identities.encounters(self.patient).exists()

    @property
    def _vouched_patient(self) -> PatientRecord | None:
        """The patient of an EHR's launch, if our own list does not have them."""
        if self.row.launch is None or not self.row.patient:
            return None
        return PatientRecord(fhir_server=self.row.fhir_server, patient=self.row.patient)

    @property
    def launch_patient(self) -> str:
        """The patient that the EHR has chosen already, if it has."""
        return self._launch_value("patient")

    def _launch_value(self, member: str) -> str:
        return str(stored_context(self.row.launch).get(member, "")) if self.row.launch else ""

    @property
    def launch_user_id(self) -> int | None:
        """The only user who may answer, if the EHR launched it."""
        return self.row.launch.user_id if self.row.launch else None

    def is_meant_for(self, user: User) -> bool:
        """Whether this is the user of the EHR's launch, and the one that the app expects (E27, E43)."""
        expected = self.authorization_request.subject if self.authorization_request else ""
        return self.launch_user_id in (None, user.pk) and expected in ("", user.subject)

    def is_assigned_to(self, user: User) -> bool:
        return self.row.user_id == user.pk

    def assign_user(self, user: User) -> None:
        """This user answers from now on; what another one chose before does not count."""
        patient, encounter = self.launch_patient, self._launch_value("encounter")
        self._still_open().update(user=user, patient=patient, encounter=encounter)
        self.row.user, self.row.patient, self.row.encounter = user, patient, encounter

    def choose_patient(self, patient: str) -> None:
        """The record that the user chose; a visit of another patient is chosen no longer (LC-03)."""
        self._still_open().update(patient=patient, encounter="")
        self.row.patient, self.row.encounter = patient, ""

    def choose_encounter(self, encounter: str) -> None:
        """The visit that the user chose."""
        self._still_open().update(encounter=encounter)
        self.row.encounter = encounter

    def answer(self, *, now: int, signed_in: bool = False) -> None:
        """Only one answer wins. Raises AlreadyAnswered for every other one, Expired for one that came late.

        What somebody had signed in for takes no room of their network any more, also if it was never assigned to them.
        """
        room = {"caller_network": ""} if signed_in else {}
        in_time = self._still_open().filter(expires_at__gt=now, created_at__lte=now + CLOCK_SKEW)
        if in_time.update(answered_at=now, **room) == 1:
            return
        raise Expired(self) if self._still_open().exists() else AlreadyAnswered(self)

    def _still_open(self) -> "QuerySet[PendingRequest]":
        return PendingRequest.objects.filter(pk=self.row.pk, answered_at=0)


def stored_request(
    redirect_uri: str, state: str, authorization_request: AuthorizationRequest | None, refused: str
) -> str:
    """What `Pending.of` reads again."""
    asked = authorization_request and asdict(authorization_request)
    return json.dumps({"redirect_uri": redirect_uri, "state": state, "refused": refused, "asked": asked})


def waiting_count(address: str, *, now: int) -> int:
    """How many requests of this caller's network wait, or ended before somebody had signed in.

    Those count as long as they might have waited: what strangers make us store has a bound.
    """
    open_ones = Q(answered_at=0) | Q(user__isnull=True)
    return PendingRequest.objects.filter(open_ones, caller_network=caller_network(address), expires_at__gt=now).count()
