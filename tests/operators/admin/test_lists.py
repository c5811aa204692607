"""Every list and page of the admin: opened, searched, filtered, with names that hold markup; nothing can be deleted."""

import re
from typing import Any

import pytest

from accounts import clock
from oauth.models import public_reference
from operators.admin.model_admin import LEFT_OUT, UNREADABLE, OperatorAdmin
from tests.fixture_types import Grant, MakeClient, MakePerson, MakeToken
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

LISTS = [
    "oauth/client", "oauth/fhirserver", "accounts/user", "oauth/patientrecord", "oauth/authorization",
    "oauth/accesstoken", "oauth/refreshtoken", "audit/securityevent", "oauth/signingkey",
]  # fmt: skip
MARKUP = '<img src=x onerror="alert(1)">'


def test_the_start_page_shows_five_numbers_with_links(operator: Operator) -> None:
    page = operator.get("").content.decode()

    for link in ("accesstoken/?state=live", "authorization/?state=flagged", "securityevent/?result=refused",
                 "user/?state=suspended", "signingkey/?state=active"):  # fmt: skip
        assert link in page
    assert "What runs, who may do what, what happened" in page
    assert "Groups" not in page


@pytest.mark.parametrize("table", LISTS)
def test_a_list_opens_and_can_be_searched(operator: Operator, make_token: MakeToken, table: str) -> None:
    make_token()

    assert operator.get(f"{table}/").status_code == 200
    assert operator.get(f"{table}/", q="nobody-at-all").status_code == 200
    assert operator.get(f"{table}/", q="\0'; DROP TABLE").status_code == 200


@pytest.mark.parametrize(
    ("table", "name"),
    [(table, name) for table, names in {
        "oauth/client": ("kind=backend", "kind=public", "kind=resource-server", "state=loose", "state=disabled"),
        "accounts/user": ("state=suspended", "role=operator", "role=patient"),
        "oauth/authorization": ("state=live", "state=flagged", "state=ended", "offline=yes", "person=amy"),
        "oauth/accesstoken": ("state=live", "state=superseded", "state=expired", "state=tampered", "state=ended",
                              "state=flagged", "authorization=2222-2223", "authorization=nonsense"),
        "oauth/refreshtoken": ("state=unused", "state=used", "state=expired", "authorization=2222-2223"),
        "audit/securityevent": ("result=refused", "kind=issued", "day=hour", "day=yesterday", "client=x", "person=x",
                                "address=192.0.2.7", "token=2222-2223"),
        "oauth/signingkey": ("state=active",),
    }.items() for name in names],
)  # fmt: skip
def test_a_list_can_be_filtered(operator: Operator, table: str, name: str) -> None:
    key, _, value = name.partition("=")

    assert operator.get(f"{table}/", **{key: value}).status_code == 200


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("oauth/accesstoken", "jti__startswith=a"),
        ("oauth/accesstoken", "digest__gt=a"),
        ("oauth/refreshtoken", "kept_answer__contains=a"),
        ("oauth/client", "secret_digest__startswith=a"),
        ("oauth/signingkey", "private_encrypted__startswith=a"),
        ("accounts/user", "epoch__gt=1"),
        ("audit/securityevent", "reason__regex=(a*)*b"),
        ("oauth/patientrecord", "id__range=1"),
        ("oauth/fhirserver", "nothing=1"),
    ],
)
def test_a_list_is_filtered_by_nothing_that_it_does_not_offer(operator: Operator, table: str, query: str) -> None:
    name, _, value = query.partition("=")

    answer = operator.get(f"{table}/", **{name: value})

    assert (answer.status_code, answer.get("Location")) == (302, f"/admin/{table}/")


@pytest.mark.parametrize("odd", ["utm=1", "kind=%00", "jti__startswith=a&jti__endswith=b"])
def test_a_filter_that_is_left_out_is_told_and_the_others_stay(operator: Operator, odd: str) -> None:
    rest = "state=live&o=1&q=a+b"

    answer = operator.browser.get(f"/admin/oauth/accesstoken/?{odd}&{rest}")
    page = operator.browser.get(answer["Location"]).content.decode()

    assert answer["Location"] == f"/admin/oauth/accesstoken/?{rest}"
    assert LEFT_OUT in page
    assert LEFT_OUT not in operator.page("oauth/accesstoken/", state="live")


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("oauth/accesstoken", {"state": "no-such"}),
        ("oauth/authorization", {"state": "live", "client__id__exact": "x"}),
        ("accounts/user", {"state": "no-such", "p": "1"}),
        ("oauth/signingkey", {"state": "no-such"}),
    ],
)
def test_a_filter_with_a_value_that_it_does_not_know_is_told(
    operator: Operator, table: str, query: dict[str, str]
) -> None:
    page = operator.browser.get(f"/admin/{table}/", query, follow=True).content.decode()

    assert UNREADABLE in page


def test_a_row_that_is_not_there_filters_also_where_there_is_nothing_to_choose(
    operator: Operator, make_token: MakeToken
) -> None:
    make_token()

    page = operator.get("oauth/authorization/", client__id__exact="0")

    assert (page.status_code, page.context["cl"].result_count) == (200, 0)


@pytest.mark.parametrize("page", ["99999", "0"])  # of one token each, and other tests leave some
def test_a_page_that_is_past_the_end_leaves_the_filters(
    operator: Operator,
    make_client: MakeClient,
    grant: Grant,
    make_token: MakeToken,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
) -> None:
    monkeypatch.setattr(OperatorAdmin, "list_per_page", 1)
    for _ in range(2):
        make_token(grant(make_client()))
    assert operator.get("oauth/accesstoken/", state="live").context["cl"].result_count >= 2

    answer = operator.get("oauth/accesstoken/", state="live", p=page)

    assert (answer.status_code, answer.get("Location")) == (302, "/admin/oauth/accesstoken/?state=live")


@pytest.mark.parametrize("table", ["oauth/client", "oauth/authorization", "oauth/accesstoken", "oauth/fhirserver"])
@pytest.mark.usefixtures("other_fhir_server")
def test_what_a_list_offers_to_filter_by_filters(operator: Operator, table: str, make_token: MakeToken) -> None:
    make_token()

    offered = re.findall(r'<a href="\?([^"&]*)"', operator.page(f"{table}/"))

    assert any("__exact=" in query for query in offered)
    assert {operator.browser.get(f"/admin/{table}/?{query}").status_code for query in offered} == {200}


@pytest.mark.parametrize("table", ["oauth/client", "oauth/authorization", "oauth/accesstoken", "oauth/refreshtoken"])
@pytest.mark.usefixtures("other_fhir_server")  # of one there is nothing to choose
def test_a_filter_is_headed_by_what_the_rows_are_called(operator: Operator, table: str, make_token: MakeToken) -> None:
    make_token()

    page = operator.get(f"{table}/").content.decode()

    assert "By FHIR server" in page
    assert "By fhir server" not in page


@pytest.mark.requirement("PR-06", "SD-07")
def test_a_flagged_authorization_stands_above_a_newer_one(
    operator: Operator, make_client: MakeClient, grant: Grant, make_token: MakeToken
) -> None:
    client = make_client()
    flagged = make_token(grant(client)).authorization
    newer = make_token(grant(client)).authorization
    type(flagged).objects.filter(pk=flagged.pk).update(flagged_at=clock.now() + 86_400_000_000)

    page = operator.get("oauth/authorization/", client__id__exact=str(client.pk)).content.decode()

    assert page.index(public_reference(flagged.pk)) < page.index(public_reference(newer.pk))


@pytest.mark.parametrize("table", LISTS)
def test_nothing_can_be_deleted(operator: Operator, make_token: MakeToken, table: str) -> None:
    row = make_token()

    answer = operator.browser.post(f"/admin/{table}/{row.pk}/delete/", {"post": "yes"})

    assert answer.status_code in {403, 404, 302}
    assert "Delete selected" not in operator.get(f"{table}/").content.decode()


@pytest.mark.requirement("SD-19")
def test_a_stored_name_with_markup_comes_out_escaped(
    operator: Operator, make_client: MakeClient, make_person: MakePerson, grant: Grant,
    make_token: MakeToken, fhir_server: Any,
) -> None:  # fmt: skip
    client = make_client(name=MARKUP, maker=MARKUP, redirect_uris=MARKUP, client_id=f"{MARKUP}-{operator.user.pk}")
    person = make_person("amy", username=f"{MARKUP}-{operator.user.pk}")
    person.name = MARKUP
    person.save()
    granted = grant(client, person, patient=MARKUP, scope=MARKUP)
    token = make_token(granted, scope=MARKUP, address=MARKUP)
    pages = [
        "oauth/client/", f"oauth/client/{client.pk}/change/", "accounts/user/", f"accounts/user/{person.pk}/change/",
        f"oauth/authorization/?client__id__exact={client.pk}",
        f"oauth/authorization/{granted.authorization.pk}/change/",
        f"oauth/accesstoken/?authorization={public_reference(granted.authorization.pk)}",
        f"oauth/accesstoken/{token.pk}/change/",
    ]  # fmt: skip

    answers = [operator.get(page) for page in pages]
    answers.append(operator.act("oauth/client", "disable", client))

    for answer in answers:
        assert answer.status_code == 200
        assert "<img src=x" not in answer.content.decode()
        assert "&lt;img" in answer.content.decode()


def test_only_operators_come_in(operator: Operator, make_person: MakePerson) -> None:
    operator.browser.force_login(make_person("amy"))

    answer = operator.get("oauth/client/")

    assert answer.status_code == 403
    assert "<h1>This page is for operators</h1>" in answer.content.decode()
    operator.browser.logout()
    assert operator.get("oauth/client/")["Location"].startswith("/admin/login/")


def test_pages_of_the_admin_are_never_stored(operator: Operator) -> None:
    assert "no-store" in operator.get("oauth/client/")["Cache-Control"]


def test_everything_selected_is_never_more_than_the_ticked_rows(operator: Operator, make_client: MakeClient) -> None:
    from oauth.models import Client

    ticked, other = make_client(), make_client()

    operator.post("oauth/client/", {
        "action": "disable", "_selected_action": [ticked.pk], "select_across": "1", "confirmed": "yes",
    })  # fmt: skip

    assert Client.objects.get(pk=ticked.pk).enabled == 0
    assert Client.objects.get(pk=other.pk).enabled == 1
