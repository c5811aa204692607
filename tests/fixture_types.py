"""The types of the fixtures that tests share: what each is called with, and what it answers."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from accounts.models import User
    from audit.models import OutboxEvent
    from oauth.models import AccessToken, Client
    from tests.conftest import Granted
    from tests.fhir.conftest import Answered
    from tests.oauth.visitor import Visitor


class MakeClient(Protocol):
    def __call__(self, authentication: str = "none", **fields: Any) -> "Client": ...


class MakeResourceServer(Protocol):
    def __call__(self, *servers: Any) -> "Client": ...


class MakePerson(Protocol):
    def __call__(self, *patients: str, username: str = "", is_: str = "") -> "User": ...


class MakeVisitor(Protocol):
    def __call__(self) -> "Visitor": ...


class Grant(Protocol):
    def __call__(
        self,
        client: Any = None,
        person: Any = None,
        *,
        patient: str = "amy",
        scope: str = "launch/patient patient/*.rs",
        server: Any = None,
        life: int = 60_000_000,
    ) -> "Granted": ...


class Issue(Protocol):
    def __call__(
        self,
        client: Any = None,
        person: Any = None,
        *,
        patient: str = "amy",
        scope: str = "launch/patient patient/*.rs",
        server: Any = None,
        life: int = 60_000_000,
    ) -> dict[str, Any]: ...


class Introspect(Protocol):
    def __call__(self, token: str) -> dict[str, Any]: ...


class Events(Protocol):
    def __call__(self, kind: str, **fields: Any) -> "list[OutboxEvent]": ...


class SetClock(Protocol):
    def __call__(self, moment: int) -> None: ...


class MakeToken(Protocol):
    def __call__(self, granted: Any = None, *, life: int = 300_000_000, **fields: Any) -> "AccessToken": ...


class Fetch(Protocol):
    def __call__(
        self, path: str, *, method: str = "GET", token: str | None = "a.good-token", **extra: Any
    ) -> "Answered": ...


class Visit(Protocol):
    def __call__(
        self, width: int = 1280, scheme: Any = "light", *, refusals: bool = False
    ) -> "AbstractContextManager[Page]": ...


class Search(Protocol):
    def __call__(self, type_: str, query: str = "", **extra: Any) -> "Answered": ...
