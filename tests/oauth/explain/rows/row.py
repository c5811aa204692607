"""A row of the table of bad input: its rule, and the request that is made for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.conftest import SECRET, App, basic
from tests.fixture_types import Grant, Issue, MakeClient, MakePerson
from tests.oauth.tokens.refresh_client import Refresh
from tests.oauth.visitor import Visitor

ACCEPTED = ""  # in the place of a rule: the row accepts or ignores what came, so nothing is refused


class World:
    """Every fixture by its name, made where a row asks for it."""

    app: App
    visitor: Visitor
    monkeypatch: pytest.MonkeyPatch
    make_client: MakeClient
    make_person: MakePerson
    grant: Grant
    issue: Issue
    launch: Issue
    refresh: Refresh

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return self._request.getfixturevalue(name)

    def post(self, path: str, form: dict[str, str], client: Any = None) -> httpx.Response:
        """The form, sent by that client: a public one names itself, another one proves itself by its secret."""
        if client is None:
            return self.app.post(path, data=form)
        if client.authentication == "none":
            return self.app.post(path, data={"client_id": client.client_id, **form})
        return self.app.post(path, data=form, headers=basic(client.client_id, SECRET))


@dataclass(frozen=True)
class Row:
    """`case` is the row that the explanation names where another one says the same, as `because` says."""

    rule: str
    send: Callable[[World], httpx.Response]
    case: str
    because: str = ""


Rows = dict[str, Row]


def add_to(rows: Rows) -> Callable[..., Callable[[Callable[[World], httpx.Response]], None]]:
    """A decorator that adds a request to these rows, under the name of its row."""

    def row(name: str, rule: str, *, case: str = "", because: str = "") -> Any:
        def decorate(send: Callable[[World], httpx.Response]) -> None:
            assert name not in rows
            rows[name] = Row(rule, send, case or name, because)

        return decorate

    return row
