"""The shapes of a seed file: a value and its path in the file go in, what it means comes out, or SeedError.

What the values may be is decided in oauth/registration, for every door alike.
"""

import difflib
import json
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from oauth.registration.problems import MISSING, UNSAFE, Problems, blank_problems
from smart.text import ascii_excerpt, has_unsafe_characters, replace_unsafe_characters
from smart.tokens.claim_mapping import InvalidMapping, parse_mapping

Rule = Callable[[Any, str], Any]
MAX_MAPPING_NODES = 1000
_NUMBER = re.compile(r"[0-9]{1,18}")


class SeedError(Exception):
    """What is wrong in a seed file, and at which path of it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem if problem.endswith(('.', '?')) else problem + '.'}")

    @classmethod
    def refuse(cls, problems: Problems, path: str, items: Mapping[str, Any], names: Mapping[str, str] = {}) -> None:
        """Raises what the rules of registration say, at the keys of this file. `items` are the entry's values."""
        found = [
            str(cls(_place(f"{path}.{names.get(field, field)}", sentence, items.get(field)), sentence))
            for field, sentences in problems.items()
            for sentence in sentences
        ]
        if found:
            error = cls("", "")
            error.args = ("\n".join(found),)
            raise error


def _place(path: str, sentence: str, items: Any) -> str:
    """The path of the one item that the sentence begins with, else of the whole list."""
    listed = items if isinstance(items, list) else []
    places = (
        f"{path}[{place}]" for place, item in enumerate(listed) if sentence.startswith(f"{ascii_excerpt(item)}: ")
    )
    return next(places, path)


def text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise SeedError(path, "must be text")
    return value


def name(value: Any, path: str) -> str:
    """Text that people read, as a form takes it: without the blanks around it."""
    return text(value, path).strip()


def line(value: Any, path: str) -> str:
    """Text that no rule of registration looks at: a password, the name of a file."""
    if has_unsafe_characters(text(value, path)):
        raise SeedError(path, UNSAFE)
    return str(value)


def yes_or_no(value: Any, path: str) -> bool:
    if value not in ("true", "false"):
        raise SeedError(path, f"must be one of true, false, not {ascii(value)[:40]}")
    return bool(value == "true")


def flag(value: Any, path: str) -> int:
    return int(yes_or_no(value, path))


def number(value: Any, path: str) -> int:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise SeedError(path, f"must be a whole number, not {ascii(value)[:40]}")
    return int(value)


def words(value: Any, path: str) -> str:
    return text(" ".join(value.split()) if isinstance(value, str) else value, path)


def word(value: Any, path: str) -> str:
    """The one item of a list that is kept as words."""
    if text(value, path) and (problems := blank_problems([value])):
        raise SeedError(path, problems[0])
    return str(value)


def word_list(value: Any, path: str) -> list[str]:
    """A list that is kept as words, so that no item may be several."""
    items: list[str] = each(text)(value, path)
    for place, item in enumerate(items):
        if problems := blank_problems([item]):
            raise SeedError(f"{path}[{place}]", problems[0])
    return items


def claim_mapping(value: Any, path: str) -> str:
    """Written as the keys and values of the file; kept as the JSON that they mean."""
    if _nodes(value, MAX_MAPPING_NODES) > MAX_MAPPING_NODES:
        raise SeedError(path, "is too large, or holds itself")
    try:
        parse_mapping(written := json.dumps(value))
    except InvalidMapping as problem:
        raise SeedError(path, str(problem)) from None
    return written


def _nodes(value: Any, most: int) -> int:
    """How many values it holds, counted no further than a little beyond `most`: aliases can make it endless."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    count = 1
    for part in inside:
        if count > most:
            break
        count += _nodes(part, most - count)
    return count


def each(rule: Rule, *, unique: Callable[[Any], tuple[str, Hashable]] | None = None) -> Rule:
    """A list of such; `unique` names the key that no two of them share, with its value."""

    def list_rule(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise SeedError(path, "must be a list")
        items = [rule(item, f"{path}[{place}]") for place, item in enumerate(value)]
        if unique is not None:
            refuse_repeated([unique(item) for item in items], path)
        return items

    return list_rule


def refuse_repeated(keys: Sequence[tuple[str, Hashable]], path: str) -> None:
    """Raises SeedError at the second of two rows with one id."""
    first: dict[Hashable, int] = {}
    for place, (name, key) in enumerate(keys):
        if key in first:
            raise SeedError(f"{path}[{place}].{name}", f"is the same as in {path}[{first[key]}]")
        first[key] = place


def all_or_each(rule: Rule) -> Rule:
    return lambda value, path: value if value == "all" else each(rule)(value, path)


def mapping(rules: Mapping[str, Rule], *, required: tuple[str, ...] = ()) -> Rule:
    def rule(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise SeedError(path or "the file", f"must have keys such as {', '.join(rules)}")
        for name in value:
            if name not in rules:
                raise SeedError(_path_below(path, name), f"is not a key here; {_known_keys(name, rules)}")
        for name in required:
            if not value.get(name):
                raise SeedError(_path_below(path, name), MISSING)
        return {name: rules[name](item, _path_below(path, name)) for name, item in value.items()}

    return rule


def _path_below(path: str, name: object) -> str:
    shown = replace_unsafe_characters(str(name), "?")[:80]
    return f"{path}.{shown}" if path else shown


def _known_keys(name: object, rules: Mapping[str, Rule]) -> str:
    close = difflib.get_close_matches(str(name)[:80], rules, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(rules)}"
