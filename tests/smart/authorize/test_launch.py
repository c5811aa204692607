"""What may be told in an EHR launch, and the address that opens the app."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from smart.authorize.launch import (
    InvalidContext,
    parse_context,
    parse_fhir_context,
    smart_2_0_context,
)
from smart.authorize.launch_url import launch_url, launch_url_problem
from smart.authorize.style import STYLE, style_version
from smart.fhir.versions import resource_types

R4 = resource_types("r4")
ISS = "https://auth.example.org/fhir/r4"
CONTEXT = {
    "patient": "p-204",
    "encounter": "e-7",
    "need_patient_banner": True,
    "intent": "reconcile-medications",
    "tenant": "clinic 7",
    "smart_style_url": "https://ehr.example.org/style.json?v=2",
    "fhirContext": [
        {"reference": "ImagingStudy/77"},
        {"reference": "ImagingStudy/78", "type": "ImagingStudy", "role": "launch"},
        {"canonical": "https://example.org/Questionnaire/1|2.0", "type": "Questionnaire"},
        {"identifier": {"system": "urn:x", "value": "9"}, "type": "ServiceRequest"},
        {"reference": "Patient/p-9", "role": "https://example.org/roles/donor"},
        {"reference": "Encounter/e-1", "role": "urn:example:previous"},
    ],
}
MEMBERS = ("reference", "canonical", "identifier", "type", "role", "value", "system")


def problem(**given: Any) -> str:
    with pytest.raises(InvalidContext) as caught:
        parse_context(given, types=R4)
    return str(caught.value)


@pytest.mark.requirement("LC-01", "LC-04", "LC-06")
def test_a_good_context_is_told_as_it_was_given() -> None:
    assert parse_context(CONTEXT, types=R4) == CONTEXT


def test_what_is_null_is_not_told() -> None:
    assert parse_context({"patient": "p-1", "intent": None, "fhirContext": None}, types=R4) == {"patient": "p-1"}


@pytest.mark.requirement("LC-01")
@pytest.mark.parametrize("given", ["Patient/p-204", "", "p 204", "p_204", "x" * 65, 7, True, ["p"], {"id": "p"}, "p\n"])
@pytest.mark.parametrize("member", ["patient", "encounter"])
def test_ids_are_bare(member: str, given: Any) -> None:
    told = problem(**{"patient": "p-204", member: given})

    assert told == f"{member} must be a bare FHIR id, such as p-204"


@pytest.mark.requirement("LC-03")
def test_an_encounter_needs_its_patient() -> None:
    assert problem(encounter="e-7") == "encounter needs the patient that it belongs to"


@pytest.mark.requirement("LC-04")
@pytest.mark.parametrize("given", ["true", "false", 1, 0, "", [], {}])
def test_the_banner_is_a_boolean(given: Any) -> None:
    assert problem(need_patient_banner=given) == "need_patient_banner must be true or false"


@pytest.mark.requirement("LC-05")
@pytest.mark.parametrize(
    "given", ["/style.json", "style.json", "http://ehr.example.org/s", "javascript:x", "data:,x", "h"]
)
def test_the_style_is_an_absolute_address(given: str) -> None:
    assert problem(smart_style_url=given) == "smart_style_url must be an absolute https address"


@pytest.mark.requirement("LC-05")
@pytest.mark.requirement("LC-04", "SD-20")
def test_the_address_of_a_style_has_at_most_1000_characters_and_a_host() -> None:
    longest = "https://ehr.example.org/" + "a" * 976

    for url in (longest, "http://127.0.0.1:8000/style.json"):
        assert parse_context({"smart_style_url": url}, types=R4)
    assert problem(smart_style_url=f"{longest}a") == "smart_style_url is longer than 1000 characters"
    assert problem(smart_style_url=7) == "smart_style_url must be text"
    assert problem(smart_style_url="org.example.app:/x") == "smart_style_url must be an absolute https address"


def test_a_context_has_at_most_20_items() -> None:
    item = {"reference": "ImagingStudy/77"}

    assert parse_context({"fhirContext": [item] * 20}, types=R4)
    assert problem(fhirContext=[item] * 21) == "fhirContext has more than 20 items"
    assert problem(fhirContext=item) == "fhirContext must be a list of objects"


def test_an_unknown_member_is_named_by_its_begin_in_harmless_characters() -> None:
    assert problem(**{"\ud800" * 41: 1}) == f"{'?' * 40} is not known here"


def test_the_style_has_the_members_of_smart_and_its_content_its_own_name() -> None:
    assert sorted(STYLE) == [
        "color_background", "color_error", "color_highlight", "color_modal_backdrop", "color_success", "color_text",
        "dim_border_radius", "dim_font_size", "dim_spacing_size", "font_family_body", "font_family_heading",
    ]  # fmt: skip
    assert style_version({**STYLE, "color_text": "#000000"}) != style_version(STYLE)


@pytest.mark.requirement("LC-06")
@pytest.mark.parametrize("member", ["intent", "tenant"])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "must be text"),
        (7, "must be text"),
        ("x" * 201, "is longer than 200 characters"),
        ("a\nb", "has a control character"),
        ("a\0b", "has a control character"),
        ("\ud800", "has a control character"),
        ("in\u202etent", "has a control character"),
        ("in\u2028tent", "has a control character"),
    ],
)
def test_intent_and_tenant_are_short_texts(member: str, given: Any, told: str) -> None:
    assert problem(**{member: given}) == f"{member} {told}"


@pytest.mark.requirement("LC-07", "LC-08")
@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({}, "fhirContext[0] needs one of reference, canonical, identifier"),
        ({"type": "ImagingStudy"}, "fhirContext[0] needs one of reference, canonical, identifier"),
        ("ImagingStudy/77", "fhirContext[0] must be an object, such as {'reference': 'ImagingStudy/77'}"),
        ({"reference": ""}, "fhirContext[0].reference must be a relative reference, such as ImagingStudy/77"),
        ({"reference": f"{ISS}/X/1"}, "fhirContext[0].reference must be a relative reference, such as ImagingStudy/77"),
        ({"reference": "/X/1"}, "fhirContext[0].reference must be a relative reference, such as ImagingStudy/77"),
        ({"reference": None}, "fhirContext[0].reference must be a relative reference, such as ImagingStudy/77"),
        ({"reference": "Nothing/1"}, "fhirContext[0] names the type Nothing, which this FHIR version does not know"),
        ({"canonical": "Questionnaire/1"}, "fhirContext[0].canonical must be an absolute URI"),
        ({"identifier": {}}, "fhirContext[0].identifier must be a FHIR Identifier with a value"),
        ({"identifier": "9"}, "fhirContext[0].identifier must be a FHIR Identifier with a value"),
        ({"reference": "ImagingStudy/7", "role": ""}, "fhirContext[0].role must be text"),
        ({"reference": "ImagingStudy/7", "role": "donor"}, "fhirContext[0].role must be an absolute URI"),
        ({"reference": "ImagingStudy/7", "type": "Device"}, "fhirContext[0].type is not the type of the reference"),
        ({"reference": "ImagingStudy/7", "display": "x"}, "fhirContext[0].display is not known here"),
    ],
)
def test_the_path_of_a_bad_item_is_named(item: Any, told: str) -> None:
    assert problem(fhirContext=[item]) == told


@pytest.mark.requirement("LC-08")
@pytest.mark.parametrize("kind", ["Patient", "Encounter"])
@pytest.mark.parametrize("role", [{}, {"role": "launch"}])
@pytest.mark.parametrize("named", ["reference", "versioned", "identifier", "canonical"])
def test_patient_and_encounter_of_the_launch_have_their_place_at_the_top(
    kind: str, role: dict[str, str], named: str
) -> None:
    items_of_the_launch: dict[str, dict[str, Any]] = {
        "reference": {"reference": f"{kind}/x"},
        "versioned": {"reference": f"{kind}/x/_history/2"},
        "identifier": {"identifier": {"value": "x"}, "type": kind},
        "canonical": {"canonical": "https://example.org/x", "type": kind},
    }
    item = items_of_the_launch[named]

    told = problem(fhirContext=[{"reference": "ImagingStudy/1"}, {**item, **role}])

    assert told == f"fhirContext[1] is the {kind} of the launch: that is said by {kind.lower()}, or needs another role"


@pytest.mark.requirement("LC-08")
def test_a_type_and_a_role_may_come_twice() -> None:
    twice = [{"reference": "ImagingStudy/1", "role": "urn:x:y"}] * 2

    assert parse_context({"fhirContext": twice}, types=R4) == {"fhirContext": twice}


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize(
    ("identifier", "told"),
    [
        pytest.param({"value": "\0"}, "has a control character", id="NUL"),
        pytest.param({"value": "9", "\ud800": 1}, "has a control character", id="half a character as a name"),
        pytest.param({"value": "9", "x": float("inf")}, "has a number that JSON cannot write", id="infinity"),
        pytest.param({"value": "9", "x": [[[1]]]}, None, id="as deep as may be"),
        pytest.param({"value": "9", "x": [[[[1]]]]}, "is nested too deeply", id="deep"),
        pytest.param({"value": "9", "x": 1.5}, None, id="a number"),
    ],
)
def test_an_identifier_is_what_every_json_can_say(identifier: Any, told: str | None) -> None:
    context = {"fhirContext": [{"identifier": identifier}]}

    if told is None:
        assert parse_context(context, types=R4) == context
    else:
        assert problem(**context) == f"fhirContext[0].identifier {told}"


@pytest.mark.requirement("SD-20")
def test_a_canonical_has_at_most_1000_characters() -> None:
    longest = "https://example.org/" + "a" * 980

    assert parse_context({"fhirContext": [{"canonical": longest}]}, types=R4)
    assert problem(fhirContext=[{"canonical": f"{longest}a"}]) == (
        "fhirContext[0].canonical is longer than 1000 characters"
    )
    assert problem(fhirContext=[{"canonical": f"{longest[:-1]}|1"}]) == (
        "fhirContext[0].canonical is longer than 1000 characters"
    )


@pytest.mark.requirement("SD-20")
def test_a_role_has_at_most_1000_characters() -> None:
    item = {"reference": "ImagingStudy/77", "role": "https://example.org/" + "a" * 980}

    assert parse_context({"fhirContext": [item]}, types=R4)
    assert problem(fhirContext=[{**item, "role": f"{item['role']}a"}]) == (
        "fhirContext[0].role is longer than 1000 characters"
    )


@pytest.mark.requirement("SD-20")
def test_a_context_that_no_token_can_carry_is_refused() -> None:
    long = [{"identifier": {"value": "x" * 900}}] * 5

    assert problem(fhirContext=long) == "the context is longer than 4096 bytes"


@pytest.mark.requirement("SD-20")
def test_the_longest_context_rides_in_every_token() -> None:
    items = [{"identifier": {"value": "x" * 1000}} for _ in range(3)]
    spare = 4096 - len(json.dumps({"fhirContext": [*items, {"identifier": {"value": ""}}]}))

    assert parse_context({"fhirContext": [*items, {"identifier": {"value": "x" * spare}}]}, types=R4)
    assert "longer" in problem(fhirContext=[*items, {"identifier": {"value": "x" * (spare + 1)}}])
    assert problem(fhirContext=[{"reference": "Device/1"}] * 21) == "fhirContext has more than 20 items"


@pytest.mark.parametrize("member", ["access_token", "scope", "aud", "", "__own", "\ud800" * 50])
def test_nothing_else_is_told(member: str) -> None:
    told = problem(**{member: "x"})

    assert told.endswith("is not known here")
    assert told.encode()


@pytest.mark.requirement("LC-07")
@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "NaN", "[1,]"])
def test_what_somebody_wrote_by_hand_must_be_json(text: str) -> None:
    with pytest.raises(InvalidContext, match="fhirContext is not JSON"):
        parse_fhir_context(text)


@pytest.mark.requirement("LC-07")
def test_an_app_of_smart_2_0_reads_references() -> None:
    told = smart_2_0_context(parse_context(CONTEXT, types=R4))

    assert told["fhirContext"] == ["ImagingStudy/77", "ImagingStudy/78"]
    assert {**told, "fhirContext": ...} == {**CONTEXT, "fhirContext": ...}
    assert smart_2_0_context({"fhirContext": CONTEXT["fhirContext"][2:]}) == {}  # type: ignore[index]
    assert smart_2_0_context({"patient": "p"}) == {"patient": "p"}


@pytest.mark.requirement("EL-01")
@pytest.mark.parametrize(
    ("registered", "expected"),
    [
        ("https://app.example/l", "https://app.example/l?iss={iss}&launch=h-1"),
        ("https://app.example/l?a=b%20c&d=", "https://app.example/l?a=b%20c&d=&iss={iss}&launch=h-1"),
        ("https://app.example/l?", "https://app.example/l?iss={iss}&launch=h-1"),
    ],
)
def test_the_launch_url_keeps_its_query_and_encodes_the_base(registered: str, expected: str) -> None:
    opened = launch_url(registered, ISS, "h-1")

    assert opened == expected.format(iss="https%3A%2F%2Fauth.example.org%2Ffhir%2Fr4")
    assert parse_qs(urlsplit(opened).query)["iss"] == [ISS]


@pytest.mark.requirement("EL-04", "EL-01")
@pytest.mark.parametrize(
    ("url", "dev", "fits"),
    [
        ("https://app.example/l", False, True),
        ("https://app.example/l?tab=1", False, True),
        ("http://127.0.0.1:8000/demo/launch", True, True),
        ("http://127.0.0.1:8000/demo/launch", False, False),
        ("http://app.example/l", True, False),
        ("https://app.example/l#top", True, False),
        ("https://app.example/l?launch=1", True, False),
        ("https://app.example/l?iss=", True, False),
        ("javascript:alert(1)", True, False),
        ("com.example.app:/l", True, False),
        ("/l", True, False),
        ("https://user@app.example/l", True, False),
    ],
)
def test_only_a_web_address_can_be_opened(url: str, dev: bool, fits: bool) -> None:
    assert (launch_url_problem(url, dev=dev) is None) is fits


def test_a_checked_context_is_json_that_everybody_reads() -> None:
    assert json.loads(json.dumps(parse_context(CONTEXT, types=R4))) == CONTEXT


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*MEMBERS, "x"]), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.requirement("SD-20", "LC-07")
@given_any(context=st.dictionaries(st.sampled_from([*CONTEXT, "other"]), anything))
def test_whatever_is_given_is_told_as_json_or_refused_by_name(context: dict[str, Any]) -> None:
    said = ""
    try:
        told = parse_context(context, types=R4)
    except InvalidContext as refusal:
        told, said = {}, str(refusal)

    assert said.isprintable()
    assert json.loads(json.dumps(told, allow_nan=False).encode()) == told


@pytest.mark.requirement("LC-05")
def test_a_style_has_one_name_in_whatever_order_it_is_written() -> None:
    assert style_version({"a": "1", "b": "2"}) == style_version({"b": "2", "a": "1"}) != style_version({"a": "1"})
