"""Scopes as sets: granting, covering, shortest form."""

import pytest

from smart.fhir.versions import resource_types
from smart.scopes.scope import Scope
from smart.scopes.scope_sets import (
    _overlap,
    coherent_scopes,
    grantable_scope,
    has_legal_characters,
    is_for_backend,
    is_for_people,
    is_known,
    is_within,
    parse_scopes,
    scope_string,
    scopes_allowing,
    shortest_form,
    without_unusable_fhir_user,
)

R4 = resource_types("r4")
LAB = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
VITALS = "category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


def grant(requested: str, allowed: str) -> str:
    return grantable_scope(requested, allowed, types=R4)


@pytest.mark.requirement("SCP-07")
def test_scopes_are_split_on_spaces_only_and_doubles_count_once() -> None:
    scopes = parse_scopes("openid  launch/patient openid\tx")

    assert [scope.name for scope in scopes] == ["openid", "launch/patient", "openid\tx"]


@pytest.mark.requirement("SCP-07", "E14")
@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\tb", "a\nb", "a\x7f", "é", "\0"], ids=repr)
def test_illegal_characters_are_told_from_legal_ones(text: str) -> None:
    assert not has_legal_characters(text)


@pytest.mark.requirement("SCP-07")
def test_every_character_of_the_rfc_is_legal() -> None:
    assert has_legal_characters("".join(chr(c) for c in range(0x20, 0x7F) if c not in (0x22, 0x5C)))


@pytest.mark.requirement("SCP-06", "SCP-20")
@pytest.mark.parametrize(
    ("requested", "allowed", "expected"),
    [
        pytest.param(
            "launch/patient patient/Patient.rs",
            "patient/*.rs launch/patient",
            "launch/patient patient/Patient.rs",
            id="all of it, in the order asked",
        ),
        pytest.param(
            "patient/Patient.rs patient/Patient.rs",
            "patient/*.rs",
            "patient/Patient.rs",
            id="twice asked, once granted",
        ),
        pytest.param("patient/Observation.cruds", "patient/*.rs", "patient/Observation.rs", id="fewer letters"),
        pytest.param(
            "patient/*.rs",
            "patient/Observation.rs patient/Patient.r",
            "patient/Observation.rs patient/Patient.r",
            id="a wildcard narrowed to types",
        ),
        pytest.param(
            "patient/*.cruds",
            "patient/*.rs patient/Observation.c",
            "patient/*.rs patient/Observation.c",
            id="a wildcard narrowed to letters",
        ),
        pytest.param(
            "patient/Observation.rs",
            "patient/Observation.r patient/Observation.s",
            "patient/Observation.rs",
            id="allowed in the longer form",
        ),
        pytest.param(
            "patient/Observation.r patient/Observation.s",
            "patient/Observation.rs",
            "patient/Observation.r patient/Observation.s",
            id="asked in the longer form",
        ),
        pytest.param("user/Observation.rs", "patient/*.cruds system/*.cruds", "", id="another context"),
        pytest.param("patient/Observation.c", "patient/Observation.rs", "", id="no letter in common"),
        pytest.param(
            "unknown patient/Patient.rs",
            "patient/*.rs unknown",
            "patient/Patient.rs",
            id="an unknown name grants nothing, even when allowed",
        ),
        pytest.param(
            "patient/Patient.dus",
            "patient/*.cruds patient/Patient.dus",
            "",
            id="a malformed name grants nothing, even when allowed",
        ),
        pytest.param("openid", "launch", "", id="a plain name not allowed"),
        pytest.param("", "patient/*.rs", "", id="nothing asked"),
        pytest.param("patient/Patient.rs", "", "", id="nothing allowed"),
    ],
)
def test_granted_is_the_part_that_both_sides_name(requested: str, allowed: str, expected: str) -> None:
    assert grant(requested, allowed) == expected


@pytest.mark.requirement("SCP-03")
@pytest.mark.parametrize(
    ("requested", "allowed", "expected"),
    [
        pytest.param(
            "patient/Observation.read", "patient/*.cruds", "patient/Observation.read", id="v1 asked, v1 answered"
        ),
        pytest.param("patient/Observation.rs", "patient/*.read", "patient/Observation.rs", id="v2 asked, v2 answered"),
        pytest.param("patient/Observation.*", "patient/*.rs", "patient/Observation.read", id="a narrower v1 word"),
        pytest.param(
            "patient/*.write", "patient/Observation.*", "patient/Observation.write", id="a v1 wildcard narrowed"
        ),
        pytest.param("patient/Observation.write", "patient/*.cu", "patient/Observation.cu", id="no v1 word says it"),
        pytest.param(
            "patient/Observation.read",
            f"patient/Observation.rs?{LAB}",
            f"patient/Observation.rs?{LAB}",
            id="v1 knows no restriction",
        ),
    ],
)
def test_the_answer_is_in_the_syntax_asked(requested: str, allowed: str, expected: str) -> None:
    assert grant(requested, allowed) == expected


@pytest.mark.requirement("SCP-10", "SCP-06")
@pytest.mark.parametrize(
    ("requested", "allowed", "expected"),
    [
        pytest.param(
            f"patient/Observation.rs?{LAB}",
            "patient/*.rs",
            f"patient/Observation.rs?{LAB}",
            id="restricted by the client",
        ),
        pytest.param(
            "patient/Observation.rs",
            f"patient/Observation.rs?{LAB}",
            f"patient/Observation.rs?{LAB}",
            id="restricted by the policy",
        ),
        pytest.param(
            "patient/Observation.rs?category=a,b",
            "patient/Observation.rs?category=b",
            "patient/Observation.rs?category=b",
            id="one of two values",
        ),
        pytest.param(f"patient/Observation.rs?{LAB}", f"patient/Observation.rs?{VITALS}", "", id="another kind"),
        pytest.param(
            "patient/Observation.rs?category=a&status=final",
            "patient/Observation.rs?category=a",
            "patient/Observation.rs?category=a&status=final",
            id="a further restriction",
        ),
        pytest.param(
            "patient/Observation.cruds?category=a",
            "patient/Observation.rs",
            "patient/Observation.rs?category=a",
            id="fewer letters, same restriction",
        ),
    ],
)
def test_a_restriction_is_never_lost(requested: str, allowed: str, expected: str) -> None:
    assert grant(requested, allowed) == expected


@pytest.mark.requirement("SCP-08")
@pytest.mark.parametrize(
    ("version", "resource", "expected"),
    [
        ("dstu2", "MedicationOrder", True),
        ("stu3", "MedicationOrder", False),
        ("r4", "MedicationOrder", False),
        ("dstu2", "MedicationRequest", False),
        ("stu3", "MedicationRequest", True),
        ("r4", "MedicationRequest", True),
        ("r4", "Nonsense", False),
        ("r4", "DomainResource", False),
    ],
)
def test_a_type_must_exist_in_the_version_of_the_base(version: str, resource: str, expected: bool) -> None:
    name = f"patient/{resource}.rs"

    result = grantable_scope(name, "patient/*.cruds", types=resource_types(version))

    assert result == (name if expected else "")


@pytest.mark.requirement("SCP-13")
def test_a_wildcard_covers_a_type_that_came_later_and_all_of_today_do_not_cover_a_wildcard() -> None:
    every_type = " ".join(f"patient/{resource}.rs" for resource in R4)

    assert is_within("patient/KindOfTomorrow.rs", "patient/*.rs")
    assert not is_within("patient/*.rs", every_type)


@pytest.mark.requirement("SCP-23")
def test_writing_does_not_imply_reading() -> None:
    scopes = parse_scopes("patient/Observation.write")

    assert scopes_allowing(scopes, "patient", "Observation", "c")
    assert not scopes_allowing(scopes, "patient", "Observation", "r")
    assert not scopes_allowing(scopes, "patient", "Observation", "s")


def test_allowing_names_the_scopes_of_that_context_type_and_letter() -> None:
    scopes = parse_scopes(f"patient/*.r user/Observation.r patient/Observation.s patient/Observation.rs?{LAB} openid")

    found = scopes_allowing(scopes, "patient", "Observation", "r")

    assert [scope.name for scope in found] == ["patient/*.r", f"patient/Observation.rs?{LAB}"]
    assert [scope.name for scope in scopes_allowing(scopes, "patient", "Condition", "r")] == ["patient/*.r"]


def test_a_plain_name_allows_no_interaction() -> None:
    assert scopes_allowing(parse_scopes("openid patient/Observation.dus launch/patient"), "", "", "r") == ()


@pytest.mark.requirement("SCP-05", "SCP-12")
@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(["patient/X.r patient/X.s"], "patient/X.rs", id="letters merge"),
        pytest.param(["patient/X.read", "patient/X.write"], "patient/X.*", id="v1 words merge"),
        pytest.param(["patient/X.cruds patient/X.read"], "patient/X.cruds", id="the wider name stays"),
        pytest.param(["patient/X.rs patient/*.rs"], "patient/*.rs", id="a wildcard covers its types"),
        pytest.param(
            [f"patient/Observation.rs?{LAB}", "patient/Observation.rs"],
            "patient/Observation.rs",
            id="the whole type wins over a part",
        ),
        pytest.param(
            ["patient/X.rs?a=1", "patient/X.rs?a=2"], "patient/X.rs?a=1 patient/X.rs?a=2", id="two parts stay two"
        ),
        pytest.param(["patient/X.r?a=1", "patient/X.s?a=1"], "patient/X.rs?a=1", id="letters of one part merge"),
        pytest.param(
            ["user/X.rs", "patient/X.rs openid", "openid"], "user/X.rs patient/X.rs openid", id="contexts stay apart"
        ),
        pytest.param(["patient/X.rs", "patient/X.read"], "patient/X.rs", id="two spellings of one thing"),
    ],
)
def test_the_shortest_form_merges_letters_and_leaves_out_what_a_wider_scope_covers(
    texts: list[str], expected: str
) -> None:
    assert scope_string(shortest_form(parse_scopes(" ".join(texts)))) == expected


@pytest.mark.requirement("SCP-05", "E91")
@pytest.mark.parametrize(
    ("requested", "allowed", "expected"),
    [
        ("patient/X.rs", "patient/X.r patient/X.s", True),
        ("patient/X.read", "patient/X.rs", True),
        ("patient/X.rs", "patient/X.read", True),
        ("patient/X.*", "patient/X.read", False),
        ("patient/X.rs", "patient/X.rs?a=1", False),
        ("patient/X.rs?a=1", "patient/X.rs", True),
        ("openid", "openid patient/X.rs", True),
        ("offline_access", "openid", False),
        ("", "openid", True),
    ],
)
def test_respelling_a_scope_never_widens_it(requested: str, allowed: str, expected: bool) -> None:
    assert is_within(requested, allowed) is expected


@pytest.mark.requirement("SCP-19")
@pytest.mark.parametrize("name", ["system/*.rs", "system/Patient.read"])
def test_people_never_get_system_scopes(name: str) -> None:
    assert not is_for_people(Scope.parse(name))
    assert is_for_backend(Scope.parse(name))


def test_people_never_get_a_name_that_means_nothing() -> None:
    assert not is_for_people(Scope.parse("unknown"))


@pytest.mark.requirement("SCP-19")
@pytest.mark.parametrize(
    "name",
    [
        "launch",
        "launch/patient",
        "openid",
        "fhirUser",
        "offline_access",
        "online_access",
        "http://openid.net/specs/openid-connect-core-1_0#openid",
    ],
)
def test_a_backend_never_gets_a_scope_about_a_person(name: str) -> None:
    assert not is_for_backend(Scope.parse(name))
    assert is_for_people(Scope.parse(name))


@pytest.mark.requirement("SCP-16", "SCP-17")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fhirUser patient/X.rs", "patient/X.rs"),
        ("fhirUser openid", "fhirUser openid"),
        ("online_access offline_access", "offline_access"),
        ("online_access", "online_access"),
    ],
)
def test_scopes_that_need_or_exclude_each_other(text: str, expected: str) -> None:
    assert scope_string(coherent_scopes(parse_scopes(text))) == expected


@pytest.mark.requirement("SCP-18", "SCP-14")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("__smartauth.introspect", True),
        ("https://auth.example.org/scopes/x", True),
        ("__", False),
        ("introspect", False),
        ("launch", True),
        ("launch/patient", True),
        ("launch/imagingstudy?role=https://x.example/r", True),
        ("launch/ImagingStudy", False),
        ("launch/imagingstudy?role=a&role=b", False),
        ("patient/Observation.rx", False),
        ("http://smarthealthit.org/fhir/scopes/patient/Observation.dus", False),
    ],
)
def test_only_names_with_a_meaning_are_known(name: str, expected: bool) -> None:
    assert is_known(Scope.parse(name)) is expected


def test_what_is_supported_is_the_servers_choice() -> None:
    result = grantable_scope(
        "patient/X.rs patient/Patient.rs?a=1 patient/Patient.r",
        "patient/*.cruds",
        types=R4,
        supported=lambda scope: not scope.query,
    )

    assert result == "patient/Patient.r"


def test_shortest_keeps_the_first_of_two_equal_ones() -> None:
    assert scope_string(shortest_form(parse_scopes("patient/X.rs?a=1,2 patient/X.rs?a=2,1"))) == "patient/X.rs?a=1,2"


def test_a_request_of_the_greatest_length_is_judged_at_once() -> None:
    requested = " ".join(f"patient/{resource}.{action}" for resource in R4 for action in "cruds")

    assert is_within(requested, "patient/*.cruds")
    assert grant(requested, "patient/*.cruds") == requested


@pytest.mark.requirement("SCP-16")
@pytest.mark.parametrize(
    ("scope", "somebody", "left"),
    [
        ("openid fhirUser profile launch", True, "openid fhirUser profile launch"),
        ("openid fhirUser profile launch", False, "openid launch"),
        ("fhirUser profile launch", True, "launch"),
    ],
)
def test_who_somebody_is_is_told_with_openid_and_of_somebody(scope: str, left: str, *, somebody: bool) -> None:
    assert scope_string(without_unusable_fhir_user(parse_scopes(scope), somebody=somebody)) == left


def test_scopes_of_two_contexts_have_nothing_in_common_whatever_they_allow() -> None:
    patient, user, launch = parse_scopes("patient/*.rs user/*.rs launch")

    assert _overlap(patient, user) is _overlap(launch, launch) is _overlap(patient, launch) is None
    assert _overlap(patient, patient) == patient


@pytest.mark.requirement("SCP-03", "SCP-05")
@pytest.mark.parametrize(
    ("scopes", "shortest"),
    [
        ("patient/Observation.r patient/Observation.read", "patient/Observation.read"),
        ("patient/Observation.read patient/Observation.r", "patient/Observation.read"),
        ("patient/Observation.r patient/Observation.s", "patient/Observation.rs"),
        ("openid http://openid.net/specs/openid-connect-core-1_0#openid", "openid"),
    ],
)
def test_what_two_scopes_say_alike_is_said_once_in_the_words_of_one(scopes: str, shortest: str) -> None:
    assert scope_string(shortest_form(parse_scopes(scopes))) == shortest


@pytest.mark.requirement("SCP-03", "SCP-10")
@pytest.mark.parametrize("value", ["http://x/patient/|1", "http://x?y|1"])
def test_a_restriction_stays_as_it_was_spelled_whatever_stands_in_it(value: str) -> None:
    asked = f"patient/Observation.rs?code={value}"

    assert grant(asked, "patient/Observation.r") == f"patient/Observation.r?code={value}"


@pytest.mark.requirement("SCP-05", "SCP-10", "RF-02")
@pytest.mark.parametrize(
    ("requested", "allowed", "within"),
    [
        ("patient/Observation.rs?code=http://x|1", "patient/Observation.rs?code=http://x|1", True),
        ("patient/Observation.rs?code=http://x|1", "patient/Observation.rs?code=http://x|2,http://x|1", True),
        ("patient/Observation.rs?code=http://x|1", "patient/Observation.rs?category=http://x|1", False),
        ("patient/Observation.rs?code=http://x|1", "patient/Observation.r?code=http://x|1", False),
        ("openid", "*", False),  # a name like any other, and not everything
        ("*", "*", True),
    ],
)
def test_a_restriction_is_covered_by_the_same_and_a_star_alone_covers_nothing(
    requested: str, allowed: str, *, within: bool
) -> None:
    assert is_within(requested, allowed) is within
