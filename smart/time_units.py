"""How the database counts time: microseconds since 1970 as an integer."""

from datetime import UTC, datetime

SECOND = 1_000_000


def to_datetime(microseconds: int) -> datetime:
    """That time as an aware datetime, for pages and logs."""
    return datetime.fromtimestamp(microseconds / SECOND, tz=UTC)
