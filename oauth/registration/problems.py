"""What is wrong with something that is to be registered, by field, and the checks that all kinds of rows share.

A sentence has no subject, for each door shows it beside the field: `clients[0].name: is missing.`, a form's error, a
command's message. One about an item of a list begins with the item.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from django.db import models

from smart.text import ascii_excerpt, has_unsafe_characters

Problems: TypeAlias = dict[str, list[str]]
MISSING = "is missing."
MAX_NAME_LENGTH = 200
UNSAFE = "has a control character or one that changes the direction of text."
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols without a shape


class InvalidRegistration(ValueError):
    """Something that may not be registered, with its problems by field."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(" ".join(f"{field}: {one}" for field, every in problems.items() for one in every))
        self.problems = problems


def collect(**found: Iterable[str]) -> Problems:
    """The fields that have problems, with their sentences, each once."""
    every = {field: list(dict.fromkeys(filter(None, sentences))) for field, sentences in found.items()}
    return {field: sentences for field, sentences in every.items() if sentences}


def sentence(problem: str | None) -> str:
    """The words of a rule as they are shown, "" where it has none."""
    return f"{problem}." if problem else ""


def text_problems(value: str, *, longest: int = MAX_NAME_LENGTH, required: bool = False) -> Iterator[str]:
    """A name or another text in one line that people read: visible, short, without tricks (UTR 36)."""
    if required and not value.strip():
        yield MISSING
    elif value and not has_visible_characters(value):
        yield "has no character that can be seen."
    if has_unsafe_characters(value):
        yield UNSAFE
    if len(value) > longest:
        yield f"is longer than {longest} characters."


def has_visible_characters(text: str) -> bool:
    """Whether anything of it has a shape."""
    return any(unicodedata.category(one)[0] not in "ZCM" and one not in _FILLERS for one in text)


def choice_problem(row: models.Model, name: str) -> str:
    """Why the value of that field is none of the model's choices, or ""."""
    field: Any = row._meta.get_field(name)
    known, value = [str(choice) for choice, _ in field.choices], getattr(row, name)
    return "" if value in known else f"must be one of {', '.join(known)}, not {ascii(value)[:40]}."


def number_problem(value: Any, least: int, most: int) -> str:
    """Why this is no whole number within these bounds, or ""."""
    fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    return "" if fits else f"must be a whole number from {least} to {most}."


def pattern_problem(value: str, pattern: re.Pattern[str], wanted: str) -> str:
    """Why the whole of it is not of that form, or ""."""
    return "" if pattern.fullmatch(value) else f"must be {wanted}, not {ascii(value)[:80]}."


def blank_problems(items: Iterable[str]) -> list[str]:
    """What a list that is kept as words must not hold: an item that would be read as several, or as none."""
    return [
        f"{ascii_excerpt(item) or 'an item'}: has a blank, or is empty; each item stands alone."
        for item in items
        if item.split() != [item]
    ]


def repeated_problems(items: Iterable[str]) -> list[str]:
    """What stands in a list more than once."""
    return [f"{ascii_excerpt(item)}: stands there twice." for item, count in Counter(items).items() if count > 1]
