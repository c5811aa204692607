"""Dates as FHIR search sees them: what was not said is as wide as it may be."""

from datetime import UTC, datetime

import pytest

from smart.search.dates import Interval, date_interval, is_match, search_date

JUNE = (datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", "2024-01-01T00:00:00", "2025-01-01T00:00:00"),
        ("0001", "0001-01-01T00:00:00", "0002-01-01T00:00:00"),
        ("2024-02", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
        ("2024-12", "2024-12-01T00:00:00", "2025-01-01T00:00:00"),
        ("2024-02-29", "2024-02-29T00:00:00", "2024-03-01T00:00:00"),
        ("2024-02-29T23:59", "2024-02-29T23:59:00", "2024-03-01T00:00:00"),
        ("2024-02-29T00:00", "2024-02-29T00:00:00", "2024-02-29T00:01:00"),
        ("2024-02-29T23:59:58Z", "2024-02-29T23:59:58", "2024-02-29T23:59:59"),
        ("2024-02-29T10:11:12.123456789Z", "2024-02-29T10:11:12", "2024-02-29T10:11:13"),
        ("2024-02-29T01:00:00+02:30", "2024-02-28T22:30:00", "2024-02-28T22:30:01"),
        ("2024-02-29T23:00:00-01:45", "2024-03-01T00:45:00", "2024-03-01T00:45:01"),
        ("2024-02-29T23:00-01:45", "2024-03-01T00:45:00", "2024-03-01T00:46:00"),
    ],
)
def test_a_date_is_as_wide_as_what_it_leaves_open(text: str, low: str, high: str) -> None:
    found = date_interval(text)

    assert [moment.isoformat() for moment in found] == [f"{low}+00:00", f"{high}+00:00"]


@pytest.mark.parametrize(
    "text",
    [
        "", "24", "2024-1", " 2024", "2024-06-01T10", "2024-06-01T10:00:00.Z", "2024-06-01T10:00:00+1:00",
        "0000", "2024-00", "2024-13", "2024-06-00", "2024-02-30", "2024-06-01T24:00", "2024-06-01T10:60",
        "2024-06-01T10:00:60Z", "2024-06-01T10:00:00+24:00", "9999", "9999-12-31", "0001-01-01T00:00:00+01:00",
    ],
)  # fmt: skip
def test_what_no_calendar_has_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        date_interval(text)


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
def test_a_prefix_is_told_apart_from_its_date(prefix: str) -> None:
    assert search_date(f"{prefix}2024-06") == (prefix, JUNE)


def test_a_date_without_a_prefix_is_the_one_that_is_meant() -> None:
    assert search_date("2024-06") == ("eq", JUNE)
    with pytest.raises(ValueError, match="not a date"):
        search_date("xx2024-06")


def days(first: str, last: str) -> Interval:
    """From the beginning of one day to the end of the other."""
    return date_interval(first)[0], date_interval(last)[1]


@pytest.mark.parametrize(
    ("stored", "prefixes"),
    [
        pytest.param(days("2024-05-01", "2024-05-31"), "ne lt le eb", id="up to its begin"),
        pytest.param(days("2024-05-01", "2024-06-01"), "ne lt le ap", id="over its begin"),
        pytest.param(days("2024-05-31", "2024-06-30"), "ne lt le ap", id="over its begin to its end"),
        pytest.param(days("2024-06-01", "2024-07-01"), "ne gt ge ap", id="from its begin over its end"),
        pytest.param(days("2024-06-01", "2024-06-01"), "eq ge le ap", id="from its begin"),
        pytest.param(days("2024-06-02", "2024-06-29"), "eq ge le ap", id="within"),
        pytest.param(days("2024-06-01", "2024-06-30"), "eq ge le ap", id="the same"),
        pytest.param(days("2024-06-30", "2024-06-30"), "eq ge le ap", id="to its end"),
        pytest.param(days("2024-06-30", "2024-07-01"), "ne gt ge ap", id="over its end"),
        pytest.param(days("2024-07-01", "2024-07-31"), "ne gt ge sa", id="from its end on"),
        pytest.param(days("2024-05-31", "2024-07-01"), "ne gt lt ge le ap", id="around"),
    ],
)
def test_a_prefix_says_how_what_is_stored_stands_to_what_is_wanted(stored: Interval, prefixes: str) -> None:
    every = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

    assert [prefix for prefix in every if is_match(prefix, stored, JUNE)] == prefixes.split()
