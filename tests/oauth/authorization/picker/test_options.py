"""The list of a picker: how many are shown, from how many on there is a search, and a choice that is one of them."""

import secrets
from typing import Any

import pytest
from django.db.models import QuerySet

from oauth.authorization.picker.options import Option, Options, find_option, options, picker_page, search_text
from oauth.models import FhirServer, PatientRecord
from tests.fixture_types import MakeClient
from tests.oauth.authorization.waiting_requests import browser, wait

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def server() -> FhirServer:
    return FhirServer.objects.create(base=f"https://{secrets.token_hex(8)}.test/fhir")


def records(server: FhirServer, number: int) -> QuerySet[PatientRecord]:
    names = [f"p{index:02}" for index in range(number)]
    PatientRecord.objects.bulk_create(PatientRecord(fhir_server=server, patient=name, name=name) for name in names)
    return PatientRecord.objects.filter(fhir_server=server).order_by("patient")


def shown(request: Any, every: QuerySet[PatientRecord]) -> Options:
    def matching(rows: QuerySet[PatientRecord], text: str) -> QuerySet[PatientRecord]:
        return rows.filter(name__startswith=text)

    return options(request, every, matching, lambda row, only: Option(row.pk, row.name, "", "", only))


@pytest.mark.parametrize(
    ("number", "query", "names", "has_more", "searchable"),
    [
        (1, "", 1, False, False),
        (7, "?q=p01", 7, False, False),
        (8, "?q=p01", 1, False, True),
        (20, "", 20, False, True),
        (21, "", 20, True, True),
        (21, "?q=p0", 10, False, True),
    ],
)
def test_at_most_twenty_are_shown_and_from_eight_on_there_is_a_search(
    rf: Any, server: FhirServer, number: int, query: str, names: int, has_more: bool, searchable: bool
) -> None:
    found = shown(rf.get(f"/{query}"), records(server, number))

    assert (len(found.rows), found.total) == (names, number)
    assert (found.has_more, found.searchable, found.search_failed) == (has_more, searchable, False)
    assert found.search_text == (query.removeprefix("?q=") if searchable else "")
    assert {row.selected for row in found.rows} == {number == 1}


@pytest.mark.parametrize(
    ("query", "text"),
    [("", ""), ("?q=", ""), ("?q=%20amy%00%20", "amy"), (f"?q={'a' * 100}", "a" * 100), (f"?q={'a' * 101}", "a" * 100)],
)
def test_what_is_typed_is_bounded_and_has_no_blanks_around_it(rf: Any, query: str, text: str) -> None:
    assert search_text(rf.get(f"/{query}")) == text


@pytest.mark.requirement("AZ-12")
def test_a_choice_is_the_number_of_one_of_them(server: FhirServer) -> None:
    every = records(server, 2)
    first, second = every

    assert find_option(every, str(first.pk)) == first
    assert find_option(every.exclude(pk=second.pk), str(second.pk)) is None
    wrong = ["", "x", "-1", "1.0", "\u0661", " 1", str(2**64), "9" * 18, "9" * 19]
    assert [find_option(every, number) for number in wrong] == [None] * len(wrong)


@pytest.mark.requirement("AZ-18", "AZ-19")
@pytest.mark.parametrize(("field", "noun"), [("patient", "patient"), ("encounter", "visit")])
def test_the_page_names_what_is_missing_and_its_form_may_end_at_the_app(
    make_client: MakeClient, fhir_server: Any, field: str, noun: str
) -> None:
    shown_ones = Options([Option(7, "Dan", "", "", False)], 1, "", has_more=False, searchable=False)
    pending = wait(make_client(), fhir_server)

    for missed, status in ((False, 200), (True, 422)):
        page = picker_page(browser(), field, pending, shown_ones, missed=missed, whose="Dan")
        assert (page.status_code, f"No {noun} is chosen." in page.content.decode()) == (status, missed)
        assert f'name="{field}" value="7"' in page.content.decode()
        assert getattr(page, "_csp_update") == {"form-action": ["https://app.example.org"]}  # noqa: B009
