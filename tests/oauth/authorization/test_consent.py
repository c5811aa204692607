"""What the person allows, and what the app gets for it."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from audit.models import OutboxEvent
from oauth.models import ActsFor, Authorization, Code, PatientRecord, PendingRequest, public_reference
from smart.digests import sha256_hex
from tests.conftest import BASE, CHALLENGE, REDIRECT_URI
from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.visitor import (
    Visitor,
    everything_unticked,
    line_number,
    redirect_query,
    ticked_kinds,
    ticked_lines,
    ticked_times,
)

ISSUER = "http://127.0.0.1:8000"


@pytest.mark.requirement("AZ-16", "AZ-18", "SB-02")
def test_the_code_is_appended_to_the_apps_own_query(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    uri = "https://app.example/cb?tenant=a%20b&x="
    client = make_client(redirect_uris=uri)
    state = "a b&c=d#é%"

    response = visitor.allow(visitor.reach_consent(client, make_person("amy"), redirect_uri=uri, state=state))

    assert response.status_code == 303
    location = response.headers["Location"]
    assert location.startswith(f"{uri}&code=")
    assert not urlsplit(location).fragment
    told = dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))
    assert (told["state"], told["iss"]) == (state, ISSUER)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.requirement("AZ-17", "WF-10")
def test_a_code_is_random_short_lived_bound_and_kept_as_a_digest(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_client(), make_person("amy")

    code = redirect_query(visitor.allow(visitor.reach_consent(client, person, nonce="n-1")))["code"]

    assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", code)
    row = Code.objects.get(authorization__client=client)
    assert row.digest == sha256_hex(code)
    assert row.expires_at - row.issued_at == 60_000_000
    assert (row.redirect_uri, row.code_challenge, row.nonce) == (REDIRECT_URI, CHALLENGE, "n-1")
    granted = row.authorization
    assert (granted.user_id, granted.fhir_server.base, granted.patient) == (person.pk, BASE, "amy")
    assert json.loads(granted.context) == {"patient": "amy"}
    assert (granted.client_epoch, granted.user_epoch) == (client.epoch, person.epoch)


@pytest.mark.requirement("AZ-17")
def test_a_code_lives_as_long_as_configured(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, settings: Any
) -> None:
    settings.SMARTAUTH_CODE_SECONDS = 120
    client = make_client()

    visitor.allow(visitor.reach_consent(client, make_person("amy")))

    row = Code.objects.get(authorization__client=client)
    assert row.expires_at - row.issued_at == 120_000_000


def test_what_happened_is_recorded_without_names_and_codes(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_client(), make_person("amy")

    code = redirect_query(visitor.allow(visitor.reach_consent(client, person)))["code"]

    event = OutboxEvent.objects.get(kind="allowed", client=client.client_id)
    granted = Authorization.objects.get(client=client)
    assert (event.person, event.patient, event.authorization) == (person.subject, "amy", public_reference(granted.pk))
    assert event.address == visitor.address
    assert code not in str(vars(event))
    assert person.username not in str(vars(event))


def test_what_is_unticked_is_not_granted(visitor: Visitor, make_client: MakeClient, make_person: MakePerson) -> None:
    client = make_client(scope="launch/patient patient/*.cruds")
    page = visitor.reach_consent(
        client, make_person("amy"), scope="launch/patient patient/Observation.crs patient/Condition.read"
    )
    adding = line_number(page, "Add new test results and measurements")

    response = visitor.allow(page, ask=[number for number in ticked_lines(page) if number != adding])

    assert "code" in redirect_query(response)
    assert (
        Authorization.objects.get(client=client).scope == "launch/patient patient/Observation.rs patient/Condition.read"
    )


@pytest.mark.requirement("E31")
def test_saying_no_tells_the_app_and_gives_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))

    response = visitor.send(page, answer="deny", ask=ticked_lines(page))

    assert response.status_code == 303
    told = redirect_query(response)
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "state-of-the-app", ISSUER)
    assert told["error_description"] == "the user did not allow access"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert Authorization.objects.filter(client=client).count() == 0
    assert PendingRequest.objects.get(client=client).answered_at > 0
    assert OutboxEvent.objects.filter(kind="denied", client=client.client_id, reason="access_denied").count() == 1


@pytest.mark.requirement("E31")
def test_nothing_ticked_is_asked_once_more_and_grants_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))

    again = visitor.allow(page, **everything_unticked(page))

    assert again.status_code == 422
    assert "<strong>Nothing is ticked.</strong>" in again.text
    assert ticked_lines(again) == []
    assert set(ticked_kinds(again)["ask-1"]) == {"none"}
    assert Authorization.objects.filter(client=client).count() == 0
    assert redirect_query(visitor.send(again, answer="deny"))["error"] == "access_denied"


@pytest.mark.requirement("AZ-20", "E30")
@pytest.mark.parametrize("forged", ["99", "0", "patient/*.cruds", "1 2", "-1"])
def test_a_line_that_was_not_asked_cannot_be_ticked(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, forged: str
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))

    response = visitor.allow(page, ask=[*ticked_lines(page), forged])

    assert response.status_code == 403
    assert "The page sent a choice that was not offered." in response.text
    assert Authorization.objects.filter(client=client).count() == 0
    assert OutboxEvent.objects.filter(kind="choice-tampered", client=client.client_id).count() == 1


@pytest.mark.requirement("AZ-20")
def test_fields_that_a_page_never_had_change_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"), scope="patient/Observation.rs")
    forged = {
        "scope": "patient/*.cruds", "redirect_uri": "https://evil.example/", "patient": "ben", "state": "forged",
        "client_id": "other", "aud": "https://other.example.org/fhir",
    }  # fmt: skip

    response = visitor.allow(page, **forged)

    assert response.headers["Location"].startswith(f"{REDIRECT_URI}?")
    assert redirect_query(response)["state"] == "state-of-the-app"
    granted = Authorization.objects.get(client=client)
    assert (granted.scope, granted.patient, granted.fhir_server.base) == ("patient/Observation.rs", "amy", BASE)


@pytest.mark.requirement("AZ-12")
def test_a_record_that_was_taken_away_meanwhile_is_not_shared(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_client(), make_person("amy")
    page = visitor.reach_consent(client, person)
    ActsFor.objects.filter(identity__user=person).delete()

    response = visitor.follow(visitor.allow(page))

    assert "There is no health record that you may share." in response.text
    assert PendingRequest.objects.get(client=client).patient == ""
    assert Authorization.objects.filter(client=client).count() == 0


@pytest.mark.requirement("AZ-20", "E40")
def test_an_answer_counts_for_the_patient_on_its_page_and_no_other(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, guardian = make_client(), make_person("dan", "eve", is_="RelatedPerson/carol")
    picker = visitor.sign_in(visitor.follow(visitor.ask(client)), guardian)
    dan, eve = (
        PatientRecord.objects.get(patient=name, acted_for_by__identity__user=guardian) for name in ("dan", "eve")
    )
    about_dan = visitor.follow(visitor.send(picker, patient=dan.pk))
    about_eve = visitor.follow(visitor.send(picker, patient=eve.pk))  # the same request in another tab

    response = visitor.allow(about_dan)

    assert response.status_code == 403
    assert "was opened in two places" in response.text
    assert not Authorization.objects.filter(client=client).exists()
    assert "code" in redirect_query(visitor.allow(about_eve))
    assert Authorization.objects.get(client=client).patient == "eve"


@pytest.mark.requirement("AZ-20", "E40")
def test_an_answer_that_does_not_say_to_which_question_counts_for_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))

    response = visitor.allow(page, question="")

    assert response.status_code == 403
    assert not Authorization.objects.filter(client=client).exists()


def test_no_name_turns_the_sentence_that_it_stands_in(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client(name="Steps\u202e\u2066 App", maker="Ma\u202eker")
    guardian = make_person("turned", is_="RelatedPerson/carol")
    PatientRecord.objects.filter(patient="turned").update(name="Da\u202en")
    picker = visitor.sign_in(visitor.follow(visitor.ask(client)), guardian)

    page = visitor.follow(visitor.send(picker, patient=PatientRecord.objects.get(patient="turned").pk))

    assert "Let Steps App use the health record of Dan?" in page.text
    assert not {"\u202e", "\u2066"} & set(page.text)


def test_the_page_says_who_asks_for_what_and_where_it_goes(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client(maker="Little Steps Software")

    page = visitor.reach_consent(client, make_person("amy"), scope="launch/patient patient/*.rs system/*.rs")

    for words in ("Little Steps Software", "Harbour Clinic (R4)", "Amy Shaw", "127.0.0.1:4999", "future data"):
        assert words in page.text
    assert "It ends in 5 minutes." in page.text
    assert "left out   system/*.rs" in page.text


def test_a_person_who_is_stopped_meanwhile_answers_nothing(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client, person = make_client(), make_person("amy")
    page = visitor.reach_consent(client, person)
    type(person).objects.get_queryset().filter(pk=person.pk).suspend("operator")

    response = visitor.allow(page)

    assert response.status_code == 403
    assert Authorization.objects.filter(client=client).count() == 0


LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
VITALS = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"
PROBLEMS = "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"


def divided(page: Any, legend: str) -> str:
    """The name of the radios of that fieldset."""
    return str(re.search(rf'<fieldset class="kind"><legend>{legend}.*?name="(ask-\d+)"', page.text, re.DOTALL)[1])  # type: ignore[index]


def kind(page: Any, name: str, text: str) -> str:
    """The number of that kind."""
    return str(re.search(rf'name="{name}-kind" value="(\d+)" checked> {text}', page.text)[1])  # type: ignore[index]


@pytest.mark.requirement("AZ-14", "SCP-12", "SCP-06")
def test_only_some_kinds_take_the_place_of_the_whole_type(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"), scope="patient/Observation.read patient/Condition.rs")
    tests, problems = divided(page, "Test results and measurements"), divided(page, "Health problems")
    both = [kind(page, tests, "Laboratory results"), kind(page, tests, "Vital signs")]

    visitor.allow(
        page,
        **{tests: "some", f"{tests}-kind": both, problems: "some"},
        **{f"{problems}-kind": kind(page, problems, "Long-term problems")},
    )

    assert Authorization.objects.get(client=client).scope.split() == [
        f"patient/Observation.rs?category={LAB}",
        f"patient/Observation.rs?category={VITALS}",
        f"patient/Condition.rs?category={PROBLEMS}",
    ]


@pytest.mark.requirement("AZ-14", "SCP-13", "ON-05")
def test_of_everything_single_types_can_be_allowed(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"), scope="launch/patient patient/*.rs")
    everything = divided(page, "Everything in your record")
    vaccinations = kind(page, everything, "Vaccinations")

    visitor.allow(page, **{everything: "some", f"{everything}-kind": vaccinations})

    assert "future data" in page.text
    assert Authorization.objects.get(client=client).scope == "launch/patient patient/Immunization.rs"


@pytest.mark.requirement("AZ-14", "E31")
def test_only_some_kinds_without_a_kind_is_asked_once_more(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"))
    tests = divided(page, "Test results and measurements")

    again = visitor.allow(page, **{tests: "some", f"{tests}-kind": []})

    assert again.status_code == 422
    assert "<title>Error: Let" in again.text
    assert "<strong>No kind is ticked.</strong>" in again.text
    assert "Tick at least one kind, or choose “None”." in again.text
    assert ticked_kinds(again)[tests] == ["some"]
    assert f"{tests}-kind" not in ticked_kinds(again)
    assert Authorization.objects.filter(client=client).count() == 0


@pytest.mark.requirement("AZ-14", "E31")
def test_a_line_without_a_kind_is_asked_once_more_also_beside_one_that_is_allowed(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"), scope="patient/Observation.rs patient/Condition.rs")

    tests = divided(page, "Test results and measurements")

    again = visitor.allow(page, **{tests: "some", f"{tests}-kind": []})

    assert again.status_code == 422
    assert "<strong>No kind is ticked.</strong>" in again.text
    assert Authorization.objects.filter(client=client).count() == 0


@pytest.mark.requirement("SCP-12")
def test_ticked_kinds_count_for_nothing_unless_some_is_chosen(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    page = visitor.reach_consent(client, make_person("amy"), scope="patient/Observation.rs patient/Condition.rs")

    visitor.allow(page, **{divided(page, "Test results and measurements"): "none"})

    assert Authorization.objects.get(client=client).scope == "patient/Condition.rs"


FORGED: dict[str, dict[str, Any]] = {
    "a kind": {"ask-1": "some", "ask-1-kind": "99"},
    "a kind by its code": {"ask-1": "some", "ask-1-kind": LAB},
    "another word": {"ask-1": "everything"},
    "two words": {"ask-1": ["all", "none"]},
    "a divided line as a tick": {"ask": "1"},
    "two times": {"ask-time": ["3", "4"]},
    "a line as a time": {"ask-time": "1"},
}


@pytest.mark.requirement("E30", "AZ-20", "SCP-17")
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
def test_a_choice_that_the_page_does_not_hold_is_stopped(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, forged: dict[str, Any]
) -> None:
    client = make_client(grants="authorization_code refresh_token", scope="patient/*.rs offline_access")
    scope = "patient/Observation.rs patient/Condition.rs offline_access"
    page = visitor.reach_consent(client, make_person("amy"), scope=scope)

    response = visitor.allow(page, **forged)

    assert response.status_code == 403
    assert "The page sent a choice that was not offered." in response.text
    assert Authorization.objects.filter(client=client).count() == 0
    assert OutboxEvent.objects.filter(kind="choice-tampered", client=client.client_id).count() == 1


@pytest.mark.requirement("AZ-14", "WF-08", "WF-07")
@pytest.mark.parametrize(("pressed", "offline"), [("as it stands", True), ("only now", False), ("neither", False)])
def test_offline_access_is_named_and_can_be_left_out(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson, pressed: str, offline: bool
) -> None:
    client = make_client(grants="authorization_code refresh_token", scope="patient/*.rs offline_access")
    page = visitor.reach_consent(client, make_person("amy"), scope="patient/Goal.rs offline_access")
    first = int(ticked_times(page)[0])
    pressing: dict[str, dict[str, Any]] = {
        "as it stands": {},
        "only now": {"ask-time": str(first + 1)},
        "neither": {"ask-time": []},
    }

    visitor.allow(page, **pressing[pressed])

    assert "Until I take it back, also while I am not using the app" in page.text
    assert re.search(r"At the latest it ends on \d+ \w+ \d{4}\.", page.text)
    assert "You can take this back at any time" in page.text
    scope = Authorization.objects.get(client=client).scope
    assert scope == ("patient/Goal.rs offline_access" if offline else "patient/Goal.rs")


@pytest.mark.requirement("AZ-14")
def test_scopes_of_the_person_are_told_as_reaching_further_than_one_record(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client(scope="patient/*.rs user/*.rs")

    page = visitor.reach_consent(client, make_person("amy"), scope="patient/Goal.rs user/Observation.rs")
    visitor.allow(page)

    assert "<h1>Let Growth Chart use what you may see at Harbour Clinic?</h1>" in page.text
    assert "It sees only" not in page.text
    assert "of every patient that you may see at Harbour Clinic" in page.text
    granted = Authorization.objects.get(client=client)
    assert (granted.scope, granted.patient) == ("patient/Goal.rs user/Observation.rs", "amy")


@pytest.mark.requirement("AZ-11", "SCP-20")
def test_without_a_scope_of_one_record_none_is_chosen(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client(scope="user/*.rs")

    page = visitor.reach_consent(client, make_person("amy", "dan"), scope="user/Observation.rs")
    visitor.allow(page)

    granted = Authorization.objects.get(client=client)
    assert (granted.patient, json.loads(granted.context)) == ("", {})
