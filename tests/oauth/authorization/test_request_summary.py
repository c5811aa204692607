"""What every page of a waiting request says: who asks, where the records lie, which steps it has."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from oauth.authorization.pending_request import Pending
from oauth.authorization.request_summary import RequestSummary
from oauth.models import FhirServer, Launch, PendingRequest, public_reference
from smart.authorize.request import AuthorizationRequest
from tests.fixture_types import MakeClient, MakePerson

URI = "https://app.example.org/callback"


@pytest.fixture
def row(make_client: MakeClient, fhir_server: FhirServer) -> PendingRequest:
    since = int(datetime(2026, 11, 3, tzinfo=UTC).timestamp() * 1_000_000)
    client = make_client(name="Growth Chart", maker="A maker\u202e", registered_at=since)
    return PendingRequest(pk=77, client=client, fhir_server=fhir_server)


def pending_of(row: PendingRequest, **asks: Any) -> Pending:
    asked = AuthorizationRequest(
        client_id="", redirect_uri=URI, state="", scope="", requested_scope="", left_out=(), aud="", fhir_version="r4",
        code_challenge="", **{"needs_patient": False, **asks},
    )  # fmt: skip
    return Pending(row, "handle", URI, "", authorization_request=asked)


def test_the_words_name_app_maker_and_records(row: PendingRequest) -> None:
    summary = RequestSummary(pending_of(row))

    assert (summary.app, summary.initials, summary.maker) == ("Growth Chart", "GC", "A maker")
    assert summary.records_at == f"{row.fhir_server.name} ({row.fhir_server.get_version_display()})"
    assert (summary.returns_to, summary.known_since) == ("app.example.org", "3 November 2026")


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (None, ""),
        (User(username="amy"), "amy"),
        (User(username="amy", name="Amy Shaw"), "Amy Shaw (amy)"),
    ],
)
def test_who_is_signed_in_is_named_with_the_user_name(row: PendingRequest, user: User | None, words: str) -> None:
    row.user = user

    assert RequestSummary(pending_of(row)).signed_in_as == words


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize(
    ("asks", "launched", "picks", "visits"),
    [
        ({}, False, False, False),
        ({"needs_patient": True}, False, True, False),
        ({"needs_encounter": True}, False, False, True),
        ({"needs_patient": True, "needs_encounter": True}, True, False, False),
    ],
)
def test_the_steps_are_those_that_nobody_else_has_taken(
    row: PendingRequest, asks: dict[str, bool], launched: bool, picks: bool, visits: bool
) -> None:
    row.launch = Launch(context='{"patient": "amy"}') if launched else None
    pending = pending_of(row, **asks)

    context = RequestSummary(pending).context()

    assert (context["picks"], context["visits"]) == (picks, visits)
    assert (context["pending"], context["number"]) == (pending, public_reference(77))
    assert context["summary"] == RequestSummary(pending)


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize(("patients", "picks"), [(["amy"], False), (["amy", "ben"], True)])
def test_who_can_share_nothing_but_their_own_record_picks_none(
    row: PendingRequest, make_person: MakePerson, patients: list[str], picks: bool
) -> None:
    row.user = make_person(*patients)

    assert RequestSummary(pending_of(row, needs_patient=True)).context()["picks"] is picks


def test_a_request_that_was_refused_already_has_no_steps(row: PendingRequest) -> None:
    context = RequestSummary(Pending(row, "handle", URI, "", refused="to the app")).context()

    assert (context["picks"], context["visits"]) == (False, False)
