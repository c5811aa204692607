"""The catalogue is what the specification says, and complete enough to be read by tools."""

import json
import re

import pytest

from smartauth_probe.catalogue import groups, kinds
from smartauth_probe.kinds import Fools, Kind
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

PAGE = (ROOT / "docs/specification/bad-tokens.md").read_text(encoding="utf-8")
ROW = re.compile(r'^\| <a id="xt-\d+"></a>\[(XT-\d+)\]\([^)]*\) \| (.*) \|$', re.M)
PAGES = {"AL": "SMART App Launch", "SC": "SMART scopes", "BS:enforce": "SMART Backend Services"}
LONGEST = 24  # words of a sentence
LONGEST_TEXT, WIDEST_CODE = 40, 88  # words of a remedy, characters of its code


def rows() -> dict[str, list[str]]:
    """The cells of each line of the specification, by its id."""
    return {identifier: cells.split(" | ") for identifier, cells in ROW.findall(PAGE)}


def named(kind: Kind) -> str:
    return kind.name


def written_out(sources: str) -> str:
    """The sources of a row without links, RFCs and pages of SMART by their names."""
    plain = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", sources)
    return ", ".join(f"RFC {part}" if part[:4].isdigit() else PAGES.get(part, part) for part in plain.split(", "))


def test_every_line_has_its_kinds_and_every_kind_its_line() -> None:
    of_line: dict[str, set[str]] = {}
    for kind in kinds().values():
        of_line.setdefault(kind.id, set()).add(kind.name)

    assert {identifier: set(cells[0].split(", ")) for identifier, cells in rows().items()} == of_line
    assert len(of_line) == 71


@pytest.mark.parametrize("kind", [kind for kind in kinds().values() if not kind.is_good], ids=named)
def test_a_kind_fools_is_answered_and_founded_as_its_line_says(kind: Kind) -> None:
    _, _, fools, answer, source = rows()[kind.id]

    assert (kind.fools, kind.answer.text, kind.source) == (fools, answer, written_out(source))


def test_the_good_twins_are_let_in_and_fool_nobody() -> None:
    good = [kind for kind in kinds().values() if kind.is_good]

    assert {kind.id for kind in good} == {"XT-991", "XT-992", "XT-993", "XT-994", "XT-995"}
    assert {(kind.fools, kind.answer.text, *kind.answer.statuses) for kind in good} == {(Fools.NONE, "200", 200)}
    assert groups()[-1].kinds == tuple(good)


@pytest.mark.parametrize("kind", kinds().values(), ids=named)
def test_a_kind_is_said_in_a_short_sentence(kind: Kind) -> None:
    assert kind.wrong.endswith(".")
    assert len(kind.wrong.split()) <= LONGEST


@pytest.mark.parametrize("kind", kinds().values(), ids=named)
def test_no_bad_token_may_be_let_in_and_no_answer_is_a_failure_of_the_server(kind: Kind) -> None:
    statuses = kind.answer.statuses

    assert statuses <= ({200} if kind.is_good else {400, 401, 403, 404, 431, 503})
    assert set(kind.answer.errors) <= statuses


def test_a_hidden_record_is_answered_like_an_id_that_never_existed() -> None:
    hidden = kinds()["patient-other"].answer

    assert hidden.is_met_by(404)
    assert hidden.is_met_by(410, of_unknown_id=410)
    assert not hidden.is_met_by(410)
    assert not kinds()["expired"].answer.is_met_by(404)


def test_only_a_search_by_post_may_be_a_request_that_a_server_does_not_take() -> None:
    found = {kind.name: kind.not_applicable for kind in kinds().values() if kind.not_applicable}

    assert found == {"in-body": {404, 405, 501}}
    assert kinds()["in-body"].as_json()["answer"]["not_applicable"] == [404, 405, 501]


def test_a_kind_can_be_told_as_json() -> None:
    assert kinds()["aud-longer"].as_json() == {
        "id": "XT-922",
        "kind": "aud-longer",
        "group": "Audience",
        "wrong": "`aud` only begins like the base: `{base}-other`.",
        "policy": "",
        "fools": ["jwt", "introspection"],
        "answer": {"statuses": [401], "errors": {"401": "invalid_token"}, "as_unknown_id": False, "not_applicable": []},
        "why": kinds()["aud-shorter"].remedy.why,
        "fix": kinds()["aud-shorter"].remedy.fix,
        "code": {
            "wrong": 'if claims["aud"].startswith(BASE):',
            "right": "if BASE in audiences(claims):   # a text or a list, compared whole",
        },
    }


def test_every_line_has_its_own_remedy_and_no_other_line_one() -> None:
    remedies = {kind.id: kind.remedy for kind in kinds().values()}

    assert set(remedies) == set(rows())
    assert len({remedy.why for remedy in remedies.values()}) == len(remedies)
    assert set(json.loads((ROOT / "smartauth_probe/remedies.json").read_text(encoding="utf-8"))) == set(rows())


@pytest.mark.parametrize("kind", kinds().values(), ids=named)
def test_a_remedy_is_two_short_texts_and_two_lines_of_code(kind: Kind) -> None:
    remedy = kind.remedy

    for text in (remedy.why, remedy.fix):
        assert text.endswith(".")
        assert text.count("`") % 2 == 0
        assert len(text.split()) <= LONGEST_TEXT
    for line in (remedy.wrong, remedy.right):
        assert 0 < len(line) <= WIDEST_CODE
        assert "\n" not in line
    assert remedy.wrong != remedy.right
