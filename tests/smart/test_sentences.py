"""Scopes as lines on the consent page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart.scopes import parse, within
from smart.sentences import GROUPS, Line, Telling, duration, kept, lines
from smart.versions import resource_types

R4 = resource_types("r4")
OWN = Telling(server="Harbour Clinic", seconds=300)
DAN = Telling(server="Harbour Clinic", seconds=300, subject="Dan Reyes", role="Carol Reyes, acting for Dan Reyes")


def told(text: str, telling: Telling = OWN) -> list[tuple[str, str]]:
    return [(line.group, line.text) for line in lines(parse(text), telling) if line.group != "time"]


def only(text: str, telling: Telling = OWN) -> Line:
    line, *_ = lines(parse(text), telling)
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
    see, change, _ = lines(parse("patient/Observation.crs"), OWN)

    assert (see.group, see.text) == ("see", "Test results and measurements")
    assert (change.group, change.hint) == ("change", "It cannot change or delete older ones.")


@pytest.mark.requirement("SCP-13", "AZ-14")
@pytest.mark.parametrize(("telling", "record"), [(OWN, "your record"), (DAN, "the record of Dan Reyes")])
def test_a_wildcard_says_everything_and_also_future_data(telling: Telling, record: str) -> None:
    see, change, _ = lines(parse("patient/*.cruds"), telling)

    assert see.text == f"Everything in {record}"
    assert "also future data: kinds that Harbour Clinic starts to record later" in see.hint
    assert change.text == f"Add, change and delete everything in {record}, also kinds recorded later"
    assert change.deletes


@pytest.mark.requirement("AZ-14")
def test_deleting_is_emphasised_in_the_sentence() -> None:
    assert only("patient/Goal.d").parts == (("Delete", True), (" health goals", False))
    assert only("patient/Goal.cud").parts == (("Add, change and ", False), ("delete", True), (" health goals", False))
    assert only("patient/Goal.rs").parts == (("Health goals", False),)


def test_a_type_without_a_plain_name_is_split_into_words() -> None:
    line = only("patient/BodyStructure.rs")

    assert line.text == "Another kind of data: Body structure"
    assert line.parts[-1] == ("Body structure", True)
    assert line.hint == "The standard's name; we have no simpler one yet."


def test_people_are_named_only_where_the_record_is_another_persons() -> None:
    assert only("patient/CareTeam.rs").text == "People who care for you"
    assert only("patient/CareTeam.rs", DAN).text == "People who care for Dan Reyes"


def test_same_type_and_letters_merge_whatever_the_syntax() -> None:
    found = lines(parse("patient/Observation.r patient/Observation.s patient/Observation.read"), OWN)

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


def test_lines_are_numbered_from_one() -> None:
    found = lines(parse("patient/Observation.crs patient/Patient.r"), OWN)

    assert [line.number for line in found] == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["system/*.rs", "launch/patient", "launch", "unknown", "patient/Observation.dus", ""])
def test_what_nobody_may_tick_is_no_line(text: str) -> None:
    assert told(text) == []


def test_a_restricted_scope_never_reads_like_the_whole_type() -> None:
    line = only("patient/Observation.rs?category=http://x.example/s|weird")

    assert line.text == "Test results and measurements: only those marked http://x.example/s|weird"
    assert line.hint == "Ask the maker of the app what that means."


def test_openid_alone_recognises_without_a_name() -> None:
    assert told("openid") == [("who", "Recognise you next time, by a number, without your name")]


def test_without_a_refresh_scope_access_is_only_for_now() -> None:
    *_, line = lines(parse("patient/Patient.rs"), OWN)

    assert (line.group, line.text) == ("time", "Only now")
    assert line.hint == "It ends in 5 minutes. The app must ask you again after that."


@pytest.mark.requirement("AZ-14", "SCP-17")
def test_offline_access_is_named_and_may_be_exchanged_for_only_now() -> None:
    telling = Telling(server="x", seconds=300, until="At the latest it ends on 20 February 2027.")

    found = lines(parse("patient/Patient.rs offline_access online_access"), telling)

    assert [line.text for line in found if line.group == "time"] == [
        "Until I take it back, also while I am not using the app",
        "Only now",
    ]
    assert found[1].hint.endswith("also at night. At the latest it ends on 20 February 2027.")


def test_a_name_with_braces_stays_a_name() -> None:
    telling = Telling(server="{subject}", seconds=300, subject="{server} {x}")

    assert only("patient/*.rs", telling).text == "Everything in the record of {server} {x}"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(30, "30 seconds"), (60, "1 minute"), (300, "5 minutes"), (3600, "60 minutes")]
)
def test_a_length_of_time_in_words(seconds: int, expected: str) -> None:
    assert duration(seconds) == expected


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
    choices = lines(parse(SCOPE), OWN)

    assert kept(SCOPE, choices, ticked, types=R4) == expected


@pytest.mark.requirement("E31")
@pytest.mark.parametrize("ticked", [set(), {4}, {99}], ids=["nothing", "only the time", "what was not offered"])
def test_ticking_nothing_grants_nothing(ticked: set[int]) -> None:
    assert kept(SCOPE, lines(parse(SCOPE), OWN), ticked, types=R4) == ""


def test_where_there_is_nothing_to_untick_the_context_is_granted() -> None:
    assert kept("launch/patient", lines(parse("launch/patient"), OWN), {1}, types=R4) == "launch/patient"


def test_unticking_a_wildcard_takes_the_types_it_covered_with_it() -> None:
    scope = "patient/*.rs patient/Observation.rs patient/Goal.c"
    choices = lines(parse(scope), OWN)

    change = next(line.number for line in choices if line.group == "change")
    assert kept(scope, choices, {change}, types=R4) == "patient/Goal.c"


scopes = st.lists(
    st.builds(
        "patient/{}.{}".format,
        st.sampled_from(["Observation", "Patient", "BodyStructure", "*"]),
        st.sampled_from(["r", "rs", "c", "cud", "cruds", "read", "write", "*", "d"]),
    ),
    min_size=1,
    max_size=5,
    unique=True,
).map(" ".join)


@given(scope=scopes, ticked=st.sets(st.integers(1, 9)))
def test_what_is_kept_is_what_was_ticked(scope: str, ticked: set[int]) -> None:
    choices = lines(parse(scope), OWN)

    result = kept(scope, choices, ticked, types=R4)

    allowed = " ".join(name for line in choices if line.number in ticked for name in line.allows)
    assert within(result, scope)
    assert within(result, allowed)
    assert [line.group for line in choices] == sorted((line.group for line in choices), key=GROUPS.index)
    assert kept(scope, choices, {line.number for line in choices}, types=R4) == scope
