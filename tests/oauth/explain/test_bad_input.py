"""The table of bad input, row by row: the explanation of each refusal names its row and its rule.

The rows of /o/authorize stand in tests/smart/authorize/test_request.py, which asserts the same.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oauth.http.explanations import latest_explanation
from tests.conftest import REDIRECT_URI, SECRET, VERIFIER, App, basic
from tests.explained import HEADER, identifiers
from tests.fixture_types import Issue, MakeClient, MakeResourceServer
from tests.specification import ROOT

FORM = {"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, "code": "never-issued"}
CODE, REFRESH = {"grant_type": "authorization_code", **FORM}, {"grant_type": "refresh_token"}
TYPE = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}

# the row, its rule, method, path, the form, and who sends it: "" nobody, or a kind of client
ROWS: list[tuple[str, str, str, str, dict[str, str] | None, str]] = [
    ("E44", "TK-01", "GET", "/o/token", None, ""),
    ("E45", "TK-01", "POST", "/o/token", None, ""),
    ("E46", "TK-01", "POST", "/o/token", {}, "public"),
    ("E47", "AZ-01", "POST", "/o/token", {"grant_type": "password"}, "public"),
    ("E48", "RG-09", "POST", "/o/token", {"grant_type": "client_credentials"}, "public"),
    ("E50", "CL-01", "POST", "/o/token", CODE, "without secret"),
    ("E51", "CL-01", "POST", "/o/token", {**CODE, "client_id": "nobody-of-that-name"}, ""),
    ("E52", "CL-02", "POST", "/o/token", CODE, "wrong secret"),
    ("E53", "CL-02", "POST", "/o/token", CODE, "no basic"),
    ("E54", "CL-01", "POST", "/o/token", {**CODE, "client_secret": "x"}, "secret"),
    ("E55", "CL-01", "POST", "/o/token", {**CODE, "client_id": "another"}, "secret"),
    ("E56", "CL-01", "POST", "/o/token", {**CODE, "client_secret": "x"}, "public"),
    ("E59", "CL-09", "POST", "/o/token", {**CODE, **TYPE}, ""),
    ("E60", "CL-04", "POST", "/o/token", {**CODE, **TYPE, "client_assertion": "no.jws"}, ""),
    ("E75", "CG-01", "POST", "/o/token", {"grant_type": "authorization_code"}, "public"),
    ("E76", "AZ-17", "POST", "/o/token", CODE, "public"),
    ("E80", "CG-01", "POST", "/o/token", {"grant_type": "authorization_code", "code": "x"}, "public"),
    ("E81", "CG-02", "POST", "/o/token", {**CODE, "code_verifier": "short"}, "public"),
    ("E86", "RF-01", "POST", "/o/token", REFRESH, "public"),
    ("E87", "RF-01", "POST", "/o/token", {**REFRESH, "refresh_token": "never-issued"}, "public"),
    ("E106", "IN-01", "POST", "/o/introspect", {"token_type_hint": "access_token"}, "resource server"),
    ("E107", "LV-01", "POST", "/o/introspect", {"token": "garbage"}, "resource server"),
    ("E110", "RV-01", "POST", "/o/revoke", {}, "public"),
    ("E112", "RV-03", "POST", "/o/revoke", {"token": "ANOTHERS"}, "public"),
    ("E124", "AT-05", "GET", "/o/userinfo", None, ""),
    ("E125", "LV-01", "GET", "/o/userinfo", None, "bearer"),
]


@pytest.fixture
def sender(make_client: MakeClient, make_resource_server: MakeResourceServer) -> Any:
    """The client id in the form, and the headers, of each kind of sender."""

    def known(kind: str) -> tuple[dict[str, str], dict[str, str]]:
        if kind == "public":
            return {"client_id": make_client(grants="authorization_code refresh_token").client_id}, {}
        if kind == "resource server":
            return {}, basic(make_resource_server().client_id, SECRET)
        if kind == "without secret":
            return {"client_id": make_client("secret").client_id}, {}
        headers = {"no basic": {"Authorization": "Basic !"}, "bearer": {"Authorization": "Bearer garbage"}, "": {}}
        if kind in headers:
            return {}, headers[kind]
        return {}, basic(make_client("secret").client_id, "wrong" if kind == "wrong secret" else SECRET)

    return known


@pytest.mark.requirement("AZ-25", "SD-27")
@pytest.mark.parametrize(
    ("row", "rule", "method", "path", "form", "kind"),
    [pytest.param(*row, id=row[0], marks=pytest.mark.requirement(row[0])) for row in ROWS],
)
def test_a_row_is_explained_by_its_rule(
    app: App, issue: Issue, sender: Any, row: str, rule: str, method: str, path: str, form: Any, kind: str
) -> None:
    named, headers = sender(kind)
    body = None if form is None else {**named, **form}
    if body and body.get("token") == "ANOTHERS":
        body["token"] = issue()["access_token"]

    response = app.request(method, path, headers=headers, **({"data": body} if body is not None else {}))

    explanation = latest_explanation(response.headers[HEADER].rpartition("(")[2].removesuffix(")"))
    assert explanation is not None
    assert (explanation.case, explanation.rule) == (row, rule)


def cases() -> Iterator[str]:
    """The rows that the product's refusals name."""
    for folder in ("smart", "oauth", "introspection"):
        for file in sorted(Path(ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "case" and isinstance(node.value, ast.Constant):
                    yield str(node.value.value)


@pytest.mark.one_engine
def test_every_row_that_a_refusal_names_is_one_of_the_table() -> None:
    named = set(cases()) - {""}

    assert len(named) > 50
    assert named <= identifiers()
