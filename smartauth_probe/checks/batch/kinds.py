"""Bundles in Bundles, and Bundles that are no batch."""

from itertools import product

from smartauth_probe.checks.batch.bundles import answers_in, bundle, entry, need_batch, send
from smartauth_probe.checks.batch.section import EACH, HTTP, ONE_DOOR, SECTION
from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_lack_scope, must_show_only
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import READER, Probe

KINDS = ("document", "message", "collection", "searchset", "history")


@SECTION.check(
    "BT-06",
    "batch-in-batch",
    title="A batch in a batch opens nothing of another patient",
    headline="A batch in a batch opens records of another patient",
    why=f"{ONE_DOOR} One inside of another may have no check left. The person agreed to share their own record alone.",
    fix="Refuse a Bundle of requests as an entry of another one.",
    source=HTTP,
)
def _(probe: Probe) -> Result:
    need_batch(probe)
    inner = bundle("batch", entry("GET", probe.b.path), entry("GET", probe.b.any().type))
    urls = ("", "/", probe.client.base)
    outer = send(probe, probe.token(READER), bundle("batch", *(entry("POST", url, inner) for url in urls)))
    answers = [within for each in answers_in(outer, len(urls)) for within in (each, *_within(each))]
    return worst(*(must_show_only(probe, answer, "the inner batch") for answer in answers))


def _within(answer: Answer) -> list[Answer]:
    """What an inner batch answered."""
    return answers_in(answer, 0) if answer.is_ok else []


@SECTION.check(
    "BT-06",
    "bundle-that-is-no-batch",
    title="A Bundle of another type is not carried out",
    headline="A Bundle of another type is carried out or stored for an app that may only read",
    why="The base takes any Bundle, and looks at what is in it. An app that may only read writes, or reads of others.",
    fix="Carry out batch and transaction alone; refuse other types at the base.",
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        results = []
        for kind, person in product(KINDS, (probe.b, probe.a)):
            answer = send(probe, probe.token(READER), bundle(kind, entry("GET", person.path)))
            results.append(must_show_only(probe, answer, kind))
            if answer.is_ok:
                made.note(answer, "Bundle")
                results.append(failed(f"A {kind} is taken.", "400 or 403", str(answer), Danger.WRITES))
        return worst(*results)


@SECTION.check(
    "BT-06",
    "bundle-without-scope",
    title="A Bundle is stored for an app that may create Bundles",
    headline="A Bundle is stored for an app that may not create one",
    why="A Bundle holds whatever is put into it, and is a record of its own. The person agreed to another type.",
    fix=EACH,
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        content = bundle("collection", {"resource": {"resourceType": "Basic", "code": {"text": "probe"}}})
        answer = made.post(content, probe.token("patient/Observation.cud patient/*.rs"))
        if answer.status in (404, 405):
            return passed(f"There are no Bundles: {answer}.")
        return must_lack_scope(answer, "create of a Bundle", Danger.WRITES)
