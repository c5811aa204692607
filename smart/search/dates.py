"""Dates as FHIR search sees them: intervals as wide as what was not said (FHIR search, date)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeAlias

Interval: TypeAlias = tuple[datetime, datetime]

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)

_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


def date_interval(text: str) -> Interval:
    """From the first to after the last moment that the text may mean. Raises ValueError."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second, zone = match.groups()
    clock = [int(part or 0) for part in (hour, minute, second)]
    start = datetime(int(year), int(month or 1), int(day or 1), clock[0], clock[1], clock[2], tzinfo=_zone(zone))
    try:
        return start.astimezone(UTC), _after(start, month, day, hour, second).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a date beyond the calendar") from error


def search_date(value: str) -> tuple[str, Interval]:
    """The prefix and the interval of a search value. Raises ValueError."""
    prefix = value[:2]
    return (prefix, date_interval(value[2:])) if prefix in _PREFIXES else ("eq", date_interval(value))


def is_match(prefix: str, stored: Interval, wanted: Interval) -> bool:
    """Whether what is stored stands to what is wanted as the prefix says."""
    (start, end), (low, high) = stored, wanted
    inside = low <= start and end <= high
    return {
        "eq": inside,
        "ne": not inside,
        "gt": end > high,
        "lt": start < low,
        "ge": end > high or inside,
        "le": start < low or inside,
        "sa": start >= high,
        "eb": end <= low,
        "ap": start < high and low < end,
    }[prefix]


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _after(start: datetime, month: str | None, day: str | None, hour: str | None, second: str | None) -> datetime:
    if month is None:
        return start.replace(year=start.year + 1)
    if day is None:
        return (start + timedelta(days=31)).replace(day=1)
    if hour is None:
        return start + timedelta(days=1)
    return start + (timedelta(minutes=1) if second is None else timedelta(seconds=1))
