"""The lives of a few tokens as bars on one time line: numbers for an SVG, nothing else."""

from collections.abc import Sequence
from typing import Any

from smart.time_units import SECOND, to_datetime

LEFT, RIGHT, ROW = 120, 530, 40
TICKS = 4

Life = tuple[str, int, int, str]


def chart(lives: Sequence[Life], now: int) -> dict[str, Any]:
    """One bar for each (number, issued, ended or 0, reason), and the times along the top."""
    start = min(issued for _, issued, _, _ in lives)
    end = max(start + 60 * SECOND, *(ended or now for _, _, ended, _ in lives))
    return {
        "height": 30 + ROW * len(lives),
        "foot": 24 + ROW * len(lives),
        "ticks": [_tick(start, end, place) for place in range(TICKS)],
        "bars": [_bar(life, place, start, end, now) for place, life in enumerate(lives)],
    }


def _tick(start: int, end: int, place: int) -> dict[str, Any]:
    at = start + (end - start) * place // (TICKS - 1)
    return {"x": _x(at, start, end), "text": to_datetime(at).strftime("%H:%M:%S")}


def _bar(life: Life, place: int, start: int, end: int, now: int) -> dict[str, Any]:
    number, issued, ended, reason = life
    left, right = _x(issued, start, end), _x(max(issued, ended or now), start, end)
    top = 34 + ROW * place
    killed = reason not in {"", "superseded", "expired"}
    return {
        "number": number,
        "x": left,
        "width": max(3, right - left),
        "y": top,
        "text_y": top + 12,
        "mark_y": top - 3,
        "mark_x": right,
        "after": right + 12,
        "killed": killed,
        "word": reason or "live",
        "live": killed or not reason,
    }


def _x(at: int, start: int, end: int) -> int:
    return LEFT + (RIGHT - LEFT) * (at - start) // (end - start)
