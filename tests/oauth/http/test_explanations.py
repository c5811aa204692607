"""Every refusal of the product says which line of the specification refused."""

import ast
import re
from collections import OrderedDict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

import smart.http.errors
from oauth.http import explanations, refusal_log
from oauth.http.json_endpoint import Forbidden
from smart.explanation import Explanation
from smart.http.errors import OAuthError
from tests.conftest import SECRET, App, basic
from tests.explained import HEADER
from tests.fixture_types import MakeResourceServer
from tests.specification import ROOT

pytestmark = pytest.mark.one_engine

PRODUCT = ("accounts", "introspection", "oauth", "operators", "smart", "smartauth")
ERRORS = {Forbidden.__name__, "NoIntrospectionScope", "TooManyWaiting"} | {
    name for name, found in vars(smart.http.errors).items() if isinstance(found, type) and issubclass(found, OAuthError)
}
# where the table of rules, or the view, names the rule of everything that is raised
NAMED_ELSEWHERE = {
    "smart/authorize/rules.py", "introspection/invalidate.py", "introspection/invalidation_target.py",
    "introspection/report.py", "introspection/requester.py", "oauth/ehr_launch/api.py", "oauth/workbench/api/tokens.py",
    "oauth/workbench/api/probe_results.py", "oauth/workbench/faults/api.py",
    "oauth/http/json_endpoint.py", "oauth/http/json_members.py", "oauth/clients/json_callers.py",
}  # fmt: skip


@pytest.fixture
def data_folder(tmp_path: Path, settings: Any) -> Path:
    """A data folder of the test's own, where no other worker writes its refusals."""
    settings.SMARTAUTH_DATA_DIR = tmp_path
    return tmp_path


def unexplained(file: Path) -> Iterator[str]:
    """The errors made in a file without a rule."""
    calls = (node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    for call in calls:
        named = {keyword.arg for keyword in call.keywords} & {"rule", None}
        if isinstance(call.func, ast.Name) and call.func.id in ERRORS and not named:
            yield f"{file.relative_to(ROOT)}:{call.lineno} {call.func.id}"


@pytest.mark.requirement("AZ-25")
def test_every_error_that_is_made_names_its_rule_or_stands_where_that_is_named_for_all() -> None:
    files = [file for folder in PRODUCT for file in sorted((ROOT / folder).rglob("*.py"))]
    others = [file for file in files if str(file.relative_to(ROOT)) not in NAMED_ELSEWHERE]

    assert len(others) > 200
    assert [where for file in others for where in unexplained(file)] == []


@pytest.mark.requirement("AZ-25")
def test_a_reference_leads_back_to_its_explanation_until_many_newer_ones_came(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = explanations.with_reference(Explanation("TK-08", "sent twice"))
    again = explanations.with_reference(first)

    assert again.reference == first.reference
    assert explanations.latest_explanation(first.reference) == first
    assert explanations.error_uri(first).endswith(f"/explain/{first.reference}")
    monkeypatch.setattr(refusal_log, "MOST_BYTES", 20_000)
    for _ in range(explanations.MOST):
        explanations.with_reference(Explanation("TK-08", "sent twice"))
    assert explanations.latest_explanation(first.reference) is None
    assert sum(file.stat().st_size for file in data_folder.iterdir()) < 42_000


@pytest.mark.requirement("AZ-25")
def test_another_process_finds_a_reference_too_whichever_of_both_files_holds_it(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = explanations.with_reference(Explanation("TK-08", "é\n sent twice", presented="two", since=7, case="E49"))
    monkeypatch.setattr(refusal_log, "MOST_BYTES", 1)
    second = explanations.with_reference(Explanation("TK-01", "not a form"))  # the last line of its file
    third = explanations.with_reference(Explanation("TK-01", "not a form"))
    monkeypatch.setattr(refusal_log, "MOST_BYTES", 500_000)
    fourth = explanations.with_reference(Explanation("TK-01", "not a form"))
    (data_folder / refusal_log.FILES[0]).open("a").write('{"cut')
    monkeypatch.setattr(explanations, "_latest", OrderedDict())

    found = [explanations.latest_explanation(each.reference) for each in (first, second, third, fourth)]

    assert found == [None, None, third, fourth]
    assert all(file.stat().st_mode & 0o77 == 0 for file in data_folder.iterdir())


@pytest.mark.requirement("AZ-25")
def test_a_folder_that_cannot_be_written_refuses_no_answer(data_folder: Path, settings: Any) -> None:
    settings.SMARTAUTH_DATA_DIR = data_folder / "not there"

    kept = explanations.with_reference(Explanation("TK-08", "sent twice"))

    assert explanations.latest_explanation(kept.reference) == kept
    assert explanations.latest_explanation("2222-2222") is None


@pytest.mark.requirement("AZ-25")
def test_outside_development_nothing_is_kept_and_nothing_leads_anywhere(data_folder: Path, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False
    explanation = Explanation("TK-08", "sent twice")

    assert explanations.with_reference(explanation) is explanation
    assert explanations.error_uri(Explanation("TK-08", "sent twice", reference="7F3K-29QD")) == ""
    assert list(data_folder.iterdir()) == []


FORM = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "https://app.example/cb"}
REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/o/token", {}),
    ("POST", "/o/token", {"json": {}}),
    ("POST", "/o/token", {"data": FORM}),
    ("POST", "/o/token", {"data": {**FORM, "client_id": "nobody"}}),
    ("POST", "/o/token", {"content": b"x" * 70_000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
    ("POST", "/o/introspect", {"data": {"token": "garbage"}}),
    ("POST", "/o/introspect", {"data": {"token": "garbage"}, "headers": {"Authorization": "Bearer x"}}),
    ("POST", "/o/revoke", {"data": {"client_id": "nobody"}}),
    ("POST", "/o/invalidate", {"json": {}}),
    ("POST", "/o/report", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    ("DELETE", "/o/launch", {}),
    ("GET", "/o/userinfo", {}),
    ("GET", "/o/userinfo", {"headers": {"Authorization": "Bearer x"}}),
    ("GET", "/o/smart-configuration?aud=https://nowhere.example", {}),
    ("GET", "/fhir/r4/Patient/amy", {}),
]


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(("method", "path", "sent"), REFUSED, ids=repr)
def test_development_adds_a_header_and_an_address_and_nothing_else_differs(
    app: App, settings: Any, method: str, path: str, sent: dict[str, Any]
) -> None:
    told = app.request(method, path, **sent)
    settings.SMARTAUTH_DEV = False
    plain = app.request(method, path, **sent)

    assert told.status_code == plain.status_code >= HTTPStatus.BAD_REQUEST
    assert HEADER in told.headers
    assert _kept(told.headers) == _kept(plain.headers)
    if b"error_uri" in told.content:
        reference = told.json()["error_uri"].rpartition("/")[2]
        assert told.headers[HEADER].endswith(f" ({reference})")
    assert _without_address(told.content) == plain.content


def _kept(headers: httpx.Headers) -> dict[str, str]:
    own = {HEADER.lower(), "x-request-id", "content-length", "date"}
    return {name: value.removesuffix(f", {HEADER}") for name, value in headers.items() if name not in own}


def _without_address(content: bytes) -> bytes:
    return re.sub(rb', "error_uri": "[^"]*"', b"", content)


@pytest.mark.requirement("AZ-25", "IN-06")
def test_a_token_that_is_not_active_reads_the_same_but_for_the_header(
    app: App, settings: Any, make_resource_server: MakeResourceServer
) -> None:
    caller = basic(make_resource_server().client_id, SECRET)
    told = app.post("/o/introspect", data={"token": "garbage"}, headers=caller)
    settings.SMARTAUTH_DEV = False
    plain = app.post("/o/introspect", data={"token": "garbage"}, headers=caller)

    assert told.headers[HEADER].startswith("LV-01 We issued no such token (")
    assert (plain.content, _kept(told.headers)) == (told.content, _kept(plain.headers))
