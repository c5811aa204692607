"""Scopes for one category of results, and what keeps to it."""

from collections.abc import Iterator

from smartauth_probe.checks.check import Danger, Result, failed, passed
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json, codings
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken

KIND = "Observation"


def categories(resource: Json) -> Iterator[tuple[str, str]]:
    """The system and code of each."""
    return codings(resource, "category")


def two_categories(probe: Probe) -> tuple[tuple[str, str], Record, Record]:
    """A category, a record of A with it, and one of A without. Raises Skip."""
    records = probe.a.records.get(KIND, ())
    for inside in records:
        for category in categories(inside.content):
            for outside in records:
                if category not in set(categories(outside.content)):
                    return category, inside, outside
    raise Skip("A has no two Observations of different categories.", "such records for A")


def category_scope(category: tuple[str, str], letters: str = "rs") -> str:
    return f"patient/{KIND}.{letters}?category={category[0]}|{category[1]}"


def narrow_token(probe: Probe) -> tuple[GivenToken, Record, Record]:
    """A token for one category of A, a record in it and one outside. Raises Skip where it opens nothing."""
    category, inside, outside = two_categories(probe)
    token = probe.token(category_scope(category))
    probe.need("a scope with a query", probe.read(KIND, inside.id, token))
    return token, inside, outside


def must_be_in_category(probe: Probe, answer: Answer, what: str) -> Result:
    """Whatever results it shows are of the category of the narrow token."""
    category = two_categories(probe)[0]
    others = [
        each for each in answer.entries if each.get("resourceType") == KIND and category not in set(categories(each))
    ]
    if others:
        return failed(f"{what} shows another category.", category[1], str(len(others)), Danger.RECORDS)
    return passed(f"{what}: {answer}.")
