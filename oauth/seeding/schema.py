"""Rules of a seed file: a value and its path in the file go in, what it means comes out, or SeedError."""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from smart.fhir.audience import canonical_url
from smart.tokens.claim_mapping import InvalidMapping, parse_mapping

Rule = Callable[[Any, str], Any]


class SeedError(Exception):
    """What is wrong in a seed file, and at which path of it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


def text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise SeedError(path, "must be text")
    if any(ord(c) < 32 for c in value):
        raise SeedError(path, "has a control character or a line break")
    return value


def like(pattern: re.Pattern[str], wanted: str) -> Rule:
    def rule(value: Any, path: str) -> str:
        if not pattern.fullmatch(text(value, path)):
            raise SeedError(path, f"must be {wanted}, not {value!r}")
        return text(value, path)

    return rule


def one_of(*choices: str) -> Rule:
    def rule(value: Any, path: str) -> str:
        if value not in choices:
            raise SeedError(path, f"must be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return rule


def yes_or_no(value: Any, path: str) -> bool:
    return bool(one_of("true", "false")(value, path) == "true")


def flag(value: Any, path: str) -> int:
    return int(yes_or_no(value, path))


def whole(least: int, most: int) -> Rule:
    def rule(value: Any, path: str) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise SeedError(path, f"must be a whole number from {least} to {most}, not {value!r}")
        return int(value)

    return rule


def words(value: Any, path: str) -> str:
    return text(" ".join(value.split()) if isinstance(value, str) else value, path)


def web_address(value: Any, path: str) -> str:
    parts = urlsplit(text(value, path))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise SeedError(path, f"must be an absolute http(s) address without query, not {value!r}")
    return text(value, path)


def claim_mapping(value: Any, path: str) -> str:
    """Written as the keys and values of the file; kept as the JSON that they mean."""
    try:
        parse_mapping(written := json.dumps(value))
    except InvalidMapping as problem:
        raise SeedError(path, str(problem)) from None
    return written


def base(value: Any, path: str) -> str:
    return canonical_url(web_address(value, path))


def each(rule: Rule) -> Rule:
    def list_rule(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise SeedError(path, "must be a list")
        return [rule(item, f"{path}[{place}]") for place, item in enumerate(value)]

    return list_rule


def all_or_each(rule: Rule) -> Rule:
    return lambda value, path: value if value == "all" else each(rule)(value, path)


def mapping(rules: Mapping[str, Rule], *, required: tuple[str, ...] = ()) -> Rule:
    def rule(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise SeedError(path or "the file", f"must have keys such as {', '.join(rules)}")
        for name in value:
            if name not in rules:
                raise SeedError(_below(path, name), f"is not a key here; {_known(name, rules)}")
        for name in required:
            if not value.get(name):
                raise SeedError(_below(path, name), "is missing")
        return {name: rules[name](item, _below(path, name)) for name, item in value.items()}

    return rule


def _below(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _known(name: object, rules: Mapping[str, Rule]) -> str:
    close = difflib.get_close_matches(str(name), rules, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(rules)}"
