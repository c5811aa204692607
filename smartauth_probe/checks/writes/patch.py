"""Patching records (docs/specification/resource-server.md, writes)."""

import json
from typing import Any

from smartauth_probe.checks.check import Danger, Result, passed, policy, worst
from smartauth_probe.checks.judging import must_be_alike
from smartauth_probe.checks.writes.copies import Copies, copies
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.checks.writes.section import BOTH, HIDDEN, HIDE, KIND, PEOPLE, SCOPES, SECTION
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken

JSON_PATCH = "application/json-patch+json"


def _replace(path: str, value: str) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": path, "value": value}]


def _fhir_path(path: str, value: str) -> dict[str, Any]:
    """The same as a Parameters resource (FHIR, FHIRPath Patch)."""
    parts = {"type": "replace", "path": path}
    operation = [{"name": name, "valueCode" if name == "type" else "valueString": text} for name, text in parts.items()]
    operation.append({"name": "value", "valueString": value})
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": operation}]}


def _patch(probe: Probe, path: str, token: GivenToken, content: object, media: str = JSON_PATCH) -> Answer:
    return probe.send("PATCH", path, token, headers=(("Content-Type", media),), body=json.dumps(content))


def _patchable(made: Copies) -> Record:
    """A record of A that the server patches. Raises Skip."""
    made.probe.need_interaction(KIND, "patch")
    record = made.of(made.probe.a)
    status = _replace("/status", str(record.content.get("status", "final")))
    made.probe.need(f"PATCH {KIND}", _patch(made.probe, record.path, made.owner(made.probe.a), status))
    return record


@SECTION.check(
    "WR-06",
    "patch-to-other",
    title="A patch that makes a record one of another patient is refused",
    headline="A patch makes a record one of another patient",
    why=f"A patch is judged by the record that it changes, and not by what comes out. {PEOPLE}",
    fix=BOTH,
    source=SCOPES,
    danger=Danger.WRITES,
    writes=True,
    since="STU3",
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record, token = _patchable(made), made.owner(probe.a)
        before, b = probe.read(KIND, record.id, token), probe.b.path
        answers = [
            _patch(probe, record.path, token, _replace("/subject/reference", b)),
            _patch(probe, record.path, token, [{"op": "replace", "path": "/subject", "value": {"reference": b}}]),
            _patch(probe, record.path, token, _fhir_path(f"{KIND}.subject.reference", b), probe.facts.accept),
        ]
        refused = worst(*(must_be_refused(each, "a patch of the subject") for each in answers))
        return refused if refused.is_failed else must_be_as_before(made, record, probe.a, before, "the record")


@SECTION.check(
    "WR-06",
    "patch-of-other",
    title="A patch of another patient's record does nothing, and is answered like one of an id that never existed",
    headline="A patch of another patient's record is done, or tells that it exists",
    why=f"Each method has code of its own, and the check is in some of it. {PEOPLE}",
    fix=HIDDEN,
    source=HIDE,
    danger=Danger.WRITES,
    writes=True,
    since="STU3",
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _patchable(made)
        record, token, paths = made.of(probe.b), made.owner(probe.a), ("/status", "/subject/reference")
        before = probe.read(KIND, record.id, made.owner(probe.b))
        results = []
        for path, value in zip(paths, ("amended", probe.a.path), strict=True):
            other, unknown = (
                _patch(probe, f"{KIND}/{key}", token, _replace(path, value)) for key in (record.id, probe.unknown_id)
            )
            results.append(must_be_alike(other, unknown, f"the patch of {path}"))
        kept = must_be_as_before(made, record, probe.b, before, "B's record")
        return kept if kept.is_failed else worst(*results)


def _test(value: str) -> list[dict[str, Any]]:
    """Asks whether the status is this one, and changes nothing."""
    return [{"op": "test", "path": "/status", "value": value}]


@SECTION.check(
    "WR-07",
    "patch-test-of-other",
    title="A test in a patch of another patient's record tells nothing",
    headline="A test in a patch tells what is in another patient's record",
    why="A JSON Patch may ask whether an element has a value. What others have can be tried value by value.",
    fix=HIDDEN,
    source="RFC 6902 §4.6",
    danger=Danger.CONTENT,
    writes=True,
    since="STU3",
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _patchable(made)
        record, token, results = made.of(probe.b), made.owner(probe.a), []
        for value in (str(record.content.get("status")), "entered-in-error"):
            other, unknown = (
                _patch(probe, f"{KIND}/{key}", token, _test(value)) for key in (record.id, probe.unknown_id)
            )
            results.append(must_be_alike(other, unknown, f"the test for {value}"))
        return worst(*results)


@SECTION.check(
    "WR-07",
    "patch-test-without-reading",
    title="Whether a test in a patch tells what an app may not read is known",
    headline="A test in a patch tells what an app may not read",
    why="An app that may update and not read asks with a test. The person agreed to writing only.",
    fix="Refuse the operation test where the token has no r.",
    source="RFC 6902 §4.6",
    danger=Danger.CONTENT,
    usual="Few servers refuse it.",
    writes=True,
    since="STU3",
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record = _patchable(made)
        token, own = probe.token(f"patient/{KIND}.u"), str(record.content.get("status"))
        right, wrong = (_patch(probe, record.path, token, _test(value)) for value in (own, "entered-in-error"))
        if right.status == wrong.status:
            return passed(f"{right.status} both times.")
        return policy(f"With .u alone a right value is told from a wrong one: {right.status} and {wrong.status}.")
