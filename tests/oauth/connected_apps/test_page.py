"""Connected apps: what a person has allowed, what has ended and why, and the end of it."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper

from accounts import clock
from oauth.connected_apps.wording import enumeration
from oauth.models import AccessToken, AddressChange, Authorization, PatientRecord, RefreshToken
from smart.digests import random_token
from smart.time_units import to_datetime
from tests.conftest import App
from tests.fixture_types import Grant, Issue, MakeClient, MakePerson
from tests.oauth.connected_apps.page_reader import DAY, OFFLINE, csrf, make_many, page_text, refresh, take_back
from tests.oauth.visitor import Visitor

EMPTY = "No app can use your records. When you allow one, it is listed here and you can take it back."


# Who may look ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/apps", "/apps/end-all"])
def test_the_pages_are_for_who_is_signed_in(visitor: Visitor, make_person: MakePerson, path: str) -> None:
    response = visitor.request("GET", path)

    assert (response.status_code, response.headers["Location"]) == (303, "/login?to=apps")
    page = visitor.sign_in(visitor.follow(response), make_person("amy"))
    assert page.url.path == "/apps"
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/apps"), ("GET", "/apps/2222-2222/end"), ("PUT", "/apps/end-all")]
)
def test_other_methods_are_refused(mine: Visitor, method: str, path: str) -> None:
    response = mine.request(method, path, data={"csrfmiddlewaretoken": csrf(mine)}, headers={
        "X-CSRFToken": csrf(mine)
    })  # fmt: skip

    assert response.status_code == 405


@pytest.mark.requirement("DS-11")
def test_the_metadata_names_the_page(app: App, fhir_server: Any) -> None:
    document = app.get("/fhir/r4/.well-known/smart-configuration").json()

    assert document["management_endpoint"] == "http://127.0.0.1:8000/apps"


# What lives -----------------------------------------------------------------------------------------------------------


def test_without_any_access_the_page_says_so(mine: Visitor) -> None:
    assert EMPTY in page_text(mine)


@pytest.mark.requirement("RV-05")
def test_a_card_says_who_may_what_for_how_long(mine: Visitor, amy: Any, issue: Issue, make_client: MakeClient) -> None:
    client = make_client(maker="Little Steps Software", name="Growth Chart")
    issue(client, amy, scope="launch/patient patient/Observation.rs patient/Condition.rs patient/Observation.c")

    text = page_text(mine)

    assert "GCGrowth Chartby Little Steps Software" in text
    assert "Recordyours, at Harbour Clinic" in text
    assert "Sees health problems and diagnoses; test results and measurements." in text
    assert "May also add new test results and measurements." in text
    assert re.search(r"Last given accesstoday, \d\d:\d\d UTC, at the address ", text)
    assert re.search(r"Ends(today|tomorrow|\d+ \w+ \d{4}), \d\d:\d\d UTC", text)
    assert "While you are awayNo" in text
    assert "Growth Chart gets nothing more from your record." in text
    assert "Used from a new address" not in text
    assert EMPTY not in text


def test_the_record_of_somebody_else_is_named(mine: Visitor, amy: Any, issue: Issue, fhir_server: Any) -> None:
    dan = f"dan-{secrets.token_hex(8)}"
    PatientRecord.objects.create(fhir_server=fhir_server, patient=dan, name="Dan Reyes")
    issue(person=amy, patient=dan)
    issue(person=amy, patient="unlisted")

    text = page_text(mine)

    assert "RecordDan Reyes, at Harbour Clinic" in text
    assert "Sees everything in the record of Dan Reyes." in text
    assert "gets nothing more from the record of the patient with the number unlisted." in text


def test_many_kinds_are_five_and_the_rest_in_details(mine: Visitor, amy: Any, issue: Issue) -> None:
    types = ("Patient", "AllergyIntolerance", "Condition", "Observation", "MedicationRequest", "Immunization", "Goal")
    issue(person=amy, scope=" ".join(f"patient/{name}.rs" for name in types))

    text = page_text(mine)

    assert "prescribed medicines and 2 more." in text
    assert "All 7 things" in text
    assert "See health goals" in text


@pytest.mark.parametrize(("count", "text"), [(1, "a"), (5, "a; a; a; a; a"), (6, "a; a; a; a; a and 1 more")])
def test_few_of_many(count: int, text: str) -> None:
    assert enumeration(["a"] * count) == text


@pytest.mark.requirement("RV-05")
def test_offline_access_works_while_the_person_is_away(mine: Visitor, amy: Any, refreshing: Any, issue: Issue) -> None:
    issue(refreshing, amy, scope=OFFLINE)

    text = page_text(mine)

    assert "While you are awayYes, it can get data by itself" in text
    assert re.search(r"Ends\d+ \w+ \d{4}, or when you take it back", text)


def test_what_may_refresh_for_ever_ends_when_it_is_not_used(
    mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue
) -> None:
    client = make_client("secret", grants="authorization_code refresh_token", scope=OFFLINE)
    issue(client, amy, scope=OFFLINE)

    assert re.search(r"Endswhen you take it back, or if the app does not come before \d+ \w+ \d{4}", page_text(mine))


def test_online_access_ends_with_the_session(mine: Visitor, amy: Any, refreshing: Any, issue: Issue) -> None:
    made = issue(refreshing, amy, scope="launch/patient patient/*.rs online_access")["granted"]
    Authorization.objects.filter(pk=made.authorization.pk).update(session_ends_at=clock.now() + 3 * DAY)

    text = page_text(mine)

    assert re.search(r"Endswhen you sign out, at the latest \d+ \w+ \d{4}", text)
    assert "While you are awayNo" in text


def test_an_access_whose_token_is_over_lives_as_long_as_it_can_be_refreshed(
    mine: Visitor, amy: Any, refreshing: Any, issue: Issue
) -> None:
    made = issue(refreshing, amy, scope=OFFLINE)["granted"]
    AccessToken.objects.filter(authorization=made.authorization).update(expires_at=clock.now() - 1)

    assert "Take back access" in page_text(mine)
    RefreshToken.objects.filter(authorization=made.authorization).update(expires_at=clock.now() - 1)
    assert EMPTY in page_text(mine)


def test_a_code_that_the_app_may_still_exchange_is_access(mine: Visitor, amy: Any, grant: Grant) -> None:
    grant(person=amy)

    text = page_text(mine)

    assert "Last given accessnot yet" in text
    assert "Ends in a moment".replace(" ", "", 1) in text


def test_last_given_stands_first(mine: Visitor, amy: Any, app: App, make_client: MakeClient, issue: Issue) -> None:
    first = make_client(name="Older", grants="authorization_code refresh_token", scope=OFFLINE)
    answer = issue(first, amy, scope=OFFLINE)
    issue(make_client(name="Newer"), amy)

    before = page_text(mine)
    assert refresh(app, answer).status_code == 200
    after = page_text(mine)

    assert before.index("Newer") < before.index("Older")
    assert after.index("Older") < after.index("Newer")


@pytest.mark.parametrize(("policy", "text"), [("block", "It was blocked there."), ("flag", "It was allowed.")])
def test_a_flag_is_told_with_what_was_done(
    mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue, policy: str, text: str
) -> None:
    made, at = issue(make_client(address_policy=policy), amy)["granted"], 1_795_230_720_000_000
    Authorization.objects.filter(pk=made.authorization.pk).update(flagged_at=at)
    AddressChange.objects.create(authorization=made.authorization, address="198.51.100.9", noted_at=at)

    page = page_text(mine)

    assert f"Used from a new address (198.51.100.9) on 21 November 2026 at 03:12 UTC. {text}" in page
    assert "If that was not you, take back access." in page


def test_a_flag_for_anything_else_is_not_called_a_new_address(
    mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue
) -> None:
    made, at = issue(make_client(), amy)["granted"], 1_795_230_720_000_000
    Authorization.objects.filter(pk=made.authorization.pk).update(flagged_at=at)
    AddressChange.objects.create(authorization=made.authorization, address="198.51.100.9", noted_at=at - 1)

    page = page_text(mine)

    assert "Something odd happened on 21 November 2026 at 03:12 UTC" in page
    assert "198.51.100.9" not in page


@pytest.mark.requirement("RV-05")
@pytest.mark.parametrize(
    ("used_from", "text"), [("203.0.113.8", "today, 10:31 UTC, from the address 203.0.113.8"), ("", "today, 10:31 UTC")]
)
def test_the_last_use_is_told_and_from_where_as_far_as_known(
    mine: Visitor, amy: Any, issue: Issue, used_from: str, text: str
) -> None:
    made, today = issue(person=amy)["granted"], to_datetime(clock.now()).replace(hour=10, minute=31)
    before = page_text(mine)
    used_at = int(today.timestamp()) * 1_000_000
    Authorization.objects.filter(pk=made.authorization.pk).update(used_at=used_at, used_from=used_from)

    after = page_text(mine)

    assert "Last usednot that we know" in before
    assert f"Last used{text}Last given" in after


def test_names_are_text(mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue, fhir_server: Any) -> None:
    evil = "<img src=x onerror=alert(1)>"
    patient = f"p{random_token()}"
    PatientRecord.objects.create(fhir_server=fhir_server, patient=patient, name=evil)
    made = issue(make_client(name=evil, maker="\u202eevil" + evil), amy, patient=patient)["granted"]

    living = mine.request("GET", "/apps").text
    take_back(mine, made)
    ended = mine.request("GET", f"/apps?ended={made.authorization}").text

    for page in (living, ended):
        assert "<img" not in page
        assert "&lt;img" in page
        assert "\u202e" not in page


def test_what_lives_of_others_is_not_shown(mine: Visitor, issue: Issue, make_client: MakeClient) -> None:
    issue(make_client(name="Not theirs"))

    assert EMPTY in page_text(mine)


# Many -----------------------------------------------------------------------------------------------------------------


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements of this process from here on."""
    seen: list[str] = []
    execute = CursorWrapper.execute

    def counted(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        seen.append(str(sql))
        return execute(self, sql, params)

    with monkeypatch.context() as patched:
        patched.setattr(CursorWrapper, "execute", counted)
        yield seen


def test_many_are_bounded_and_cost_as_many_statements_as_few(
    mine: Visitor, amy: Any, make_client: MakeClient, fhir_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    make_many(1, client, amy, fhir_server)
    page_text(mine)
    with counting(monkeypatch) as few_statements:
        page_text(mine)
    make_many(105, client, amy, fhir_server)

    with counting(monkeypatch) as many_statements:
        page = mine.request("GET", "/apps").text

    assert len(many_statements) == len(few_statements) <= 14
    assert page.count('<li class="slip slip-small">') == 100
    assert page.count('<th scope="row"') == 100
    assert "Shown are the 100 that were given access last." in page
    assert "Shown are the 100 that ended last." in page
