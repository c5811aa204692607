"""Scopes against a brute-force model: every interaction of a small world, asked one by one."""

from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart.authorize.unvalidated_request import is_supported
from smart.http.errors import InvalidScope
from smart.scopes.scope import ACTIONS, CONTEXTS, V1_ACTIONS, Scope
from smart.scopes.scope_sets import (
    grantable_scope,
    has_legal_characters,
    is_within,
    parse_scopes,
    scope_string,
    scopes_beyond,
    shortest_form,
)
from smart.tokens.refresh import narrowed_scope
from tests.work import LINEAR, growth, work_of

TYPES = ("Observation", "Patient", "Condition")
RECORDS = tuple(product(("1", "2"), ("x", "y")))
LETTERS = ["".join(a for a, on in zip(ACTIONS, bits, strict=True) if on) for bits in product((0, 1), repeat=5)][1:]
QUERIES = ("", "", "?a=1", "?a=2", "?a=1,2", "?b=x", "?a=1&b=x", "?b=x,y&a=2")
PLAIN = ("openid", "fhirUser", "launch/patient", "__own", "patient/Observation.dus", "nonsense")

resource_scopes = st.one_of(
    st.builds(
        "{}/{}.{}{}".format,
        st.sampled_from(CONTEXTS[:2]),
        st.sampled_from((*TYPES, "*")),
        st.sampled_from(LETTERS),
        st.sampled_from(QUERIES),
    ),
    st.builds(
        "{}/{}.{}".format,
        st.sampled_from(CONTEXTS[:2]),
        st.sampled_from((*TYPES, "*")),
        st.sampled_from(sorted(V1_ACTIONS)),
    ),
)
texts = st.lists(st.one_of(resource_scopes, st.sampled_from(PLAIN)), max_size=6).map(" ".join)


def passes(scope: Scope, record: tuple[str, str]) -> bool:
    held = dict(zip("ab", record, strict=True))
    return all(held[name] in values for name, values in scope.query)


def world(text: str) -> set[tuple[str, ...]]:
    """Everything that these scopes allow: interaction by interaction, record by record, and the plain names."""
    scopes = parse_scopes(text)
    interactions = {
        (context, resource, action, *record)
        for context, resource, action, record in product(CONTEXTS[:2], (*TYPES, "Future"), ACTIONS, RECORDS)
        for scope in scopes
        if scope.context == context and scope.resource in ("*", resource)
        if action in scope.actions and passes(scope, record)
    }
    return interactions | {(scope.name,) for scope in scopes if not scope.context}


@pytest.mark.requirement("SCP-06", "SCP-20", "E15")
@given(requested=texts, allowed=texts)
def test_granted_is_never_wider_than_asked_nor_than_allowed(requested: str, allowed: str) -> None:
    result = world(grantable_scope(requested, allowed, types=frozenset(TYPES)))

    assert result <= world(requested)
    assert result <= world(allowed)


@given(requested=texts, allowed=texts)
def test_without_restrictions_granted_is_exactly_what_both_name(requested: str, allowed: str) -> None:
    plain_requested, plain_allowed = (
        " ".join(scope.name for scope in parse_scopes(text) if scope.is_known and not scope.query)
        for text in (requested, allowed)
    )

    result = world(grantable_scope(plain_requested, plain_allowed, types=frozenset({*TYPES, "Future"})))

    assert result == world(plain_requested) & world(plain_allowed)


@given(requested=texts, allowed=texts)
def test_what_is_granted_can_be_granted_again(requested: str, allowed: str) -> None:
    once = grantable_scope(requested, allowed, types=frozenset(TYPES))

    assert grantable_scope(once, allowed, types=frozenset(TYPES)) == once
    assert is_within(once, requested)
    assert is_within(once, allowed)


@pytest.mark.requirement("SCP-05", "SCP-12")
@given(first=texts, second=texts)
def test_the_shortest_form_allows_the_same(first: str, second: str) -> None:
    result = scope_string(shortest_form(parse_scopes(f"{first} {second}")))

    assert world(result) == world(first) | world(second)
    assert len(parse_scopes(result)) <= len(parse_scopes(f"{first} {second}"))


@given(text=texts)
def test_the_shortest_form_is_stable_and_holds_nothing_covered(text: str) -> None:
    short = shortest_form(parse_scopes(text))

    assert shortest_form(short) == short
    assert not any(a.covers(b) for a in short for b in short if a is not b)


@given(held=resource_scopes, asked=resource_scopes)
def test_covering_agrees_with_the_model(held: str, asked: str) -> None:
    covers = Scope.parse(held).covers(Scope.parse(asked))

    if covers:
        assert world(asked) <= world(held)
    elif not Scope.parse(held).query and not Scope.parse(asked).query:
        assert not world(asked) <= world(held)


@pytest.mark.requirement("SCP-05", "E91")
@given(requested=texts, allowed=texts)
def test_within_never_lets_a_wider_request_pass(requested: str, allowed: str) -> None:
    if is_within(requested, allowed):
        assert world(requested) <= world(allowed)


@pytest.mark.requirement("SCP-04", "SCP-07")
@settings(max_examples=300)
@given(text=st.one_of(st.text(), st.text("patienuser/*.cd?&=,%\\| 0"), resource_scopes.map(lambda s: s + "%"), texts))
def test_no_text_makes_the_parser_raise_and_nothing_asked_is_lost(text: str) -> None:
    scopes = parse_scopes(text)

    assert set(scope_string(scopes).split(" ")) - {""} == set(text.split(" ")) - {""}
    assert all(has_legal_characters(scope.name) for scope in scopes if scope.context)
    grantable_scope(text, "patient/*.cruds", types=frozenset(TYPES))


CODES = ("http://x.example/s|a", "http://x.example/s|b", "http://x.example/s|a,http://x.example/s|b")
granular = st.builds(
    "{}/{}.{}?{}={}".format,
    st.sampled_from(CONTEXTS),
    st.sampled_from(TYPES),
    st.sampled_from(LETTERS),
    st.sampled_from(("category", "code", "status", "category:not")),
    st.sampled_from((*CODES, "a", "|a")),
)
many = st.lists(st.one_of(granular, resource_scopes, st.sampled_from(PLAIN)), max_size=8).map(" ".join)


@pytest.mark.requirement("SCP-10", "SCP-19", "SCP-20")
@given(requested=many, allowed=many)
def test_only_what_can_be_evaluated_is_granted_and_never_more_than_both_sides_name(
    requested: str, allowed: str
) -> None:
    result = grantable_scope(requested, allowed, types=frozenset(TYPES), supported=is_supported)

    assert all(is_supported(scope) for scope in parse_scopes(result))
    assert is_within(result, requested)
    assert is_within(result, allowed)


@pytest.mark.requirement("SCP-21")
def test_the_longest_request_that_is_taken_is_judged_in_a_blink() -> None:
    restricted = " ".join(f"patient/Observation.rs?code=http://loinc.org|{number}" for number in range(100))

    def judge(names: int) -> None:
        scope = f"patient/*.r patient/*.s patient/*.cruds {restricted} " + " ".join(f"z{name}" for name in range(names))
        result = grantable_scope(scope, f"patient/Goal.r {restricted}", types=frozenset(TYPES), supported=is_supported)
        scopes_beyond(scope, result)
        narrowed_scope(scope, result, granted_scope=result, requested_scope=scope, types=frozenset(TYPES))

    half, whole = work_of(lambda: judge(4_500)).calls, work_of(lambda: judge(9_000)).calls

    assert half < 2_000_000  # the hundred are compared each with each
    assert whole - half < 4_500 * 150  # a name without a restriction is compared with none of them


@pytest.mark.requirement("SCP-21")
@pytest.mark.parametrize("start", ["", "patient/Observation.rs?code=", "launch/patient?role=", "patient/"])
@pytest.mark.parametrize("piece", ["z", "z ", "/", "a=&", "&", "%", "\\", ",", "a|", "=", ":", "__", ".", "?", "\0"])
def test_what_a_long_scope_costs_grows_no_faster_than_it(start: str, piece: str) -> None:
    def judge(scope: str) -> None:
        result = grantable_scope(scope, "patient/*.cruds", types=frozenset(TYPES), supported=is_supported)
        scopes_beyond(scope, result)
        with suppress(InvalidScope):
            narrowed_scope(scope, scope, granted_scope=scope, requested_scope=scope, types=frozenset(TYPES))

    assert growth(judge, piece, start=start) < LINEAR


@pytest.mark.requirement("SCP-21", "E91")
def test_a_refresh_takes_no_more_restrictions_than_a_launch() -> None:
    scope = " ".join(f"patient/Observation.rs?code=http://loinc.org|{number}" for number in range(101))

    with pytest.raises(InvalidScope, match="more than 100 restricted scopes"):
        narrowed_scope(scope, scope, granted_scope=scope, requested_scope=scope, types=frozenset(TYPES))
