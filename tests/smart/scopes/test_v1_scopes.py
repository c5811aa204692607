"""The v1 spelling of v2 scopes: the same rights, whole or not at all (WF-19)."""

from itertools import product

import pytest
from hypothesis import given

from smart.scopes.scope import V1_ACTIONS
from smart.scopes.scope_sets import is_within, parse_scopes, scope_string
from smart.scopes.v1_scopes import with_v1
from tests.smart.scopes.test_properties import TYPES, texts, world


@pytest.mark.requirement("WF-19")
@pytest.mark.parametrize(
    ("scope", "added"),
    [
        ("patient/*.rs", "patient/*.read"),
        ("patient/Patient.cud", "patient/Patient.write"),
        ("user/*.cruds", "user/*.*"),
        ("patient/Patient.crs", "patient/Patient.read"),
        ("system/Group.rs", "system/Group.read"),
        ("patient/Patient.r patient/Patient.s", "patient/Patient.read"),
        ("patient/*.r patient/Patient.s", "patient/Patient.read"),
        ("http://smarthealthit.org/fhir/scopes/patient/*.rs", "patient/*.read"),
        ("launch/patient openid patient/*.rs offline_access", "patient/*.read"),
    ],
)
def test_a_whole_right_is_named_in_v1_too(scope: str, added: str) -> None:
    assert with_v1(scope) == f"{scope} {added}"


@pytest.mark.requirement("WF-19")
@pytest.mark.parametrize(
    "scope",
    [
        "patient/*.r",
        "patient/*.s",
        "patient/Patient.cu",
        "patient/Observation.rs?category=http://example.org/c|laboratory",
        "patient/Observation.r patient/Observation.s?code=http://loinc.org|1-1",
        "patient/Patient.r user/Patient.s",
        "patient/*.read",
        "patient/Patient.*",
        "openid launch/patient __own",
        "",
    ],
)
def test_part_of_a_right_a_restricted_one_and_v1_itself_add_nothing(scope: str) -> None:
    assert with_v1(scope) == scope


@pytest.mark.requirement("WF-19")
@given(text=texts)
def test_the_v1_words_never_allow_more_and_never_less(text: str) -> None:
    assert world(with_v1(text)) == world(text)
    assert parse_scopes(with_v1(text))[: len(parse_scopes(text))] == parse_scopes(text)


@pytest.mark.requirement("WF-19")
@given(text=texts)
def test_a_reader_of_v1_words_alone_sees_every_whole_right(text: str) -> None:
    words = scope_string(scope for scope in parse_scopes(with_v1(text)) if scope.is_v1)

    for context, resource, word in product(("patient", "user"), TYPES, V1_ACTIONS):
        asked = f"{context}/{resource}.{word}"
        named = any(scope.context == context and scope.resource == resource for scope in parse_scopes(text))
        if named and is_within(asked, text):
            assert is_within(asked, words), asked
