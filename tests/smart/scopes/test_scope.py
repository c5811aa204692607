"""The grammar of one scope."""

import pytest

from smart.scopes.scope import Scope, is_legal_name


@pytest.mark.requirement("SCP-01", "SCP-02")
@pytest.mark.parametrize(
    ("name", "context", "resource", "actions"),
    [
        ("patient/Observation.rs", "patient", "Observation", "rs"),
        ("user/*.cruds", "user", "*", "cruds"),
        ("system/Patient.c", "system", "Patient", "c"),
        ("patient/*.d", "patient", "*", "d"),
    ],
)
def test_a_v2_scope_says_context_type_and_letters(name: str, context: str, resource: str, actions: str) -> None:
    scope = Scope.parse(name)

    assert (scope.name, scope.context, scope.resource) == (name, context, resource)
    assert scope.actions == frozenset(actions)


@pytest.mark.requirement("SCP-03")
@pytest.mark.parametrize(("word", "actions"), [("read", "rs"), ("write", "cud"), ("*", "cruds")])
def test_a_v1_word_means_its_letters(word: str, actions: str) -> None:
    scope = Scope.parse(f"patient/Observation.{word}")

    assert scope.actions == frozenset(actions)
    assert scope.is_v1


@pytest.mark.requirement("SCP-04")
@pytest.mark.parametrize(
    "name",
    [
        "patient/Observation.dus",
        "patient/Observation.rx",
        "patient/Observation.sr",
        "patient/Observation.rr",
        "patient/Observation.",
        "patient/Observation",
        "patient/.rs",
        "patient/observation.rs",
        "Patient/Observation.rs",
        "patient/Observation.READ",
        "patient/Observation.reads",
        "patient//Observation.rs",
        "patient/Observation.rs ",
        "patient/Observation.rs\n",
        "patient/Observation.read?category=a",
        "patient/Observation.rs?",
        "patient/**.rs",
        "patient/Observation.rs?category",
        "patient/Observation.rs?=a",
        "patient/Observation.rs?category=",
        "patient/Observation.rs?a=1&",
        "patient/Observation.rs?a=1,,2",
        "patient/Observation.rs?a=%zz",
        "patient/Observation.rs?a=%ff",
        'patient/Observation.rs?a="',
        "patient/Observation.?a=1",
        "other/Patient.rs",
        "patient/Observation.rs?a=\u00e9",
        "",
    ],
    ids=repr,
)
def test_a_malformed_name_covers_only_itself_and_allows_nothing(name: str) -> None:
    scope = Scope.parse(name)

    assert (scope.context, scope.actions, scope.query) == ("", frozenset(), ())
    assert scope.covers(Scope.parse(name))
    assert not scope.covers(Scope.parse("patient/Observation.r"))
    assert not Scope.parse("patient/*.cruds").covers(scope)


@pytest.mark.requirement("SCP-10")
@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("category=a", (("category", ("a",)),)),
        ("category=a%7Cb", (("category", ("a|b",)),)),
        ("category=a,b", (("category", ("a", "b")),)),
        ("category=b,a,b", (("category", ("a", "b")),)),
        ("status=final&category=a", (("category", ("a",)), ("status", ("final",)))),
        ("category=a&category=b", (("category", ("a",)), ("category", ("b",)))),
        ("category=a%5C,b", (("category", ("a\\,b",)),)),
        ("category=http://x.example/s?y=1|lab", (("category", ("http://x.example/s?y=1|lab",)),)),
    ],
)
def test_a_restriction_reads_like_a_fhir_search(text: str, query: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    assert Scope.parse(f"patient/Observation.rs?{text}").query == query


@pytest.mark.requirement("SCP-05", "SCP-12")
@pytest.mark.parametrize(
    ("held", "asked", "expected"),
    [
        ("patient/*.rs", "patient/Observation.r", True),
        ("patient/Observation.rs", "patient/*.rs", False),
        ("patient/Observation.rs", "patient/Observation.read", True),
        ("patient/Observation.r", "patient/Observation.rs", False),
        ("patient/Observation.rs", "user/Observation.rs", False),
        ("patient/Observation.rs", "patient/Observation.rs?category=a", True),
        ("patient/Observation.rs?category=a", "patient/Observation.rs", False),
        ("patient/Observation.rs?category=a,b", "patient/Observation.rs?category=a", True),
        ("patient/Observation.rs?category=a", "patient/Observation.rs?category=a,b", False),
        ("patient/Observation.rs?category=a", "patient/Observation.rs?category=a&status=final", True),
        ("patient/Observation.rs?category=a&status=final", "patient/Observation.rs?category=a", False),
        ("openid", "openid", True),
        ("openid", "fhirUser", False),
    ],
)
def test_covers(held: str, asked: str, expected: bool) -> None:
    assert Scope.parse(held).covers(Scope.parse(asked)) is expected


@pytest.mark.requirement("SCP-22")
def test_the_uri_form_of_a_scope_means_the_same_and_keeps_its_name() -> None:
    name = "http://smarthealthit.org/fhir/scopes/patient/Observation.rs"

    scope = Scope.parse(name)

    assert scope.name == name
    assert Scope.parse("patient/Observation.rs").covers(scope)
    assert Scope.parse("openid").covers(Scope.parse("http://openid.net/specs/openid-connect-core-1_0#openid"))


@pytest.mark.parametrize(("name", "legal"), [("", False), ("a", True), ("a b", False), ('"', False), ("\\", False)])
def test_a_name_is_there_and_of_the_characters_of_the_standard(name: str, *, legal: bool) -> None:
    assert is_legal_name(name) is legal
