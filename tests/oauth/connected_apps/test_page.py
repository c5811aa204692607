"""Connected apps: what a person has allowed, what has ended and why, and the end of it."""

import ast
import html
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from django.db.backends.utils import CursorWrapper

from accounts import clock
from accounts.models import SignIn, User
from audit.models import OutboxEvent
from oauth.connected_apps import access
from oauth.connected_apps.cards import MAX_CARDS, day_text, enumeration
from oauth.models import (
    AccessToken,
    AddressChange,
    Authorization,
    Client,
    FhirServer,
    PatientRecord,
    RefreshToken,
    public_reference,
)
from smart.digests import random_token, sha256_hex
from smart.time_units import to_datetime
from tests.conftest import SECRET, App, Granted, basic
from tests.fixture_types import Grant, Introspect, Issue, MakeClient, MakePerson, MakeVisitor
from tests.oauth.visitor import Visitor
from tests.running import ROOT

DAY = 86_400_000_000
OFFLINE = "launch/patient patient/*.rs offline_access"
EMPTY = "No app can use your records. When you allow one, it is listed here and you can take it back."


@pytest.fixture
def amy(make_person: MakePerson) -> Any:
    """Somebody with her own record."""
    return make_person("amy")


@pytest.fixture
def refreshing(make_client: MakeClient) -> Any:
    """A public client that may refresh."""
    grants = "authorization_code refresh_token"
    return make_client(grants=grants, scope=f"{OFFLINE} online_access patient/*.cruds openid fhirUser user/*.rs")


@pytest.fixture
def mine(visitor: Visitor, amy: Any) -> Visitor:
    """Her browser, signed in."""
    visitor.sign_in(visitor.request("GET", "/login"), amy)
    return visitor


def shown(visitor: Visitor, path: str = "/apps") -> str:
    """The text of the page, as it is read."""
    page = visitor.request("GET", path)
    assert page.status_code == 200, page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.text.split("<main")[1])).split())


def rows(visitor: Visitor) -> list[list[str]]:
    """The table of what has ended."""
    page = visitor.request("GET", "/apps").text
    found = re.findall(r"<tr><th scope=\"row\".*?</tr>", page, re.S)
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in found
    ]


def take_back(visitor: Visitor, granted: Granted) -> httpx.Response:
    return visitor.request("POST", f"/apps/{granted.authorization}/end", data={"csrfmiddlewaretoken": csrf(visitor)})


def csrf(visitor: Visitor) -> str:
    page = visitor.request("GET", "/apps/end-all")
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def refreshed(app: App, answer: dict[str, Any]) -> httpx.Response:
    form = {
        "grant_type": "refresh_token", "refresh_token": answer["refresh_token"],
        "client_id": answer["granted"].client.client_id,
    }  # fmt: skip
    response: httpx.Response = app.post("/o/token", data=form)
    return response


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
    assert EMPTY in shown(mine)


@pytest.mark.requirement("RV-05")
def test_a_slip_says_who_may_what_for_how_long(mine: Visitor, amy: Any, issue: Issue, make_client: MakeClient) -> None:
    client = make_client(maker="Little Steps Software", name="Growth Chart")
    issue(client, amy, scope="launch/patient patient/Observation.rs patient/Condition.rs patient/Observation.c")

    text = shown(mine)

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

    text = shown(mine)

    assert "RecordDan Reyes, at Harbour Clinic" in text
    assert "Sees everything in the record of Dan Reyes." in text
    assert "gets nothing more from the record of the patient with the number unlisted." in text


def test_many_kinds_are_five_and_the_rest_in_details(mine: Visitor, amy: Any, issue: Issue) -> None:
    types = ("Patient", "AllergyIntolerance", "Condition", "Observation", "MedicationRequest", "Immunization", "Goal")
    issue(person=amy, scope=" ".join(f"patient/{name}.rs" for name in types))

    text = shown(mine)

    assert "prescribed medicines and 2 more." in text
    assert "All 7 things" in text
    assert "See health goals" in text


@pytest.mark.parametrize(("count", "text"), [(1, "a"), (5, "a; a; a; a; a"), (6, "a; a; a; a; a and 1 more")])
def test_few_of_many(count: int, text: str) -> None:
    assert enumeration(["a"] * count) == text


@pytest.mark.requirement("RV-05")
def test_offline_access_works_while_the_person_is_away(mine: Visitor, amy: Any, refreshing: Any, issue: Issue) -> None:
    issue(refreshing, amy, scope=OFFLINE)

    text = shown(mine)

    assert "While you are awayYes, it can get data by itself" in text
    assert re.search(r"Ends\d+ \w+ \d{4}, or when you take it back", text)


def test_what_may_refresh_for_ever_ends_when_it_is_not_used(
    mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue
) -> None:
    client = make_client("secret", grants="authorization_code refresh_token", scope=OFFLINE)
    issue(client, amy, scope=OFFLINE)

    assert re.search(r"Endswhen you take it back, or if the app does not come before \d+ \w+ \d{4}", shown(mine))


def test_online_access_ends_with_the_session(mine: Visitor, amy: Any, refreshing: Any, issue: Issue) -> None:
    made = issue(refreshing, amy, scope="launch/patient patient/*.rs online_access")["granted"]
    Authorization.objects.filter(pk=made.authorization.pk).update(session_ends_at=clock.now() + 3 * DAY)

    text = shown(mine)

    assert re.search(r"Endswhen you sign out, at the latest \d+ \w+ \d{4}", text)
    assert "While you are awayNo" in text


def test_an_access_whose_token_is_over_lives_as_long_as_it_can_be_refreshed(
    mine: Visitor, amy: Any, refreshing: Any, issue: Issue
) -> None:
    made = issue(refreshing, amy, scope=OFFLINE)["granted"]
    AccessToken.objects.filter(authorization=made.authorization).update(expires_at=clock.now() - 1)

    assert "Take back access" in shown(mine)
    RefreshToken.objects.filter(authorization=made.authorization).update(expires_at=clock.now() - 1)
    assert EMPTY in shown(mine)


def test_a_code_that_the_app_may_still_exchange_is_access(mine: Visitor, amy: Any, grant: Grant) -> None:
    grant(person=amy)

    text = shown(mine)

    assert "Last given accessnot yet" in text
    assert "Ends in a moment".replace(" ", "", 1) in text


def test_last_given_stands_first(mine: Visitor, amy: Any, app: App, make_client: MakeClient, issue: Issue) -> None:
    first = make_client(name="Older", grants="authorization_code refresh_token", scope=OFFLINE)
    answer = issue(first, amy, scope=OFFLINE)
    issue(make_client(name="Newer"), amy)

    before = shown(mine)
    assert refreshed(app, answer).status_code == 200
    after = shown(mine)

    assert before.index("Newer") < before.index("Older")
    assert after.index("Older") < after.index("Newer")


@pytest.mark.parametrize(("policy", "text"), [("block", "It was stopped there."), ("flag", "It was allowed.")])
def test_a_flag_is_told_with_what_was_done(
    mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue, policy: str, text: str
) -> None:
    made, at = issue(make_client(address_policy=policy), amy)["granted"], 1_795_230_720_000_000
    Authorization.objects.filter(pk=made.authorization.pk).update(flagged_at=at)
    AddressChange.objects.create(authorization=made.authorization, address="198.51.100.9", noted_at=at)

    page = shown(mine)

    assert f"Used from a new address (198.51.100.9) on 21 November 2026 at 03:12 UTC. {text}" in page
    assert "If that was not you, take back access." in page


def test_a_flag_for_anything_else_is_not_called_a_new_address(
    mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue
) -> None:
    made, at = issue(make_client(), amy)["granted"], 1_795_230_720_000_000
    Authorization.objects.filter(pk=made.authorization.pk).update(flagged_at=at)
    AddressChange.objects.create(authorization=made.authorization, address="198.51.100.9", noted_at=at - 1)

    page = shown(mine)

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
    before = shown(mine)
    used_at = int(today.timestamp()) * 1_000_000
    Authorization.objects.filter(pk=made.authorization.pk).update(used_at=used_at, used_from=used_from)

    after = shown(mine)

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
    issue(make_client(name="Not hers"))

    assert EMPTY in shown(mine)


# Taking it back -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RV-05", "RV-06")
def test_taken_back_is_dead_at_the_next_introspection_and_refresh(
    mine: Visitor, amy: Any, app: App, refreshing: Any, issue: Issue, introspect: Introspect
) -> None:
    answer = issue(refreshing, amy, scope=OFFLINE)
    made = answer["granted"]
    assert introspect(answer["access_token"])["active"] is True

    response = take_back(mine, made)

    assert (response.status_code, response.headers["Location"]) == (303, f"/apps?ended={made.authorization}")
    assert introspect(answer["access_token"]) == {"active": False}
    refusal = refreshed(app, answer)
    assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_grant")
    (event,) = OutboxEvent.objects.filter(kind="access-taken-back", authorization=str(made.authorization))
    assert (event.person, event.client, event.address) == (amy.subject, refreshing.client_id, mine.address)
    page = mine.follow(response).text
    assert re.search(
        r'role="status" tabindex="-1" autofocus[^>]*><p><span dir="auto">Growth Chart</span> no longer', page
    )
    assert "Growth Chart no longer has access to your record." in shown(mine, f"/apps?ended={made.authorization}")
    assert [row[0] for row in rows(mine)] == ["Growth Chart"]
    assert rows(mine)[0][3] == "you took it back"


def test_a_code_does_not_outlive_it(mine: Visitor, amy: Any, app: App, grant: Grant) -> None:
    made = grant(person=amy)

    take_back(mine, made)

    assert app.post("/o/token", data=made.exchange()).json()["error"] == "invalid_grant"


def test_a_second_time_changes_nothing(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]
    take_back(mine, made)
    made.authorization.refresh_from_db()
    ended_at = made.authorization.ended_at

    again = take_back(mine, made)

    made.authorization.refresh_from_db()
    assert again.status_code == 303
    assert (made.authorization.ended_at, made.authorization.epoch) == (ended_at, 1)
    assert OutboxEvent.objects.filter(kind="access-taken-back", authorization=str(made.authorization)).count() == 1


@pytest.mark.parametrize("number", ["2222-2222", "zzzz", "1", "0000-0000", "%00", "9" * 40, "²²²²-²²²²"])
def test_a_number_of_nothing_is_a_page_that_does_not_exist(mine: Visitor, number: str) -> None:
    response = mine.request("POST", f"/apps/{number}/end", data={"csrfmiddlewaretoken": csrf(mine)})

    assert response.status_code == 404


@pytest.mark.requirement("RV-05")
def test_the_access_of_somebody_else_looks_like_nothing(mine: Visitor, issue: Issue, introspect: Introspect) -> None:
    answer = issue()
    form = {"csrfmiddlewaretoken": csrf(mine)}

    his = mine.request("POST", f"/apps/{answer['granted'].authorization}/end", data=form)
    none = mine.request("POST", "/apps/2222-2222/end", data=form)

    assert his.status_code == none.status_code == 404
    assert without_reference(his.text) == without_reference(none.text)
    assert introspect(answer["access_token"])["active"] is True
    assert not OutboxEvent.objects.filter(kind="access-taken-back", authorization=str(answer["granted"].authorization))


def without_reference(page: str) -> str:
    """The page but for its reference and its time."""
    return re.sub(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b|<time.*?</time>", "", page)


def test_it_needs_the_form_of_the_page_and_a_session(mine: Visitor, visitor: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]

    response = mine.request("POST", f"/apps/{made.authorization}/end")

    made.authorization.refresh_from_db()
    assert response.status_code == 403
    assert made.authorization.ended_at == 0


def test_what_still_lives_is_not_said_to_have_ended(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]

    assert "no longer has" not in shown(mine, f"/apps?ended={made.authorization}")


def test_another_access_of_the_same_app_is_told(mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue) -> None:
    client = make_client(supersede=Client.Supersede.GRANT)
    first, _ = issue(client, amy)["granted"], issue(client, amy)

    page = shown(mine, take_back(mine, first).headers["Location"])

    assert "Growth Chart no longer has this access. It still has another one to your record, below." in page


# What has ended -------------------------------------------------------------------------------------------------------


def literals(pattern: str) -> set[str]:
    """What the code writes into that column."""
    files = [file for folder in ("oauth", "introspection") for file in (ROOT / folder).rglob("*.py")]
    return {found for file in files for found in re.findall(pattern, file.read_text(encoding="utf-8"))}


def test_every_reason_that_the_code_writes_has_words() -> None:
    ended_for = literals(r"ended_for\s*=\s*'([\w-]+)'") | ends()
    revoked_for = literals(r"revoked_for\s*=\s*['\"]([\w-]+)['\"]") - {"used"}  # our own search, not a person's

    assert {"person", "signed-out", "operator", "reused"} <= ended_for
    assert ended_for == set(access.ENDED_FOR)
    assert revoked_for == set(access.REVOKED_FOR)


def ends() -> set[str]:
    """What every `.end("...", now=...)` and `.end(..., reason=...)` says."""
    files = [file for folder in ("oauth", "introspection") for file in (ROOT / folder).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    calls = [
        node for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "end"
    ]  # fmt: skip
    queries = [call.args[0] for call in calls if call.args and any(word.arg == "now" for word in call.keywords)]
    reasons = [word.value for call in calls for word in call.keywords if word.arg == "reason"]
    return {text for said in (*queries, *reasons) for text in texts(said)}


def texts(said: ast.expr) -> set[str]:
    """A literal, or either side of a choice between two."""
    if isinstance(said, ast.IfExp):
        return texts(said.body) | texts(said.orelse)
    return {str(said.value)} if isinstance(said, ast.Constant) else set()


@pytest.mark.parametrize(("reason", "text"), access.ENDED_FOR.items())
def test_an_ended_authorization_says_why(mine: Visitor, amy: Any, issue: Issue, reason: str, text: str) -> None:
    made = issue(person=amy)["granted"]
    Authorization.objects.filter(pk=made.authorization.pk).end(reason, now=clock.now())

    ((app, record, at, why),) = rows(mine)

    assert (app, record, why) == ("Growth Chart", "yours", text)
    assert at.startswith("today, ")


@pytest.mark.parametrize(("reason", "text"), access.REVOKED_FOR.items())
def test_a_revoked_last_token_says_why(mine: Visitor, amy: Any, issue: Issue, reason: str, text: str) -> None:
    made = issue(person=amy)["granted"]
    tokens = AccessToken.objects.filter(authorization=made.authorization)
    tokens.update(revoked_at=clock.now(), revoked_for=reason)

    assert rows(mine)[0][3] == text


def test_time_that_ran_out_is_told_also_after_the_sign_out(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]
    aged(made, 3 * DAY)
    Authorization.objects.filter(pk=made.authorization.pk).end("signed-out", now=clock.now())

    ((_, _, at, why),) = rows(mine)

    assert why == "time ran out"
    assert re.fullmatch(r"\d+ \w+ \d{4}", at)


def aged(made: Granted, by: int) -> None:
    """As if it had been allowed that long ago, for five minutes."""
    then = clock.now() - by
    Authorization.objects.filter(pk=made.authorization.pk).update(granted_at=then)
    made.authorization.codes.update(issued_at=then, expires_at=then + 60_000_000)
    AccessToken.objects.filter(authorization=made.authorization).update(issued_at=then, expires_at=then + 300_000_000)


def test_newer_access_replaces_older(mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue) -> None:
    client = make_client()
    issue(client, amy)
    issue(client, amy)

    ((_, _, at, why),) = rows(mine)

    assert why == "newer access replaced it"
    assert at.startswith("today, ")
    assert shown(mine).count("Take back access") == 1


def test_what_ran_out_before_it_was_replaced_ran_out(
    mine: Visitor, amy: Any, make_client: MakeClient, issue: Issue
) -> None:
    client = make_client()
    aged(issue(client, amy)["granted"], DAY * 2)
    issue(client, amy)

    assert rows(mine)[0][3] == "time ran out"


def test_what_the_operators_ended_is_told_without_a_time(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]
    Client.objects.filter(pk=made.client.pk).disable()

    assert rows(mine)[0][2:] == ["not noted", "the operators ended it"]
    aged(made, DAY * 2)
    assert rows(mine)[0][3] == "time ran out, or the operators ended it before"


def test_ninety_days_later_nothing_is_listed(mine: Visitor, amy: Any, issue: Issue) -> None:
    aged(issue(person=amy)["granted"], 89 * DAY)
    aged(issue(person=amy)["granted"], 91 * DAY)

    assert len(rows(mine)) == 1


@pytest.mark.parametrize(
    ("ago", "text"), [(0, "today, 12:00 UTC"), (DAY, "yesterday, 12:00 UTC"), (2 * DAY, "20 November 2026")]
)
def test_days_in_words(ago: int, text: str) -> None:
    noon = 1_795_348_800_000_000

    assert day_text(noon - ago, now=noon) == text


# Everything at once ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RV-05")
def test_everything_ends_after_one_more_question(
    mine: Visitor,
    make_visitor: MakeVisitor,
    amy: Any,
    issue: Issue,
    make_client: MakeClient,
    introspect: Introspect,
) -> None:
    phone, twice = make_visitor(), make_client(supersede=Client.Supersede.GRANT)
    tokens = [issue(client, amy)["access_token"] for client in (twice, twice, make_client())]
    others = issue()["access_token"]
    phone.sign_in(phone.request("GET", "/login"), amy)

    question = mine.request("GET", "/apps/end-all")
    assert "2 apps that can use health records because you allowed it get nothing more." in question.text
    assert [introspect(token)["active"] for token in tokens] == [True] * 3
    response = mine.send(question)

    assert (response.status_code, response.headers["Location"]) == (303, "/apps/end-all?done=1")
    assert "No app can use your records any more, and you are signed out everywhere." in mine.follow(response).text
    assert [introspect(token) for token in tokens] == [{"active": False}] * 3
    assert introspect(others)["active"] is True
    assert not SignIn.objects.filter(user=amy).exists()
    assert phone.request("GET", "/apps").headers["Location"] == "/login?to=apps"
    told = OutboxEvent.objects.filter(kind="access-taken-back", person=amy.subject)
    assert [event.reason for event in told] == ["everything"] * 3


def test_what_was_being_asked_meanwhile_is_dead_too(mine: Visitor, amy: Any, grant: Grant, app: App) -> None:
    before = User.objects.get(pk=amy.pk)
    mine.send(mine.request("GET", "/apps/end-all"))

    made = grant(person=before)

    assert app.post("/o/token", data=made.exchange()).json()["error"] == "invalid_grant"


def test_everything_at_once_needs_the_form_of_the_page(mine: Visitor, amy: Any, issue: Issue) -> None:
    made = issue(person=amy)["granted"]

    response = mine.request("POST", "/apps/end-all")

    made.authorization.refresh_from_db()
    assert response.status_code == 403
    assert made.authorization.ended_at == 0


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


def many(count: int, client: Any, person: Any, server: FhirServer) -> None:
    """So many that live and so many that ran out a day ago."""
    now = clock.now()
    made = Authorization.objects.bulk_create(
        Authorization(client=client, user=person, fhir_server=server, patient=f"many-{number}", client_epoch=0,
                      scope="patient/*.rs", context=json.dumps({"patient": f"many-{number}"}), granted_at=now - 2 * DAY)
        for number in range(2 * count)
    )  # fmt: skip
    AccessToken.objects.bulk_create(
        AccessToken(digest=sha256_hex(random_token()), authorization=each, authorization_epoch=0, scope="", claims="{}",
                    issued_at=now - DAY, expires_at=now + DAY if number % 2 else now - DAY + 1)
        for number, each in enumerate(made)
    )  # fmt: skip


def test_many_are_bounded_and_cost_as_many_statements_as_few(
    mine: Visitor, amy: Any, make_client: MakeClient, fhir_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    many(1, client, amy, fhir_server)
    shown(mine)
    with counting(monkeypatch) as few_statements:
        shown(mine)
    many(MAX_CARDS + 5, client, amy, fhir_server)

    with counting(monkeypatch) as many_statements:
        page = mine.request("GET", "/apps").text

    assert len(many_statements) == len(few_statements) <= 14
    assert page.count('<li class="slip slip-small">') == MAX_CARDS
    assert page.count('<th scope="row"') == MAX_CARDS
    assert "Shown are the 100 that were given access last." in page
    assert "Shown are the 100 that ended last." in page


def test_everything_of_many_ends_with_an_event_each(
    mine: Visitor, amy: Any, make_client: MakeClient, fhir_server: Any
) -> None:
    many(MAX_CARDS + 405, make_client(), amy, fhir_server)

    response = mine.send(mine.request("GET", "/apps/end-all"))

    assert response.status_code == 303
    assert not Authorization.objects.filter(user=amy, ended_at=0).exists()
    assert OutboxEvent.objects.filter(kind="access-taken-back", person=amy.subject).count() == MAX_CARDS + 405


def test_a_client_that_revokes_says_so_here(
    mine: Visitor, amy: Any, app: App, make_client: MakeClient, issue: Issue
) -> None:
    client = make_client("secret")
    answer = issue(client, amy)

    app.post("/o/revoke", data={"token": answer["access_token"]}, headers=basic(client.client_id, SECRET))

    assert rows(mine)[0][3] == access.GIVEN_BACK
    assert public_reference(answer["granted"].authorization.pk) not in mine.request("GET", "/apps").text
