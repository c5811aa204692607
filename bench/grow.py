"""Rows of tokens as they gather while a server runs, and the sweep of those that are over.

With the environment of the server: `python -m bench.grow fill ROWS` makes access tokens of the 90 days before now,
`python -m bench.grow expire ROWS` those of a month before that and as many refresh tokens. `python -m bench.grow sweep`
waits for lines of standard input that name one kind of tokens, drops what is over of it, and prints what that took, as
JSON.
"""

import json
import sys
import time

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from accounts import clock  # noqa: E402
from accounts.models import User  # noqa: E402
from bench.seed import copy_newest  # noqa: E402
from oauth.models import AccessToken, Authorization, RefreshToken, Seat  # noqa: E402
from oauth.retention import partitions  # noqa: E402
from oauth.retention.sweeping import TOKENS_KEPT  # noqa: E402
from smart.time_units import DAY, HOUR  # noqa: E402

TOKENS_A_SEAT = 20
MONTHS = 5
MONTH = partitions.DAYS * DAY
COPIES_FROM, OVER_FROM = 10_000_000, 100_000_000


def _lay_out_months(noun: str) -> int:
    """The partitions that a server has which runs for months. When the first of them begins."""
    table = f"oauth_{noun.replace('_', '')}"
    end = min(until for (until,) in _ask(f"SELECT until FROM oauth_{noun}_partitions()"))
    _run(f"ALTER TABLE {table} DETACH PARTITION {table}_first")
    for number in range(MONTHS, 0, -1):
        since, until = end - number * MONTH, end - (number - 1) * MONTH
        _run(f"CREATE TABLE {table}_{number} (LIKE {table}_default INCLUDING INDEXES)")
        _run(f"ALTER TABLE {table} ATTACH PARTITION {table}_{number} FOR VALUES FROM ({since}) TO ({until})")
    _run(f"INSERT INTO {table} SELECT * FROM {table}_first; DROP TABLE {table}_first")
    return int(end) - MONTHS * MONTH


def fill(rows: int) -> None:
    """Access tokens that expired evenly over the last 90 days, of people who have twenty each."""
    owners = max(rows // TOKENS_A_SEAT, 1)
    own = f"{COPIES_FROM} + n"
    _lay_out_months("access_token")
    copy_newest(User, owners, id=own, username="'old-' || n", subject="'old-' || n")
    copy_newest(Authorization, owners, id=own, user_id=own)
    copy_newest(Seat, owners, id=own, key="'old-' || n", latest=str(TOKENS_A_SEAT))
    owner, expired = f"{COPIES_FROM} + 1 + n % {owners}", f"{clock.now()} - n::bigint * {90 * DAY // rows}"
    _copy_tokens(rows, COPIES_FROM, expired, authorization_id=owner, seat_id=owner, seat_number=f"n / {owners}")


def expire(rows: int) -> None:
    """Access tokens of the oldest month, all of them over for so long that they may go; and refresh tokens."""
    apart = f"n::bigint * {MONTH // (rows + 1)}"
    no_seat = {"seat_id": "NULL::bigint", "seat_number": "0"}  # else all of them would lose that of the newest at once
    _copy_tokens(rows, OVER_FROM, f"{_lay_out_months('access_token')} + {apart}", **no_seat)
    copy_newest(
        RefreshToken,
        rows,
        id=f"{OVER_FROM} + n",
        digest="encode(sha256(('refresh' || n)::bytea), 'hex')",
        expires_at=f"{_lay_out_months('refresh_token')} + {apart}",
        predecessor_id=f"CASE WHEN n % {TOKENS_A_SEAT} > 0 THEN {OVER_FROM} + n + 1 END",
    )


def _copy_tokens(rows: int, first: int, expires_at: str, **changes: str) -> None:
    drawn = f"encode(sha256(('{{}}' || {first} + n)::bytea), 'hex')"
    digests = {name: drawn.format(name) for name in ("digest", "signed_digest", "signature_digest")}
    issued_at = f"{expires_at} - {HOUR}"
    changes |= {**digests, "jti": f"'old-' || {first} + n", "expires_at": expires_at, "issued_at": issued_at}
    copy_newest(AccessToken, rows, id=f"{first} + n", **changes)


def sweep() -> None:
    before = clock.now() - TOKENS_KEPT
    kinds = {each.noun: each for each in partitions.ALL}
    for line in sys.stdin:
        began = time.perf_counter()
        kinds[line.strip()].drop_expired(before=before)
        print(json.dumps(time.perf_counter() - began), flush=True)


def _ask(statement: str) -> list[tuple[int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def main() -> None:
    if sys.argv[1] == "sweep":
        sweep()
        return
    with transaction.atomic():
        _run("SET LOCAL session_replication_role = replica")  # nothing here points at what is not there
        {"fill": fill, "expire": expire}[sys.argv[1]](int(sys.argv[2]))
    _run("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
