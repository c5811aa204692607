"""People in the admin: made with a good password, who they are, whose records they may use, passwords."""

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fixture_types import Events, MakePerson
from tests.operators.admin.conftest import Operator, secret_on

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def identity_rows(fhir_server: Any, resource: str, acts_for: str, person: Any = None) -> dict[str, Any]:
    existing = person.identities.get() if person else None
    return {
        "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "1" if existing else "0",
        "identities-0-id": existing.pk if existing else "", "identities-0-user": person.pk if person else "",
        "identities-0-fhir_server": fhir_server.pk, "identities-0-resource": resource,
        "identities-0-acts_for": acts_for,
    }  # fmt: skip


def new_person(operator: Operator, name: str, **changes: Any) -> Any:
    password = "twelve-letters-at-least"
    form = {"username": name, "name": "Amy Shaw", "usable_password": "true", "password1": password,
            "password2": password, "identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}  # fmt: skip
    return operator.post("accounts/user/add/", {**form, **changes})


def test_a_person_is_made_with_an_argon2_password(operator: Operator, events: Events) -> None:
    from accounts.models import User

    answer = new_person(operator, "new-amy")

    person = User.objects.get(username="new-amy")
    assert answer.status_code == 302
    assert person.password.startswith("argon2")
    assert person.check_password("twelve-letters-at-least")
    assert not person.is_staff
    assert len(events("operator-added", person=person.subject, operator=operator.user.subject)) == 1


@pytest.mark.requirement("SD-20")
def test_passwords_that_operators_set_take_their_turn_among_the_hashes_of_their_network(
    operator: Operator, make_person: MakePerson, hashing_networks: list[str]
) -> None:
    person, password = make_person("amy"), "another-long-password"

    new_person(operator, f"new-{secrets.token_hex(4)}")
    operator.post(
        f"accounts/user/{person.pk}/password/",
        {"password1": password, "password2": password, "usable_password": "true"},
    )

    assert hashing_networks == ["127.0.0.1"] * 2


@pytest.mark.parametrize("password", ["short", "password1234", "new-amy-2026"])
def test_a_bad_password_is_refused(operator: Operator, password: str) -> None:
    from accounts.models import User

    answer = new_person(operator, "new-amy", password1=password, password2=password)

    assert answer.status_code == 200
    assert not User.objects.get_queryset().filter(username="new-amy").exists()


def test_who_a_person_is_and_which_patients_they_may_act_for(
    operator: Operator, make_person: MakePerson, fhir_server: Any
) -> None:
    person = make_person("amy", "ben", "dan")

    answer = operator.post(f"accounts/user/{person.pk}/change/", {
        "username": person.username, "name": "Carol Reyes", "email": "carol@example.org", "email_verified": "on",
        "given_name": "Carol", "family_name": "Reyes", "locale": "de-AT",
        **identity_rows(fhir_server, "RelatedPerson/carol", "dan\r\namy", person),
    })  # fmt: skip

    identity = person.identities.get()
    assert answer.status_code == 302
    assert identity.resource == "RelatedPerson/carol"
    before = person.updated_at
    person.refresh_from_db()
    assert (person.email, person.email_verified) == ("carol@example.org", 1)
    assert (person.given_name, person.family_name, person.locale) == ("Carol", "Reyes", "de-AT")
    assert person.updated_at > before
    assert set(identity.acts_for.values_list("record__patient", flat=True)) == {"amy", "dan"}


@pytest.mark.parametrize(
    ("resource", "acts_for", "said"),
    [("Patient/amy", "amy nobody-we-know", "has no patient nobody-we-know"), ("Organization/x", "", "must be such as"),
     ("Patient/a b", "", "must be such as")],
)  # fmt: skip
def test_who_cannot_be_is_refused(
    operator: Operator, make_person: MakePerson, fhir_server: Any, resource: str, acts_for: str, said: str
) -> None:
    person = make_person("amy")

    answer = operator.post(f"accounts/user/{person.pk}/change/", {
        "username": person.username, "name": "", **identity_rows(fhir_server, resource, acts_for, person),
    })  # fmt: skip

    assert said in answer.content.decode()
    assert person.identities.get().resource == "Patient/amy"


def test_an_operator_stays_one_until_another_says_otherwise(operator: Operator) -> None:
    operator.post(f"accounts/user/{operator.user.pk}/change/", {
        "username": operator.user.username, "name": "", "identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0",
    })  # fmt: skip

    operator.user.refresh_from_db()
    assert operator.user.is_staff
    assert operator.user.is_superuser


def test_a_new_password_ends_what_the_old_one_opened(
    operator: Operator, make_person: MakePerson, events: Events
) -> None:
    person = make_person("amy")
    password = "another-long-password"

    answer = operator.post(f"accounts/user/{person.pk}/password/", {
        "password1": password, "password2": password, "usable_password": "true",
    })  # fmt: skip

    epoch = person.epoch
    person.refresh_from_db()
    assert answer.status_code == 302
    assert person.check_password(password)
    assert person.epoch == epoch + 1
    assert len(events("operator-changed", person=person.subject, operator=operator.user.subject)) == 1


def test_ones_own_password_has_its_own_page(operator: Operator) -> None:
    assert operator.get(f"accounts/user/{operator.user.pk}/password/")["Location"] == "/password"
    assert operator.get("password_change/")["Location"] == "/password"


def test_a_new_password_can_be_required(operator: Operator, make_person: MakePerson, events: Events) -> None:
    person = make_person("amy")

    operator.confirm("accounts/user", "require_password", person)

    person.refresh_from_db()
    assert person.must_change_password
    assert len(events("password-required", person=person.subject, operator=operator.user.subject)) == 1


def test_the_last_sign_in_is_told_as_every_other_time(operator: Operator, make_person: MakePerson) -> None:
    person, other = make_person("amy"), make_person("ben")
    type(person).objects.filter(pk=person.pk).update(last_login=datetime(2026, 12, 1, 15, 46, 7, tzinfo=UTC))

    seen, never = (operator.get("accounts/user/", q=each.username).content.decode() for each in (person, other))

    assert '<time datetime="2026-12-01T15:46:07+00:00">1 Dec 2026, 15:46:07</time>' in seen
    assert '<td class="field-last_sign_in">-</td>' in never


def test_people_are_found_by_name_and_by_fhir_user(operator: Operator, make_person: MakePerson) -> None:
    person, other = make_person("amy", is_="Practitioner/dr-found"), make_person("ben")

    for sought in (person.username, "Practitioner/dr-found"):
        page = operator.get("accounts/user/", q=sought).content.decode()
        assert person.username in page
        assert other.username not in page


def test_a_fhir_server_comes_with_its_client_and_a_secret_shown_once(operator: Operator, events: Events) -> None:
    from oauth.clients.secrets import client_secret_digest
    from oauth.models import FhirServer

    form = {
        "base": "https://Own.example.org/fhir/", "name": "Own", "version": "stu3", "token_format": "jwt",
        "signing_algorithm": "RS256", "address_policy": "block", "access_token_seconds": "120", "tells_addresses": "on",
        "claim_profile": "node", "v1_equivalents": "on",
    }  # fmt: skip

    answer = operator.post("oauth/fhirserver/add/", form)

    server = FhirServer.objects.get(base="https://own.example.org/fhir")
    role = server.resource_servers.get()
    assert client_secret_digest(role.client.client_id, secret_on(answer)) == role.client.secret_digest
    assert "no-store" in answer["Cache-Control"]
    assert (server.version, server.signing_algorithm, server.access_token_seconds) == ("stu3", "RS256", 120)
    assert (server.address_policy, role.tells_addresses) == ("block", 1)
    assert (server.claim_profile, server.claim_mapping, server.v1_equivalents) == ("node", "", 1)
    for kind in ("fhir-server-added", "resource-server-added"):
        assert [event.operator for event in events(kind, fhir_server=server.base)] == [operator.user.subject]
    again = operator.post("oauth/fhirserver/add/", form)
    assert "protected already" in again.content.decode()
    assert not secret_on(again)


@pytest.mark.parametrize("base", ["http://own.example.org/fhir", "https://own.example.org/fhir?x=1", "own"])
def test_a_base_that_cannot_be_an_audience_is_refused(operator: Operator, base: str) -> None:
    from oauth.models import FhirServer

    refused = operator.post("oauth/fhirserver/add/", {
        "base": base, "name": "Own", "version": "r4", "token_format": "jwt", "signing_algorithm": "ES256",
        "address_policy": "off", "claim_profile": "smart",
    })  # fmt: skip

    assert refused.status_code == 200
    assert not operator.made(FhirServer).exists()


def test_the_base_of_a_fhir_server_never_changes(operator: Operator, fhir_server: Any) -> None:
    base = fhir_server.base

    operator.post(f"oauth/fhirserver/{fhir_server.pk}/change/", {
        "base": "https://elsewhere.example.org", "name": "Harbour", "version": "r4", "token_format": "jwt",
        "signing_algorithm": "ES256", "address_policy": "flag", "claim_profile": "smart",
    })  # fmt: skip

    fhir_server.refresh_from_db()
    assert (fhir_server.base, fhir_server.name) == (base, "Harbour")


@pytest.mark.requirement("SD-17")
def test_a_mapping_of_ones_own_is_judged_as_it_is_typed(operator: Operator, other_fhir_server: Any) -> None:
    form = {
        "name": other_fhir_server.name, "version": "r4", "token_format": "jwt", "signing_algorithm": "ES256",
        "address_policy": "flag", "claim_profile": "custom",
    }  # fmt: skip
    page = f"oauth/fhirserver/{other_fhir_server.pk}/change/"

    missing = operator.post(page, form)
    wrong = operator.post(page, {**form, "claim_mapping": '{"patient_id": {"from": "person"}}'})
    other_fhir_server.refresh_from_db()
    assert "not JSON" in missing.content.decode()
    assert "patient_id: from must be one of scope," in wrong.content.decode()
    assert (other_fhir_server.claim_profile, other_fhir_server.claim_mapping) == ("smart", "")

    operator.post(page, {**form, "claim_mapping": '{"patient_id": {"from": "patient"}}'})
    other_fhir_server.refresh_from_db()
    assert (other_fhir_server.claim_profile, other_fhir_server.claim_mapping) == (
        "custom", '{"patient_id": {"from": "patient"}}',
    )  # fmt: skip
    operator.post(page, {**form, "claim_profile": "smart", "claim_mapping": ""})


def test_a_patient_can_be_typed_in(operator: Operator, fhir_server: Any) -> None:
    from oauth.models import PatientRecord

    answer = operator.post(
        "oauth/patientrecord/add/", {"fhir_server": fhir_server.pk, "patient": "new-1", "name": "New"}
    )
    refused = operator.post("oauth/patientrecord/add/", {"fhir_server": fhir_server.pk, "patient": "a b", "name": "No"})

    assert answer.status_code == 302
    assert "must be a FHIR id (letters" in refused.content.decode()
    assert list(PatientRecord.objects.filter(patient__in=["new-1", "a b"]).values_list("name", flat=True)) == ["New"]


@pytest.mark.requirement("RV-08", "RV-09")
def test_a_form_that_is_saved_meanwhile_lets_no_stopped_person_in(
    operator: Operator, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.models import User
    from operators.admin.person_forms import PersonForm

    person = make_person("amy")

    def stopped_meanwhile(form: Any) -> str:
        User.objects.get_queryset().filter(pk=person.pk).suspend("operator")
        return str(form.cleaned_data["name"])

    monkeypatch.setattr(PersonForm, "clean_name", stopped_meanwhile, raising=False)
    answer = operator.post(f"accounts/user/{person.pk}/change/", {
        "username": person.username, "name": "Another Name",
        "identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0",
    })  # fmt: skip

    person.refresh_from_db()
    assert (answer.status_code, person.name) == (302, "Another Name")
    assert (person.epoch, person.suspended_at > 0) == (1, True)
