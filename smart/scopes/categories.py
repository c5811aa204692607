"""Kinds of records within a type: what a restricted scope may ask for, and what a person may choose instead (SCP-09).

The codes stand in categories.json, by FHIR version and type, in the order shown.
"""

import json
import re
from functools import cache
from pathlib import Path

from smart.scopes.scope import Query, Scope

CATEGORY = "category"
# What a resource server is expected to evaluate; any other parameter makes a scope ungrantable (SCP-10, SCP-11).
PARAMETERS = {"Observation": frozenset({CATEGORY, "code"}), "Condition": frozenset({CATEGORY, "code"})}
_SPLIT = re.compile(r"[\s,\\]")


@cache
def categories(fhir_version: str, resource: str) -> tuple[str, ...]:
    """The `system|code` of each kind that a person can choose, none for types that are not divided."""
    table = json.loads((Path(__file__).parent / "categories.json").read_text(encoding="utf-8"))
    return tuple(table.get(fhir_version, {}).get(resource, ()))


def is_evaluable(scope: Scope) -> bool:
    """Whether a resource server can tell which records are meant: each value is a system and a code.

    None holds a blank or a comma, even encoded: a reader that splits there would find a further scope.
    """
    known = PARAMETERS.get(scope.resource, frozenset())
    return all(name in known and all(map(_system_and_code, values)) for name, values in scope.query)


def code_of(value: str) -> str:
    """The code of a `system|code`."""
    return value.rpartition("|")[2]


def category_values(query: Query) -> tuple[str, ...]:
    """The codes of a restriction to categories and nothing else; () for every other restriction."""
    return query[0][1] if len(query) == 1 and query[0][0] == CATEGORY else ()


def _system_and_code(value: str) -> bool:
    system, _, code_ = value.rpartition("|")
    return bool(system and code_) and not _SPLIT.search(value)
