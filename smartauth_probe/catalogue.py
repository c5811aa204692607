"""The catalogue: every kind of token that a FHIR server must refuse, and the good twins that it must let in.

catalogue.json has the lines of docs/specification/bad-tokens.md; a test compares. In it `amy` is the patient in context
and `ben` another one. remedies.json says for each line why servers fall for it and how to fix that.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from smartauth_probe.kinds import Answer, Fools, Group, Kind, Remedy


@cache
def groups() -> tuple[Group, ...]:
    """All kinds, in the order of the specification; the good twins are the last group."""
    table = _read("catalogue.json")
    answers = {text: _answer(text, **members) for text, members in table["answers"].items()}
    return tuple(_group(group, answers) for group in table["groups"])


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its name, the good twins among them."""
    return {kind.name: kind for group in groups() for kind in group.kinds}


@cache
def _remedies() -> Mapping[str, Remedy]:
    """By the line of the specification."""
    return {line: Remedy(**members) for line, members in _read("remedies.json").items()}


def _read(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _answer(text: str, statuses: list[int], errors: Mapping[str, str] | None = None, **rest: bool) -> Answer:
    named = {int(status): error for status, error in (errors or {}).items()}
    return Answer(text, frozenset(statuses), named, **rest)


def _group(group: Mapping[str, Any], answers: Mapping[str, Answer]) -> Group:
    made = (_kind(group["title"], answers, members) for members in group["kinds"])
    return Group(group["title"], group["sentence"], tuple(made))


def _kind(group: str, answers: Mapping[str, Answer], members: Mapping[str, Any]) -> Kind:
    return Kind(
        id=members["id"],
        name=members["kind"],
        group=group,
        wrong=members["wrong"],
        fools=Fools(members["fools"]),
        answer=answers[members["answer"]],
        source=members["source"],
        remedy=_remedies()[members["id"]],
        policy=members.get("policy", ""),
        not_applicable=frozenset(members.get("not_applicable", ())),
    )
