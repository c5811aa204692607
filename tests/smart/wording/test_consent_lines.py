"""Scopes as lines on the consent page."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart.fhir.versions import NO_FHIR, resource_types
from smart.scopes.scope_sets import is_within, parse_scopes
from smart.wording.consent_choice import chosen_scope
from smart.wording.consent_line import GROUPS, ConsentContext, ConsentLine
from smart.wording.consent_lines import consent_lines, duration

R4 = resource_types("r4")
OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"
OWN = ConsentContext(server="Harbour Clinic", seconds=300)
DAN = ConsentContext(
    server="Harbour Clinic", seconds=300, subject="Dan Reyes", role="Carol Reyes, acting for Dan Reyes"
)


def told(text: str, telling: ConsentContext = OWN) -> list[tuple[str, str]]:
    return [(line.group, line.text) for line in consent_lines(parse_scopes(text), telling) if line.group != "time"]


def only(text: str, telling: ConsentContext = OWN) -> ConsentLine:
    line, *_ = consent_lines(parse_scopes(text), telling)
    return line


@pytest.mark.requirement("AZ-14", "AZ-15")
@pytest.mark.parametrize("actions", ["rs", "r", "s", "read"])
def test_reading_a_type_is_told_by_its_plain_name(actions: str) -> None:
    assert told(f"patient/Immunization.{actions}") == [("see", "Vaccinations")]


@pytest.mark.requirement("AZ-14", "SCP-23")
@pytest.mark.parametrize(
    ("actions", "text", "hint"),
    [
        ("c", "Add new test results and measurements", "It cannot change or delete older ones. It cannot read them."),
        ("u", "Change test results and measurements that are there already", "It cannot read them."),
        ("d", "Delete test results and measurements", "What is deleted may not come back. It cannot read them."),
        ("cu", "Add and change test results and measurements", "It cannot read them."),
        (
            "cud",
            "Add, change and delete test results and measurements",
            "What is deleted may not come back. It cannot read them.",
        ),
        (
            "write",
            "Add, change and delete test results and measurements",
            "What is deleted may not come back. It cannot read them.",
        ),
    ],
)
def test_writing_is_told_with_what_it_can_and_cannot_do(actions: str, text: str, hint: str) -> None:
    line = only(f"patient/Observation.{actions}")

    assert (line.group, line.text, line.hint) == ("change", text, hint)
    assert line.deletes is ("d" in actions or actions == "write")


def test_reading_and_writing_are_two_lines_and_the_second_is_not_blind() -> None:
    see, change, _ = consent_lines(parse_scopes("patient/Observation.crs"), OWN)

    assert (see.group, see.text) == ("see", "Test results and measurements")
    assert (change.group, change.hint) == ("change", "It cannot change or delete older ones.")


@pytest.mark.requirement("SCP-13", "AZ-14")
@pytest.mark.parametrize(("telling", "record"), [(OWN, "your record"), (DAN, "the record of Dan Reyes")])
def test_a_wildcard_says_everything_and_also_future_data(telling: ConsentContext, record: str) -> None:
    see, change, _ = consent_lines(parse_scopes("patient/*.cruds"), telling)

    assert see.text == f"Everything in {record}"
    assert "also future data: kinds that Harbour Clinic starts to record later" in see.hint
    assert change.text == f"Add, change and delete everything in {record}, also kinds recorded later"
    assert change.deletes


@pytest.mark.requirement("AZ-14")
def test_deleting_is_emphasised_in_the_sentence() -> None:
    assert only("patient/Goal.d").parts == (("Delete", True), (" health goals", False))
    assert only("patient/Goal.cud").parts == (("Add, change and ", False), ("delete", True), (" health goals", False))
    assert only("patient/Goal.rs").parts == (("Health goals", False),)
    assert only("patient/Goal.c").parts == (("Add new health goals", False),)
    assert only("patient/*.rs").parts == (("Everything in your record", False),)
    assert not only("patient/Undelete.c").deletes
    assert {only(scope).strong for scope in ("patient/Goal.rs", "patient/*.rs", "patient/Goal.c")} == {""}


def test_a_type_without_a_plain_name_is_split_into_words() -> None:
    line = only("patient/BodyStructure.rs")

    assert line.text == "Another kind of data: Body structure"
    assert line.parts[-1] == ("Body structure", True)
    assert line.hint == "The standard's name; we have no simpler one yet."
    assert only("patient/BodyStructure.c").text == "Add new data of another kind: Body structure"


def test_people_are_named_only_where_the_record_is_another_persons() -> None:
    assert only("patient/CareTeam.rs").text == "People who care for you"
    assert only("patient/CareTeam.rs", DAN).text == "People who care for Dan Reyes"
    assert "People who care for you" in {kind.text for kind in only("patient/*.rs").kinds}
    assert "People who care for Dan Reyes" in {kind.text for kind in only("patient/*.rs", DAN).kinds}


def test_same_type_and_letters_merge_whatever_the_syntax() -> None:
    found = consent_lines(parse_scopes("patient/Observation.r patient/Observation.s patient/Observation.read"), OWN)

    assert [line.text for line in found if line.group == "see"] == ["Test results and measurements"]


def test_a_type_that_a_wildcard_covers_is_no_line_of_its_own() -> None:
    assert told("patient/Observation.rs patient/*.rs") == [("see", "Everything in your record")]


def test_lines_come_in_the_tables_order_not_in_the_order_asked() -> None:
    found = told(
        "patient/BodyStructure.rs patient/Observation.cr openid patient/Patient.rs patient/Condition.rs fhirUser", DAN
    )

    assert found == [
        ("see", "Name, birth date and contact details"),
        ("see", "Health problems and diagnoses"),
        ("see", "Test results and measurements"),
        ("see", "Another kind of data: Body structure"),
        ("change", "Add new test results and measurements"),
        ("who", "Your name and your role: Carol Reyes, acting for Dan Reyes"),
    ]


def test_a_wildcard_comes_last_of_what_is_seen() -> None:
    assert [text for _, text in told("patient/*.r patient/BodyStructure.rs patient/Location.rs")] == [
        "Places named in the record", "Another kind of data: Body structure", "Everything in your record"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "hint"),
    [
        ("patient/Immunization.rs", ""),
        ("patient/Condition.rs", ""),
        ("patient/Observation.rs", "Laboratory values, weight, height, blood pressure, answers to questionnaires"),
        (f"patient/Observation.rs?category={OBSERVATION}|laboratory", ""),
        ("patient/*.d", "What is deleted may not come back. It cannot read them."),
    ],
)
def test_a_line_has_the_hint_that_it_needs_and_no_other(scope: str, hint: str) -> None:
    assert only(scope).hint == hint


@pytest.mark.parametrize(
    ("scope", "blind"),
    [
        ("patient/Goal.cr", False),
        ("patient/Goal.cs", False),
        ("patient/Goal.c patient/*.r", False),
        ("patient/Goal.c patient/Condition.r", True),
        ("patient/Goal.c user/Goal.r", True),
        ("patient/Observation.cr?code=http://x|1", False),
        ("patient/Observation.cs?code=http://x|1", False),
        ("patient/Observation.c patient/Observation.rs?code=http://x|1", True),
    ],
)
def test_what_can_be_written_and_not_read_is_told_as_that(scope: str, blind: bool) -> None:
    (line,) = (line for line in consent_lines(parse_scopes(scope), OWN) if line.group == "change")

    assert ("It cannot read them." in line.hint) is blind


def test_a_line_stands_for_its_scope_and_its_type() -> None:
    restricted = "patient/Observation.rs?code=http://x|1"

    assert (only(restricted).allows, only(restricted).kind) == ((restricted,), "Observation")
    assert (only("patient/Goal.c").allows, only("patient/Goal.c").kind) == (("patient/Goal.c",), "Goal")
    assert (only("openid profile").allows, only("openid profile").text) == (
        ("openid", "profile"), "Your name and your role"
    )  # fmt: skip


@pytest.mark.parametrize("actions", ["rs", "c"])
def test_a_restricted_wildcard_is_not_told_as_everything(actions: str) -> None:
    assert "verything" not in only(f"patient/*.{actions}?category=http://x|1").text


def test_lines_are_numbered_from_one() -> None:
    found = consent_lines(parse_scopes("patient/Observation.crs patient/Patient.r"), OWN)

    assert [line.number for line in found] == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["system/*.rs", "launch/patient", "launch", "unknown", "patient/Observation.dus", ""])
def test_what_nobody_may_tick_is_no_line(text: str) -> None:
    assert told(text) == []


def test_a_restricted_scope_never_reads_like_the_whole_type() -> None:
    line = only("patient/Observation.rs?category=http://x.example/s|weird")

    assert line.text == "Test results and measurements: only those marked weird in http://x.example/s"
    assert line.hint == "Ask the maker of the app what that means."


def test_openid_alone_recognises_without_a_name() -> None:
    assert told("openid") == [("who", "Recognise you next time, by a number, without your name")]


def test_what_plain_openid_connect_tells_is_said_line_by_line() -> None:
    lines = consent_lines(parse_scopes("openid profile email"), replace(OWN, version=NO_FHIR))

    assert [(line.number, line.group, line.hint, line.allows, line.fixed) for line in lines[:-1]] == [
        (1, "who", "", ("openid",), True), (2, "who", "", ("profile",), False), (3, "who", "", ("email",), False)
    ]  # fmt: skip


def test_without_a_refresh_scope_access_is_only_for_now() -> None:
    *_, line = consent_lines(parse_scopes("patient/Patient.rs"), OWN)

    assert (line.group, line.text) == ("time", "Only now")
    assert line.hint == "It ends in 5 minutes. The app must ask you again after that."


@pytest.mark.requirement("AZ-14", "SCP-17")
def test_offline_access_is_named_and_may_be_exchanged_for_only_now() -> None:
    telling = ConsentContext(server="x", seconds=300, until="At the latest it ends on 20 February 2027.")

    found = consent_lines(parse_scopes("patient/Patient.rs offline_access online_access"), telling)

    assert [line.text for line in found if line.group == "time"] == [
        "Until I take it back, also while I am not using the app",
        "As long as I am signed in here",
        "Only now",
    ]
    assert found[1].hint.endswith("also at night. At the latest it ends on 20 February 2027.")
    assert [line.allows for line in found if line.group == "time"] == [("offline_access",), ("online_access",), ()]
    assert only("offline_access").hint == "It can then get new data by itself, also at night."
    assert only("openid").hint == ""


def test_a_name_with_braces_stays_a_name() -> None:
    telling = ConsentContext(server="{subject}", seconds=300, subject="{server} {x}")

    assert only("patient/*.rs", telling).text == "Everything in the record of {server} {x}"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(30, "30 seconds"), (60, "1 minute"), (300, "5 minutes"), (3600, "60 minutes")]
)
def test_a_length_of_time_in_words(seconds: int, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.requirement("AZ-15", "SCP-09")
@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (f"patient/Observation.rs?category={OBSERVATION}|laboratory", "Laboratory results"),
        (
            "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
            "Long-term problems",
        ),
        (
            f"patient/Observation.rs?category={OBSERVATION}|laboratory,{OBSERVATION}|vital-signs",
            "Laboratory results or Vital signs",
        ),
        (
            "patient/Observation.rs?code=http://loinc.org|1-1,http://loinc.org|2-2",
            "Test results and measurements: only those marked 1-1 in http://loinc.org or 2-2 in http://loinc.org",
        ),
        (
            f"patient/Observation.rs?category={OBSERVATION}|laboratory&code=http://loinc.org|1-1",
            f"Test results and measurements: only those marked laboratory in {OBSERVATION} and 1-1 in http://loinc.org",
        ),
        (
            "patient/Observation.rs?code=http://x|laboratory",
            "Test results and measurements: only those marked laboratory in http://x",
        ),
        ("patient/Observation.rs?code=abc", "Test results and measurements: only those marked abc"),
        (
            "patient/Observation.rs?code=http://x|y|1",
            "Test results and measurements: only those marked 1 in http://x|y",
        ),
        (
            f"user/Observation.rs?category={OBSERVATION}|laboratory",
            "Laboratory results of every patient that you may see at Harbour Clinic",
        ),
    ],
)
def test_a_restriction_is_one_sentence(scope: str, text: str) -> None:
    assert told(scope) == [("see", text)]


def test_what_may_be_added_of_a_kind_stands_within_its_sentence() -> None:
    assert only(f"patient/Observation.c?category={OBSERVATION}|laboratory").text == "Add new laboratory results"


@pytest.mark.requirement("AZ-14")
def test_what_a_person_may_see_of_everybody_is_told_as_that() -> None:
    assert told("user/*.cruds user/CareTeam.u", DAN) == [
        ("see", "Everything that you may see at Harbour Clinic, for every patient, also future data"),
        (
            "change",
            "Add, change and delete everything that you may change at Harbour Clinic, for every patient, "
            "also future data",
        ),
    ]
    assert told("user/CareTeam.rs", DAN)[0][1] == (
        "People who care for them of every patient that you may see at Harbour Clinic"
    )
    assert told("user/Goal.c", DAN)[0][1] == (
        "Add new health goals, for every patient that you may see at Harbour Clinic"
    )


@pytest.mark.requirement("AZ-14")
def test_beside_what_the_person_may_see_of_everybody_the_lines_of_one_record_say_so() -> None:
    assert told("patient/Goal.crs user/Goal.rs", DAN) == [
        ("see", "Health goals, in the record of Dan Reyes"),
        ("see", "Health goals of every patient that you may see at Harbour Clinic"),
        ("change", "Add new health goals, in the record of Dan Reyes"),
    ]


@pytest.mark.requirement("SCP-09", "AZ-14", "ON-05")
def test_a_divided_type_asked_whole_can_be_allowed_by_its_kinds() -> None:
    found = {line.kind: [kind.text for kind in line.kinds] for line in consent_lines(parse_scopes("patient/*.rs"), OWN)}
    divided = {
        line.kind: {kind.allows for kind in line.kinds}
        for line in consent_lines(parse_scopes("patient/Observation.r patient/Condition.read patient/Goal.rs"), OWN)
    }

    assert {"Allergies and intolerances", "Vaccinations", "Test results and measurements"} <= set(found["*"])
    assert divided["Goal"] == set()
    assert {f"patient/Observation.r?category={OBSERVATION}|{code}" for code in ("laboratory", "survey")} <= divided[
        "Observation"
    ]
    codes = {name.rpartition("|")[2] for name in divided["Observation"] | divided["Condition"]}
    assert {
        "encounter-diagnosis", "problem-list-item", "health-concern", "laboratory", "vital-signs", "social-history",
        "survey", "sdoh",
    } <= codes  # fmt: skip


@pytest.mark.parametrize("scope", ["patient/Observation.c", f"patient/Observation.rs?category={OBSERVATION}|survey"])
def test_what_is_written_or_restricted_already_has_no_kinds(scope: str) -> None:
    assert only(scope).kinds == ()


@pytest.mark.parametrize("version", ["r4", "stu3", "dstu2"])
def test_every_kind_has_its_words_and_every_named_type_exists_somewhere(version: str) -> None:
    telling = ConsentContext(server="x", seconds=1, version=version)

    found = consent_lines(parse_scopes("patient/*.rs patient/Observation.rs"), telling)

    assert all(kind.text for line in found for kind in line.kinds)
    assert {kind.allows.partition(".")[0].removeprefix("patient/") for kind in found[0].kinds} <= resource_types(
        version
    )


@pytest.mark.requirement("SCP-12", "AZ-14", "SCP-03")
@pytest.mark.parametrize(
    ("scope", "kinds", "expected"),
    [
        pytest.param(
            "patient/Observation.rs", {2}, f"patient/Observation.rs?category={OBSERVATION}|laboratory", id="one kind"
        ),
        pytest.param(
            "patient/Observation.read",
            {1, 2},
            f"patient/Observation.rs?category={OBSERVATION}|laboratory "
            f"patient/Observation.rs?category={OBSERVATION}|vital-signs",
            id="v1 has no word for it",
        ),
        pytest.param(
            f"patient/Observation.rs patient/Observation.rs?category={OBSERVATION}|laboratory",
            {1},
            f"patient/Observation.rs?category={OBSERVATION}|vital-signs",
            id="also another kind asked",
        ),
        pytest.param("patient/*.rs", {2}, "patient/AllergyIntolerance.rs", id="of everything one type"),
        pytest.param("patient/*.read", {2}, "patient/AllergyIntolerance.read", id="the same in v1"),
        pytest.param("patient/Observation.rs", set(), "", id="no kind at all"),
        pytest.param("patient/Observation.rs", {99}, "", id="a kind that was not offered"),
    ],
)
def test_only_some_kinds_leave_nothing_of_the_whole(scope: str, kinds: set[int], expected: str) -> None:
    choices = consent_lines(parse_scopes(scope), OWN)

    result = chosen_scope(scope, choices, {line.number for line in choices}, {1: kinds}, types=R4)

    assert result == expected


@pytest.mark.requirement("SCP-17")
def test_one_kind_of_refresh_at_most_is_granted_the_one_the_person_chose() -> None:
    scope = "patient/Patient.rs offline_access online_access"
    choices = consent_lines(parse_scopes(scope), OWN)
    offline, online, now = (line.number for line in choices if line.group == "time")

    assert chosen_scope(scope, choices, {1, offline}, types=R4) == "patient/Patient.rs offline_access"
    assert chosen_scope(scope, choices, {1, online}, types=R4) == "patient/Patient.rs online_access"
    assert chosen_scope(scope, choices, {1, now}, types=R4) == "patient/Patient.rs"
    assert chosen_scope(scope, choices, {1, offline, online, now}, types=R4) == "patient/Patient.rs offline_access"


SCOPE = "launch/patient patient/Observation.* patient/Patient.rs"


@pytest.mark.requirement("AZ-14", "SCP-12", "SCP-03")
@pytest.mark.parametrize(
    ("ticked", "expected"),
    [
        pytest.param({1, 2, 3, 4}, SCOPE, id="everything"),
        pytest.param({1, 2, 4}, "launch/patient patient/Observation.read patient/Patient.rs", id="no changes"),
        pytest.param({2}, "launch/patient patient/Observation.read", id="one kind only"),
        pytest.param({3}, "launch/patient patient/Observation.write", id="writing only"),
    ],
)
def test_what_is_unticked_is_not_granted(ticked: set[int], expected: str) -> None:
    choices = consent_lines(parse_scopes(SCOPE), OWN)

    assert chosen_scope(SCOPE, choices, ticked, types=R4) == expected


@pytest.mark.requirement("E31")
@pytest.mark.parametrize("ticked", [set(), {4}, {99}], ids=["nothing", "only the time", "what was not offered"])
def test_ticking_nothing_grants_nothing(ticked: set[int]) -> None:
    assert chosen_scope(SCOPE, consent_lines(parse_scopes(SCOPE), OWN), ticked, types=R4) == ""


def test_where_there_is_nothing_to_untick_the_context_is_granted() -> None:
    assert (
        chosen_scope("launch/patient", consent_lines(parse_scopes("launch/patient"), OWN), {1}, types=R4)
        == "launch/patient"
    )


def test_unticking_a_wildcard_takes_the_types_it_covered_with_it() -> None:
    scope = "patient/*.rs patient/Observation.rs patient/Goal.c"
    choices = consent_lines(parse_scopes(scope), OWN)

    change = next(line.number for line in choices if line.group == "change")
    assert chosen_scope(scope, choices, {change}, types=R4) == "patient/Goal.c"


scopes = st.lists(
    st.builds(
        "{}/{}.{}".format,
        st.sampled_from(["patient", "user"]),
        st.sampled_from(["Observation", "Patient", "BodyStructure", "*"]),
        st.sampled_from(
            ["r", "rs", "c", "cud", "cruds", "read", "write", "*", "d", f"rs?category={OBSERVATION}|survey"]
        ),
    ),
    min_size=1,
    max_size=5,
    unique=True,
).map(" ".join)


@given(
    scope=scopes,
    ticked=st.sets(st.integers(1, 9)),
    some=st.dictionaries(st.integers(1, 9), st.sets(st.integers(1, 12))),
)
def test_what_is_kept_is_what_was_ticked(scope: str, ticked: set[int], some: dict[int, set[int]]) -> None:
    choices = consent_lines(parse_scopes(scope), OWN)

    result = chosen_scope(scope, choices, ticked, some, types=R4)

    whole = {name for line in choices if line.number in ticked - set(some) for name in line.allows}
    parts = {kind.allows for line in choices for kind in line.kinds if kind.number in some.get(line.number, ())}
    assert is_within(result, scope)
    assert is_within(result, " ".join(whole | parts))
    assert [line.group for line in choices] == sorted((line.group for line in choices), key=GROUPS.index)
    assert chosen_scope(scope, choices, {line.number for line in choices}, types=R4) == scope
