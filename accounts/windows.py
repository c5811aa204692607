"""What is counted within a window of time: one row a key, one statement, so that parallel ones add up."""

from collections.abc import Sequence

from smart.time_units import CLOCK_SKEW

# of a clock that was ahead, or was set back: no window that begins now could end so late
IN_TIME = f"window_ends_at > %s AND window_ends_at <= %s + {CLOCK_SKEW}"


def count_statement(table: str, number: str, *others: str) -> str:
    """Adds to the number of a key, or begins anew where no window is open; answers the number and when the window ends.

    Its values: key, others, what is added, the end of a window that begins now, and now, twice.
    """
    columns = ["key", *others, number, "window_ends_at"]
    late = f"{table}.window_ends_at > excluded.window_ends_at + {CLOCK_SKEW}"
    anew = f"{table}.window_ends_at <= %s OR {late}"
    return f"""
INSERT INTO {table} ({", ".join(columns)}) VALUES ({", ".join(["%s"] * len(columns))})
ON CONFLICT (key) DO UPDATE SET
    {number} = CASE WHEN {anew} THEN excluded.{number} ELSE {table}.{number} + excluded.{number} END,
    window_ends_at = CASE WHEN {anew} THEN excluded.window_ends_at ELSE {table}.window_ends_at END
RETURNING {number}, window_ends_at
"""  # noqa: S608  # names alone


def values(key: str, others: Sequence[int | None], number: int, *, now: int, ends_at: int) -> list[str | int | None]:
    """The values of that statement, in its order."""
    return [key, *others, number, ends_at, now, now]
