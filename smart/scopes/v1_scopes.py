"""The v1 spelling of v2 scopes, for resource servers that know no other (WF-19): the same rights, never more."""

from collections.abc import Iterable, Iterator

from smart.remembered import remembered
from smart.scopes.scope import V1_ACTIONS, Scope
from smart.scopes.scope_sets import parse_scopes, scope_string


@remembered
def with_v1(text: str) -> str:
    """The scopes as they are, and after them what they allow in v1 words.

    Only whole v1 rights are named: r without s is no `.read`, and a restricted scope has no v1 word at all.
    """
    held = parse_scopes(text)
    plain = [scope for scope in held if scope.context and not scope.query]
    return scope_string(
        [*held, *(_v1_scope(scope, word) for scope in plain for word in _words(_letters(scope, plain)))]
    )


def _letters(scope: Scope, plain: Iterable[Scope]) -> frozenset[str]:
    """Everything that these allow on the type of that scope: several may add up to one right (SCP-05)."""
    about = (other for other in plain if other.context == scope.context and other.resource in ("*", scope.resource))
    return frozenset().union(*(other.actions for other in about))


def _words(letters: frozenset[str]) -> Iterator[str]:
    if letters.issuperset(V1_ACTIONS["*"]):
        yield "*"
        return
    yield from (word for word in ("read", "write") if letters.issuperset(V1_ACTIONS[word]))


def _v1_scope(scope: Scope, word: str) -> Scope:
    return Scope.parse(f"{scope.context}/{scope.resource}.{word}")
