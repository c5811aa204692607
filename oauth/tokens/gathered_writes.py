"""What a batch writes: rows for tables, all of them by one statement, each table's from one JSON parameter.

All that it tells is one row of the outbox. Every row that is changed here was locked before, or is of a family whose
last token was, so that the order of the parts does not matter. The ids of access tokens were drawn before, so that
events can name them.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

from django.db import connections
from django.db.models import Model

from audit import trail
from oauth.http.gathering import Waiting
from oauth.http.lane import Lane
from oauth.http.postgresql_session import COMMIT, Asked
from oauth.models import AccessToken, RefreshToken, sql
from smart.json_output import ascii_json
from smart.tokens.refresh import ANY_TIME

NEW_TOKEN_ID = "nextval('oauth_accesstoken_id_seq')"  # noqa: S105
# once a statement, not once a row: as text, which nobody takes apart where it is the same again
NEW_TOKEN_IDS = f"(SELECT json_agg({NEW_TOKEN_ID})::text FROM generate_series(1, %s))"  # noqa: S608  # our own texts


def array_of_digests(batch: Iterable[Waiting]) -> str:
    """Those of the tokens that these requests brought, as a PostgreSQL array: they are hexadecimal."""
    return "{" + ",".join(waiting.digest for waiting in batch) + "}"


class Writes:
    """What one batch writes."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Mapping[str, Any]]] = {part: [] for part in _parts() if part != "events"}
        self._events: list[trail.Event] = []

    def insert_access_token(self, pk: int, columns: Mapping[str, sql.Value]) -> None:
        self._rows["access_tokens"].append({"id": pk, **columns})

    def insert_refresh_token(self, columns: Mapping[str, sql.Value]) -> None:
        self._rows["refresh_tokens"].append(columns)

    def consume_code(self, pk: int, *, now: int) -> None:
        self._rows["codes"].append({"id": pk, "now": now})

    def bind_token_addresses(self, addresses: Mapping[int, str]) -> None:
        """Of authorizations: later refreshes are compared with the address of the exchange (PR-04)."""
        self._rows["bound"] += [{"id": pk, "address": address} for pk, address in addresses.items()]

    def spend_refresh_token(self, pk: int, expires_at: int, *, now: int, kept_answer: str) -> None:
        """Its end says in which partition it is."""
        ends = {"first": expires_at, "last": expires_at}
        self._rows["spent"].append({"id": pk, **ends, "now": now, "kept_answer": kept_answer})

    def forget_answer(self, pk: int, *, successor_issued_at: int) -> None:
        """Of a refresh token that was spent before, for another one: only the last answer may be repeated."""
        ends = {"first": successor_issued_at, "last": ANY_TIME[1]}  # it had not expired then
        self._rows["spent"].append({"id": pk, **ends, "now": None, "kept_answer": ""})

    def revoke_access_token(self, pk: int, expires_at: int, *, now: int, reason: str) -> None:
        """Its end says in which partition it is."""
        self._rows["revoked"].append({"id": pk, "expires_at": expires_at, "now": now, "reason": reason})

    def number_seats(self, latest: Mapping[int, int]) -> None:
        self._rows["seats"] += [{"id": seat, "latest": number} for seat, number in latest.items()]

    def record_events(self, events: Iterable[trail.Event]) -> None:
        self._events += events

    async def commit(self, lane: Lane, *, begun: bool) -> None:
        """Writes all of it; where nothing was begun, the one statement is the whole transaction."""
        written = {part: rows for part, rows in self._rows.items() if rows}
        values: dict[str, Sequence[Any]] = {part: [ascii_json(rows).decode()] for part, rows in written.items()}
        if self._events:
            values["events"] = trail.outbox_row(self._events)
        asked: list[Asked] = [(_write(*values), [*chain.from_iterable(values.values())])] if values else []
        asked += [COMMIT] if begun else []
        if asked:
            await lane.run(*asked)


@cache
def _write(*parts: str) -> str:
    """The one statement of a batch that writes these parts: all are WITH queries but for the last."""
    *first, last = parts
    queries = ", ".join(f"{part} AS ({_parts()[part]})" for part in first)
    return f"WITH {queries} {_parts()[last]}" if queries else _parts()[last]


@cache
def _parts() -> dict[str, str]:
    return {
        "codes": _update("oauth_code", "id bigint, now bigint", "consumed_at = q.now"),
        "bound": _update("oauth_authorization", "id bigint, address text", "token_address = q.address"),
        "spent": _update(
            "oauth_refreshtoken",
            "id bigint, first bigint, last bigint, now bigint, kept_answer text",
            "consumed_at = COALESCE(q.now, t.consumed_at), kept_answer = q.kept_answer",
            found="t.id = q.id AND t.expires_at BETWEEN q.first AND q.last",
        ),
        "revoked": _update(
            "oauth_accesstoken",
            "id bigint, expires_at bigint, now bigint, reason text",
            "revoked_at = q.now, revoked_for = q.reason",
            found="t.id = q.id AND t.expires_at = q.expires_at",
        ),
        "seats": _update("oauth_seat", "id bigint, latest bigint", "latest = q.latest"),
        "access_tokens": _insert(AccessToken, drawn=()),
        "refresh_tokens": _insert(RefreshToken, drawn=("id",)),
        "events": trail.INSERT,
    }


def _update(table: str, columns: str, changes: str, found: str = "t.id = q.id") -> str:
    return f"UPDATE {table} t SET {changes} FROM {sql.records(columns)} WHERE {found}"  # noqa: S608  # our own texts


def _insert(model: type[Model], *, drawn: Sequence[str]) -> str:
    """Inserts rows that name their columns but for those that the database draws."""
    fields = [field for field in model._meta.concrete_fields if field.column not in drawn]
    types = {f'"{field.column}"': field.db_type(connections["default"]) for field in fields}
    chosen, described = ", ".join(types), ", ".join(f"{name} {kind}" for name, kind in types.items())
    return f"INSERT INTO {model._meta.db_table} ({chosen}) SELECT {chosen} FROM {sql.records(described)}"  # noqa: S608
