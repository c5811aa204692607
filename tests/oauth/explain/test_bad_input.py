"""The table of bad input, row by row: each is made, and its explanation names its row and its rule (AZ-25)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from oauth.explain.references import find_refusal
from smart.explanation import Explanation
from tests.explained import HEADER, identifiers
from tests.oauth.explain.rows.assertions import ASSERTIONS
from tests.oauth.explain.rows.authorize import AUTHORIZE
from tests.oauth.explain.rows.others import OTHERS
from tests.oauth.explain.rows.row import ACCEPTED, World
from tests.oauth.explain.rows.token import TOKEN
from tests.oauth.visitor import redirect_query
from tests.specification import ROOT

pytestmark = pytest.mark.one_engine

PAGE = ROOT / "docs/specification/bad-input.md"
ROWS = AUTHORIZE | TOKEN | ASSERTIONS | OTHERS
NOT_OFFERED = "no app registers itself here: there is no /o/register"
ABSENT = {f"E{number}": NOT_OFFERED for number in range(115, 124)}


def table() -> dict[str, str]:
    """What the specification says that each row is answered with."""
    return dict(re.findall(r'^\| <a id="e\d+"></a>\[(E\d+)\][^|]*\|[^|]*\| (.*) \|$', PAGE.read_text("utf-8"), re.M))


def explanation_of(response: httpx.Response) -> Explanation | None:
    """What the reference of an answer leads to: in its header, on its page, or in what it tells the app."""
    in_header = re.search(r"\(([0-9A-Z]{4}-[0-9A-Z]{4})\)$", response.headers.get(HEADER, ""))
    on_page = re.search(r"<dt>Error reference</dt><dd>([\w-]+)</dd>", response.text)
    if named := in_header or on_page:
        found = find_refusal(named[1])
    elif "error=" in response.headers.get("Location", ""):
        found = find_refusal(redirect_query(response)["error_uri"].rpartition("/")[2])
    elif b'"error_uri"' in response.content:
        found = find_refusal(response.json()["error_uri"].rpartition("/")[2])
    else:
        return None
    return found.explanation if found else None


def is_as_specified(response: httpx.Response, specified: str) -> bool:
    """Whether status and error are those that the row's last column names."""
    if response.has_redirect_location:
        return redirect_query(response)["error"] in specified
    if response.headers["Content-Type"].startswith("text/html"):
        return specified.startswith("PAGE") or str(response.status_code) in specified
    return not re.search(r"\b[2-5][0-9][0-9]\b", specified) or str(response.status_code) in specified


@pytest.mark.requirement("AZ-25", "SD-27")
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.requirement(name)) for name in ROWS])
def test_a_row_is_explained_by_its_rule(committed: None, request: pytest.FixtureRequest, name: str) -> None:
    row = ROWS[name]

    response = row.send(World(request))

    why = explanation_of(response)
    if row.rule == ACCEPTED:
        assert (why, response.is_error) == (None, False)
        return
    assert why is not None, f"{response.status_code} {response.headers} {response.text}"
    assert (why.case, why.rule) == (row.case, row.rule)
    assert why.what
    assert why.rule in identifiers()
    assert is_as_specified(response, table()[name])


@pytest.mark.one_engine
def test_every_row_of_the_specification_is_tried_or_is_of_something_that_is_not_offered() -> None:
    assert list(table()) == [f"E{number}" for number in range(1, 132)]
    assert ROWS.keys() | ABSENT.keys() == table().keys()
    assert not ROWS.keys() & ABSENT.keys()


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
