"""$everything, which gives a whole record at once; that of another patient is checked under "existence"."""

import json

from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_be_alike, must_show_only
from smartauth_probe.checks.operations.section import EACH, HIDE, KIND, OPERATIONS, OWN_DOOR, PEOPLE, SECTION
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import READER, Probe

PAGES = 5


def _of_own(probe: Probe) -> Answer:
    """What A gets. Raises Skip where there is no such operation."""
    return probe.need("$everything", probe.send("GET", f"{probe.a.path}/$everything", probe.token(READER)))


def _must_be_of(answer: Answer, kinds: set[str], what: str) -> Result:
    """Refused, or resources of these types alone."""
    others = sorted({str(each.get("resourceType")) for each in answer.entries} - kinds)
    if others:
        return failed(f"{what} shows {', '.join(others[:3])}.", ", ".join(sorted(kinds)), str(answer), Danger.RECORDS)
    return passed(f"{what}: {answer}.")


@SECTION.check(
    "FO-01",
    "everything-of-own",
    title="$everything of the token's patient shows nobody else, on no page",
    headline="$everything of the token's patient shows others",
    why=f"It follows references and gathers what they lead to. {PEOPLE}",
    fix=EACH,
    source=OPERATIONS,
)
def _(probe: Probe) -> Result:
    answer = _of_own(probe)
    results = [must_show_only(probe, answer, "$everything")]
    paged = probe.send("GET", f"{probe.a.path}/$everything", probe.token(READER), (("_count", "1"),))
    for _ in range(PAGES):
        results.append(must_show_only(probe, paged, "a page"))
        if not paged.link("next"):
            break
        paged = probe.follow(paged.link("next"), probe.token(READER))
    return worst(*results)


@SECTION.check(
    "FO-01",
    "everything-without-scope",
    title="$everything shows types of the scope only, or is refused",
    headline="$everything shows types that the scope does not open",
    why="The scope is judged for the operation, and not for what it returns. The person agreed to share one type.",
    fix=EACH,
    source=OPERATIONS,
)
def _(probe: Probe) -> Result:
    _of_own(probe)
    results = []
    for scope, kinds in (("patient/Observation.rs", {KIND}), ("patient/Patient.rs", {"Patient"})):
        answer = probe.send("GET", f"{probe.a.path}/$everything", probe.token(scope))
        results.append(_must_be_of(answer, kinds, f"$everything with {scope}"))
    return worst(*results)


@SECTION.check(
    "FO-03",
    "everything-by-type",
    title="Parameters of $everything open nothing that the scope does not open",
    headline="A parameter of $everything opens what the scope does not open",
    why="With _type or _since another search is made than without. The person agreed to share one type.",
    fix=EACH,
    source=OPERATIONS,
)
def _(probe: Probe) -> Result:
    _of_own(probe)
    token, results = probe.token("patient/Observation.rs"), []
    others = ",".join(["Patient", *(kind for kind in probe.a.records if kind != KIND)])
    for pair in (("_type", others), ("_since", "1900-01-01T00:00:00Z"), ("_count", "200"), ("start", "1900-01-01")):
        answer = probe.send("GET", f"{probe.a.path}/$everything", token, (pair,))
        results.append(_must_be_of(answer, {KIND}, f"$everything?{pair[0]}"))
    return worst(*results)


@SECTION.check(
    "FO-02",
    "everything-of-all",
    title="$everything without a patient shows the token's patient only, or is refused",
    headline="$everything without a patient shows everybody",
    why=f"Where no patient stands in the path, nothing narrows it. {PEOPLE}",
    fix=EACH,
    source=OPERATIONS,
)
def _(probe: Probe) -> Result:
    _of_own(probe)
    token, parameter = probe.token(READER), {"name": "_id", "valueId": probe.b.id}
    body = json.dumps({"resourceType": "Parameters", "parameter": [parameter]})
    typed = (("Content-Type", probe.facts.accept),)
    answers = {
        "Patient/$everything": probe.send("GET", "Patient/$everything", token),
        "$everything?_id": probe.send("GET", "Patient/$everything", token, (("_id", probe.b.id),)),
        "POST Patient/$everything": probe.send("POST", "Patient/$everything", token, headers=typed, body=body),
        "$everything?patient": probe.send("GET", f"{probe.a.path}/$everything", token, (("patient", probe.b.id),)),
    }
    return worst(*(must_show_only(probe, answer, what) for what, answer in answers.items()))


@SECTION.check(
    "HI-01",
    "everything-by-post",
    title="$everything of another patient by POST is answered like one who never existed",
    headline="$everything of another patient by POST is answered, or told apart",
    why=f"GET and POST of an operation are two routes. {PEOPLE}",
    fix="Judge the patient of an operation like one that is read, whatever the method.",
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    _of_own(probe)
    token, body = probe.token(READER), json.dumps({"resourceType": "Parameters"})
    typed, keys = (("Content-Type", probe.facts.accept),), (probe.b.id, probe.unknown_id)
    paths = (f"Patient/{key}/$everything" for key in keys)
    other, unknown = (probe.send("POST", path, token, headers=typed, body=body) for path in paths)
    return worst(must_show_only(probe, other, "$everything"), must_be_alike(other, unknown, "$everything of B"))


@SECTION.check(
    "FO-02",
    "everything-of-encounter",
    title="$everything of another patient's encounter is answered like one that never existed",
    headline="$everything of another patient's encounter is answered, or told apart",
    why=f"{OWN_DOOR} {PEOPLE}",
    fix=EACH,
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token, own, record = probe.token(READER), probe.a.first("Encounter"), probe.b.first("Encounter")
    if not probe.send("GET", f"{own.path}/$everything", token).is_ok and not probe.client.is_dry:
        raise Skip("There is no $everything of an Encounter.")
    paths = (record.path, f"Encounter/{probe.unknown_id}")
    other, unknown = (probe.send("GET", f"{path}/$everything", token) for path in paths)
    return worst(must_show_only(probe, other, "$everything"), must_be_alike(other, unknown, "the encounter of B"))
