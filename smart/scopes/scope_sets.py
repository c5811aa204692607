"""Scopes as sets: what a token may do, what may be granted, which words say it shortest (SCP-03 to SCP-19)."""

from collections.abc import Callable, Iterable

from smart.scopes.scope import LEGAL_CHARACTERS, V1_ACTIONS, Query, Scope, action_letters, is_implied

MAX_RESTRICTED = 100  # to compare each with each stays a matter of milliseconds

_V1_NAMES = {frozenset(actions): name for name, actions in V1_ACTIONS.items()}
_LEGAL = LEGAL_CHARACTERS | {" "}
FHIR_USER = frozenset({"fhirUser", "profile"})  # SMART's name today and in v1 (TR-06)


def has_legal_characters(text: str) -> bool:
    """Whether a scope parameter uses only the characters of RFC 6749 §3.3 (E14)."""
    return _LEGAL.issuperset(text)


def has_too_many(text: str) -> bool:
    """Whether these are more restricted scopes than anybody needs: only they are compared each with each."""
    return sum(1 for scope in parse_scopes(text) if scope.query) > MAX_RESTRICTED


def parse_scopes(text: str) -> tuple[Scope, ...]:
    """Split on spaces and nothing else, doubles once, in the order asked (SCP-07)."""
    return tuple(Scope.parse(name) for name in dict.fromkeys(text.split(" ")) if name)


def has_scope(text: str, name: str) -> bool:
    """Whether the scope without a context of that name is among them, in its short or its URI form (SCP-22)."""
    return any(scope.short_name == name for scope in parse_scopes(text))


def scope_string(scopes: Iterable[Scope]) -> str:
    """The scopes as one parameter, each name once."""
    return " ".join(dict.fromkeys(scope.name for scope in scopes))


def scopes_allowing(scopes: Iterable[Scope], context: str, resource: str, action: str) -> tuple[Scope, ...]:
    """Those of that context which allow the letter on the type; the caller applies their `query`, OR between scopes."""
    return tuple(
        scope
        for scope in scopes
        if context and scope.context == context and scope.resource in ("*", resource) and action in scope.actions
    )


def is_known(scope: Scope) -> bool:
    """Whether the name has a meaning at all: SMART's, OpenID's, or an operator's own (SCP-18)."""
    return scope.is_known


def is_for_people(scope: Scope) -> bool:
    """Whether a client that people use may ever have it (SCP-19)."""
    return scope.is_known and scope.context != "system"


def is_for_backend(scope: Scope) -> bool:
    """Whether a client without a person may ever have it (SCP-19); a bound context is judged elsewhere."""
    return bool(scope.context) or scope.is_operator_defined


def grantable_scope(
    requested: str, allowed: str, *, types: frozenset[str], supported: Callable[[Scope], bool] = is_known
) -> str:
    """The part of `requested` that may be granted, in the order and syntax asked; never wider than either (SCP-06)."""
    ceiling = _Held(scope for scope in parse_scopes(allowed) if supported(scope))
    parts = [part for scope in parse_scopes(requested) if supported(scope) for part in _part(scope, ceiling)]
    return scope_string(part for part in parts if not part.context or part.resource == "*" or part.resource in types)


def is_within(requested: str, allowed: str) -> bool:
    """Whether `allowed` as a whole covers everything requested, in whatever syntax (RF-02, E91)."""
    return not scopes_beyond(requested, allowed)


def scopes_beyond(requested: str, allowed: str) -> tuple[Scope, ...]:
    """The requested scopes that `allowed` as a whole does not cover."""
    ceiling = _Held(parse_scopes(allowed))
    return tuple(scope for scope in parse_scopes(requested) if not ceiling.covers(scope))


def shortest_form(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """The fewest scopes that allow the same: letters merged, what a wider one covers left out (SCP-05, SCP-12)."""
    merged: dict[tuple[str, str, Query] | str, Scope] = {}
    for scope in scopes:
        key = (scope.context, scope.resource, scope.query) if scope.context else scope.name
        merged[key] = _merge(merged[key], scope) if key in merged else scope
    kept = list(merged.values())
    return tuple(
        scope
        for place, scope in enumerate(kept)
        if not any(
            other.covers(scope) and (place > index or not scope.covers(other))
            for index, other in enumerate(kept)
            if index != place
        )
    )


def coherent_scopes(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Without fhirUser where openid is missing (SCP-16), and with one kind of refresh at most (SCP-17)."""
    found = without_unusable_fhir_user(scopes)
    offline = any(scope.short_name == "offline_access" for scope in found)
    return tuple(scope for scope in found if not (offline and scope.short_name == "online_access"))


def without_unusable_fhir_user(scopes: Iterable[Scope], *, somebody: bool = True) -> tuple[Scope, ...]:
    """Without fhirUser, and `profile` as it was once called, where openid is missing or nobody is meant (SCP-16)."""
    found = tuple(scopes)
    meant = somebody and any(scope.short_name == "openid" for scope in found)
    return found if meant else tuple(scope for scope in found if scope.short_name not in FHIR_USER)


class _Held:
    """Scopes by what they are about, so that a long request meets only those that matter to it."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self.by_resource: dict[tuple[str, str], list[Scope]] = {}
        for scope in scopes:
            self.by_resource.setdefault((scope.context, scope.resource or scope.short_name), []).append(scope)

    def about(self, scope: Scope) -> list[Scope]:
        if scope.resource == "*":
            same_context = (found for (context, _), found in self.by_resource.items() if context == scope.context)
            return [allowed for found in same_context for allowed in found]
        wildcards = self.by_resource.get((scope.context, "*"), []) if scope.context else []
        return wildcards + self.by_resource.get((scope.context, scope.resource or scope.short_name), [])

    def covers(self, scope: Scope) -> bool:
        """Whether these together cover it, letter by letter (SCP-05)."""
        found = self.about(scope)
        if not scope.context:
            return bool(found)
        atoms = (Scope("", scope.context, scope.resource, frozenset({action}), scope.query) for action in scope.actions)
        return all(any(allowed.covers(atom) for allowed in found) for atom in atoms)


def _part(scope: Scope, ceiling: _Held) -> tuple[Scope, ...]:
    """What of one requested scope the ceiling leaves, as few scopes as can say it."""
    if ceiling.covers(scope):
        return (scope,)
    return shortest_form(part for allowed in ceiling.about(scope) if (part := _overlap(scope, allowed)) is not None)


def _overlap(requested: Scope, allowed: Scope) -> Scope | None:
    """What both allow; where neither restriction contains the other nothing is made up."""
    actions = requested.actions & allowed.actions
    if requested.context != allowed.context or not actions:
        return None
    resource = allowed.resource if requested.resource == "*" else requested.resource
    if is_implied(allowed.query, by=requested.query):
        return _spell(requested, resource, actions, requested)
    if is_implied(requested.query, by=allowed.query):
        return _spell(requested, resource, actions, allowed)
    return None


def _merge(first: Scope, second: Scope) -> Scope:
    actions = first.actions | second.actions
    if actions == first.actions:
        return first
    return second if actions == second.actions else _spell(first, first.resource, actions, first)


def _spell(requested: Scope, resource: str, actions: frozenset[str], restricted: Scope) -> Scope:
    """The scope in the syntax of `requested` where that can say it (SCP-03), with the restriction's own spelling."""
    restriction = restricted.name.partition("?")[2]
    in_v1 = requested.is_v1 and not restriction and actions in _V1_NAMES
    suffix = _V1_NAMES[actions] if in_v1 else action_letters(actions)
    prefix = requested.name.partition(f"{requested.context}/")[0]
    name = f"{prefix}{requested.context}/{resource}.{suffix}" + (f"?{restriction}" if restriction else "")
    return Scope(name, requested.context, resource, actions, restricted.query)
