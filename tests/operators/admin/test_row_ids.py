"""Addresses and forms of the admin with a row id that is no number: a page that says so, never an error (500)."""

from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

ODD = ["abc", "1.5", "9" * 40, "\0", "-1", "", " 1", "1e3", "\u0661", "0x1", "None", "1,2", "9223372036854775808"]
TABLES = {
    "oauth/client": ("rotate", "end_access", "disable", "enable"),
    "oauth/fhirserver": ("end_access",),
    "oauth/patientrecord": ("end_access",),
    "oauth/authorization": ("end", "clear_flag"),
    "oauth/accesstoken": ("end", "end_authorizations"),
    "oauth/refreshtoken": ("end_authorizations",),
    "oauth/signingkey": ("rotate", "withdraw"),
    "accounts/user": ("suspend", "lift_suspension", "end_access", "require_password"),
    "audit/securityevent": (),
}
PAGES = ("change", "history", "delete")
FILTERS = {
    "oauth/client": ("fhir_servers__id__exact", "q", "p"),
    "oauth/authorization": ("client__id__exact", "fhir_server__id__exact", "person", "q"),
    "oauth/accesstoken": ("authorization__client__id__exact", "authorization__fhir_server__id__exact", "authorization"),
    "oauth/refreshtoken": ("authorization__client__id__exact", "authorization", "q"),
    "oauth/patientrecord": ("q", "p"),
    "oauth/fhirserver": ("version", "q"),
    "accounts/user": ("state", "q", "p"),
    "audit/securityevent": ("client", "token", "authorization", "operator", "q", "p"),
}  # fmt: skip


def shown(value: str) -> str:
    return ascii(value[:12]) or "empty"


@pytest.mark.parametrize("table", TABLES)
def test_a_page_of_no_row_is_none(operator: Operator, table: str) -> None:
    for row_id, page in product(filter(None, ODD), PAGES):
        answer = operator.browser.get(f"/admin/{table}/{quote(row_id, safe='')}/{page}/")
        assert answer.status_code in {302, 403, 404}, (row_id, page, answer.status_code)


@pytest.mark.parametrize(("table", "action"), [(table, one) for table, every in TABLES.items() for one in every])
def test_an_action_on_no_row_does_nothing_and_says_so(operator: Operator, table: str, action: str) -> None:
    forms = [*product(ODD, ({}, {"confirmed": "yes", "reason": "a reason", "number": "x"}))]

    for row_id, more in forms:
        form = {"action": action, "_selected_action": [row_id], **more}
        answer = operator.browser.post(f"/admin/{table}/", form)
        assert (answer.status_code, answer.headers.get("Location")) == (302, f"/admin/{table}/"), row_id

    shown = operator.browser.get(f"/admin/{table}/").content.decode()  # with what each of them left to be said
    assert shown.count("Items must be selected") == len(forms)


@pytest.mark.parametrize(("table", "name"), [(table, one) for table, every in FILTERS.items() for one in every])
def test_a_filter_by_no_row_shows_a_list(operator: Operator, table: str, name: str) -> None:
    for value in ODD:
        answer = operator.browser.get(f"/admin/{table}/", {name: value}, follow=True)

        assert answer.status_code == 200, value


def test_further_addresses_with_no_row_are_none(operator: Operator) -> None:
    for row_id in filter(None, ODD):
        written = quote(row_id, safe="")
        for path in (f"accounts/user/{written}/password/", f"r/{written}/{written}/"):
            assert operator.browser.get(f"/admin/{path}").status_code in {302, 403, 404}, path
        for path in (f"oauth/client/{written}/keys/", f"accounts/user/{written}/password/"):
            assert operator.browser.post(f"/admin/{path}", {}).status_code in {302, 403, 404}, path


@pytest.mark.parametrize("row_id", ODD, ids=shown)
def test_forms_that_name_no_row_are_shown_again(operator: Operator, row_id: str) -> None:
    user = operator.user
    forms: dict[str, dict[str, Any]] = {
        "oauth/client/add/?kind=public": {"name": "A", "fhir_servers": [row_id], "scope": "nonsense"},
        "oauth/client/add/?kind=resource-server": {
            "protects-TOTAL_FORMS": "1", "protects-INITIAL_FORMS": "1", "protects-0-id": row_id,
            "protects-0-fhir_server": row_id, "protects-0-client": row_id,
        },
        "oauth/patientrecord/add/": {"fhir_server": row_id, "patient": "p", "name": "\u202e"},
        f"accounts/user/{user.pk}/change/": {
            "username": user.username, "identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "1",
            "identities-0-id": row_id, "identities-0-user": row_id, "identities-0-fhir_server": row_id,
            "identities-0-resource": "Patient/amy",
        },
        f"accounts/user/{user.pk}/change/?_to_field={quote(row_id)}": {
            "username": user.username, "identities-TOTAL_FORMS": row_id, "identities-INITIAL_FORMS": row_id,
        },
    }  # fmt: skip
    for path, form in forms.items():
        answer = operator.browser.post(f"/admin/{path}", form)
        assert answer.status_code in {200, 302, 400}, (path, answer.status_code)


@pytest.mark.parametrize("spelling", ["0{}", "00000{}", "_{}", "+{}"])
def test_ones_own_password_needs_the_old_one_however_the_address_spells_the_number(
    operator: Operator, spelling: str
) -> None:
    number = str(operator.user.pk)
    written = spelling.format(number)
    if spelling == "_{}":
        written = "".join(f"_{ord(digit):02X}" for digit in number)
    before = operator.user.password
    form = {"password1": "a-brand-new-password", "password2": "a-brand-new-password", "usable_password": "true"}

    shown_page = operator.browser.get(f"/admin/accounts/user/{written}/password/")
    changed = operator.browser.post(f"/admin/accounts/user/{written}/password/", form)

    operator.user.refresh_from_db()
    assert operator.user.password == before
    for answer in (shown_page, changed):
        assert answer.status_code == 404 or answer["Location"] == "/password"
