"""Which rows are shown: what the URL of the page and of its stream says."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Self
from urllib.parse import urlencode

from oauth.workbench.console.row import Outcome, Row

ANSWERS = {"refused": "Refused", "let-in": "Let in", "active": "Called active", "other": "Issued, allowed"}


@dataclass(frozen=True, slots=True)
class Filters:
    """ "" stands for any."""

    answer: str = ""
    client: str = ""
    server: str = ""
    who: str = ""
    why: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        found = cls(**{field.name: query.get(field.name, "").strip()[:100] for field in fields(cls)})
        return found if found.answer in ANSWERS else replace(found, answer="")

    def shows(self, row: Row) -> bool:
        return not self.answer or row.outcome == self.answer if self.covers(row) else False

    def covers(self, row: Row) -> bool:
        """Whether everything but the answer fits: of these the chips are counted."""
        return (
            self.client in {"", row.client}
            and self.server in {"", row.server}
            and self.who.lower() in f"{row.person} {row.patient}".lower()
            and self.why in {"", row.cause}
        )

    def counts(self, rows: Iterable[Row]) -> dict[str, int]:
        """The numbers of the chips."""
        found = Counter(row.outcome for row in rows if self.covers(row))
        return {"all": found.total(), **{outcome.value: found[outcome] for outcome in Outcome}}

    def query(self, **changes: str) -> str:
        """The query string of these filters with changes."""
        changed = replace(self, **changes)
        said = {field.name: getattr(changed, field.name) for field in fields(changed)}
        return f"?{urlencode({name: value for name, value in said.items() if value})}"

    @property
    def chosen(self) -> list[tuple[str, str, str]]:
        """What is set beside the answer: its name, its value, and the query without it."""
        named = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "answer"}
        return [(name, value, self.query(**{name: ""})) for name, value in named.items() if value]
