"""What an authorization allows now, and why nothing may be issued under it any more: in words, and by which rule."""

from typing import Any

import pytest

from audit.event_kinds import EventKind
from oauth.models import ActsFor, Authorization, PatientRecord
from oauth.tokens.authorization_state import AuthorizationState
from tests.fixture_types import Grant, MakePerson


@pytest.mark.requirement("RF-08", "RF-11")
@pytest.mark.parametrize(
    ("changes", "epoch", "reason", "rule"),
    [
        ({}, 0, "", "LV-03"),
        ({}, 1, "the authorization has ended", "LV-03"),
        ({"ended_at": 1}, 0, "the authorization has ended", "LV-03"),
        ({"client_enabled": 0}, 0, "the client's access has ended", "LV-04"),
        ({"client_epoch": 9}, 0, "the client's access has ended", "LV-05"),
        ({"user_suspended_at": 1}, 0, "the person's access has ended", "LV-06"),
        ({"user_epoch": 9}, 0, "the person's access has ended", "LV-07"),
        ({"fhir_server_epoch": 9}, 0, "access at the FHIR server has ended", "LV-08"),
        ({"fits_profile": 0}, 1, "the client has another profile than when it was granted", "LV-03"),
    ],
)
def test_an_authorization_says_why_nothing_may_be_issued_under_it(
    grant: Grant, changes: dict[str, Any], epoch: int, reason: str, rule: str
) -> None:
    authorization = AuthorizationState.of(grant().authorization.pk)._replace(**changes)

    assert (authorization.unusable_reason_under(epoch), authorization.unusable_rule) == (reason, rule)


@pytest.mark.requirement("HI-08")
def test_an_event_says_nothing_that_is_not_known(grant: Grant) -> None:
    event = AuthorizationState.of(grant().authorization.pk).event(EventKind.ISSUED, at=5)

    assert (event.kind, event.at, event.address, event.token, event.reason) == (EventKind.ISSUED, 5, "", "", "")


@pytest.mark.requirement("RF-11")
@pytest.mark.parametrize(
    ("patient", "vouched", "acts", "may"),
    [("", 0, False, True), ("amy", 1, False, True), ("amy", 0, True, True), ("amy", 0, False, False)],
    ids=["no patient", "the EHR has vouched", "on the person's list", "on nobody's"],
)
def test_a_person_may_have_no_patient_one_that_the_ehr_vouched_for_or_one_of_their_list(
    grant: Grant, patient: str, vouched: int, acts: bool, may: bool
) -> None:
    made = grant()
    Authorization.objects.filter(pk=made.authorization.pk).update(patient=patient, patient_vouched=vouched)
    if not acts:
        ActsFor.objects.filter(identity__user=made.person).delete()

    assert bool(AuthorizationState.of(made.authorization.pk).may_have_patient) is may


@pytest.mark.requirement("RF-11")
def test_a_patient_of_that_id_elsewhere_or_of_somebody_else_is_not_on_the_persons_list(
    grant: Grant, make_person: MakePerson, other_fhir_server: Any
) -> None:
    made = grant()
    own = ActsFor.objects.get(identity__user=made.person)
    elsewhere = PatientRecord.objects.create(fhir_server=other_fhir_server, patient="amy")
    ActsFor.objects.create(identity=own.identity, record=elsewhere)
    own.delete()
    make_person("amy")

    assert not AuthorizationState.of(made.authorization.pk).may_have_patient


@pytest.mark.requirement("ID-01")
@pytest.mark.parametrize(("scope", "has_key"), [("openid patient/*.rs", True), ("patient/*.rs", False)])
def test_who_may_have_an_id_token_has_its_key(grant: Grant, scope: str, has_key: bool) -> None:
    state = AuthorizationState.of(grant(scope=scope).authorization.pk)

    assert (state.id_token_kid is not None) is has_key
