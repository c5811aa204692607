"""How the database counts time: microseconds since 1970 as an integer."""

from datetime import UTC, datetime

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
CLOCK_SKEW = 5 * SECOND  # how far the clocks of several machines may differ
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


def to_datetime(microseconds: int) -> datetime:
    """That time as an aware datetime, for pages and logs."""
    return datetime.fromtimestamp(microseconds / SECOND, tz=UTC)


def more_time(seconds: int) -> str:
    """How much longer something goes on, in whole hours, minutes or seconds: the largest of them that fits."""
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    count = seconds // size
    return f"{count} more {unit}{'' if count == 1 else 's'}"


def has_begun(at: int, *, now: int) -> bool:
    """Whether that time is past: a clock that was ahead, or was set back, must not make old things new."""
    return at <= now + CLOCK_SKEW


def is_recent(at: int, *, since: int, now: int) -> bool:
    """Whether that time lies between the two, both included: neither too old nor in the future."""
    return since <= at and has_begun(at, now=now)
