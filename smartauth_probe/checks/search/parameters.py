"""Other ways to search, and parameters that change what is found or shown."""

from collections.abc import Callable

from smartauth_probe.checks.check import Check, Danger, Result, failed, passed, policy, worst
from smartauth_probe.checks.judging import must_show_only
from smartauth_probe.checks.search.section import KIND, NARROW, SEARCH, SECTION, Pairs
from smartauth_probe.skip import Skip
from smartauth_probe.target.probe import Probe


@SECTION.check(
    "SR-01",
    "posted-search",
    title="A search by POST is judged like one by GET",
    headline="A search by POST passes by the filter",
    why="POST has a route of its own, and the filter is on the other one. Records of others come out there.",
    fix="Put parameters of URL and body together, and search by one function.",
    source=SEARCH,
)
def _(probe: Probe) -> Result:
    token, b = probe.token(), ("patient", probe.b.id)
    probe.need_interaction(KIND, "search-type")
    answers = [
        probe.post_search(KIND, token),
        probe.post_search(KIND, token, b),
        probe.post_search(KIND, token, ("patient", probe.a.id), query=(b,)),
        probe.post_search(KIND, token, b, query=(("patient", probe.a.id),)),
        probe.post_search("Patient", token),
    ]
    return worst(*(must_show_only(probe, answer, "POST _search") for answer in answers))


@SECTION.check(
    "SR-02",
    "whole-system",
    title="A search over all types finds the token's patient only",
    headline="A search over all types finds everybody",
    why="A search over all types has a route of its own. A filter that was written for each type is not on it.",
    fix=NARROW,
    source=SEARCH,
)
def _(probe: Probe) -> Result:
    token, types = probe.token(), (("_type", f"Patient,{KIND}"),)
    answers = [
        probe.send("GET", "", token, types),
        probe.send("GET", "", token),
        probe.post_search("", token, *types),
        probe.send("GET", "", token, (("_lastUpdated", "gt1900-01-01"),)),
    ]
    return worst(*(must_show_only(probe, answer, "all types") for answer in answers))


MISLEADING: dict[str, tuple[str, Pairs]] = {
    "unknown-parameter": ("SR-12", (("pateint", "x"),)),
    "filter": ("SR-11", (("_filter", "status eq final"),)),
    "query": ("SR-11", (("_query", "everything"),)),
    "content": ("SR-11", (("_content", "a"),)),
    "text": ("SR-11", (("_text", "a"),)),
    "list": ("SR-11", (("_list", "$current-problems"),)),
    "elements": ("SR-17", (("_elements", "id"),)),
    "elements-status": ("SR-17", (("_elements", "status,code"),)),
    "summary-true": ("SR-17", (("_summary", "true"),)),
    "summary-text": ("SR-17", (("_summary", "text"),)),
    "contained": ("SR-16", (("_contained", "both"), ("_containedType", "contained"))),
    "last-updated": ("SR-18", (("_lastUpdated", "gt1900-01-01"),)),
    "tag": ("SR-18", (("_tag:not", "x"),)),
    "security": ("SR-18", (("_security:not", "x"),)),
    "sort": ("SR-10", (("_sort", "-_lastUpdated"), ("_count", "100"))),
}


def _misled(pairs: Pairs) -> Callable[[Probe], Result]:
    """Ids are compared, since a summary may leave out the patient that a resource is about."""

    def run(probe: Probe) -> Result:
        probe.need_interaction(KIND, "search-type")
        answer = probe.search(KIND, probe.token(), *pairs)
        theirs = {record.path for record in probe.b.records.get(KIND, ())}
        if found := sorted(theirs & set(answer.names)):
            return failed("It finds records of B.", "records of A alone", ", ".join(found[:3]))
        return must_show_only(probe, answer, "the search")

    return run


for _name, (_id, _pairs) in MISLEADING.items():
    SECTION.checks.append(
        Check(
            id=_id,
            name=f"search-{_name}",
            section=SECTION.key,
            title=f"{'&'.join('='.join(each) for each in _pairs)} finds the token's patient only",
            headline=f"{'&'.join('='.join(each) for each in _pairs)} finds records of others",
            why="A parameter that changes what is found or shown must not change who may see it. Others did not agree.",
            fix=NARROW,
            source=SEARCH,
            run=_misled(_pairs),
        )
    )


@SECTION.check(
    "SR-21",
    "outcome-names-nobody",
    title="An OperationOutcome in a Bundle names no hidden record",
    headline="An OperationOutcome names a hidden record",
    why="A warning about what was left out names it. An id of another patient's record is told by that.",
    fix="Say nothing about what was filtered, not even how much it was.",
    source=SEARCH,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    record = probe.b.any()
    answer = probe.search(record.type, probe.token(), ("_count", "50"))
    if record.id.encode() in answer.content:
        return failed("The id of B's record stands in the answer.", "no id of B", record.path)
    return passed()


@SECTION.check(
    "SR-19",
    "all-types-by-wildcard",
    title="patient/*.rs opens every type that A has records of",
    headline="patient/*.rs does not open every type",
    why="A star is for all types, also for one that is added later. People's app misses a part of their record.",
    fix="Take * for every type of the compartment.",
    source="SMART App Launch 2.2, scopes",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    kinds = list(probe.a.records)
    if not kinds:
        raise Skip("A has no record that was found.", "records for A")
    refused = [kind for kind in kinds if not probe.search(kind, probe.token()).is_ok]
    return policy(f"Not opened: {', '.join(refused)}.") if refused else passed(f"All of {len(kinds)} types.")
