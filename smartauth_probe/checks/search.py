"""What a search may tell: counts, chains, includes, sorting, pages (docs/specification/resource-server.md, search)."""

from collections.abc import Callable, Iterator
from typing import Any

from smartauth_probe.checks.check import Check, Danger, Result, Section, Skip, failed, passed, policy, worst
from smartauth_probe.checks.judging import must_count_alike, must_lack_scope, must_show_only
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.fixture import PARAMETERS
from smartauth_probe.target.probe import NO_TOKEN, READER, Probe

SECTION = Section("search", "Search paths", "Chains, includes, counts, paging")
KIND = "Observation"
SEARCH = "SMART App Launch 2.2, FHIR search"
NARROW = (
    "Add the patient of the token to the search itself, before it is matched and counted, and filter nothing after."
)
CLOSE = "Refuse chains and _has, or evaluate them over what the token may see alone."
EACH = "Judge each included resource by itself: type, letter, patient."
NUMBER = "No record of another patient comes out, but a number does. With a code beside it, it tells what they have."
Pairs = tuple[tuple[str, str], ...]

# Counts ---------------------------------------------------------------------------------------------------------------

COUNTS: dict[str, Pairs] = {
    "summary": (("_summary", "count"),),
    "count-0": (("_count", "0"),),
    "total-accurate": (("_total", "accurate"),),
    "total-estimate": (("_total", "estimate"),),
    "page": (("_count", "1"),),
}
TOGETHER: dict[str, Callable[[str, str], Pairs]] = {
    "patient": lambda a, other: (("patient", f"{a},{other}"),),
    "subject": lambda a, other: (("subject", f"Patient/{a},Patient/{other}"),),
    "subject-typed": lambda a, other: (("subject:Patient", f"{a},{other}"),),
}


def _counted(way: str, how: str) -> Callable[[Probe], Result]:
    """A and B, A and an id that never existed, A alone: the same number."""

    def run(probe: Probe) -> Result:
        token, results = probe.token(), []
        for kind in [kind for kind in probe.b.records if kind not in PARAMETERS][:2] or [KIND]:
            pairs = TOGETHER[way]
            both, none = (
                probe.search(kind, token, *pairs(probe.a.id, other), *COUNTS[how])
                for other in (probe.b.id, probe.unknown_id)
            )
            results.append(must_count_alike(both, none, f"{kind} of A and B, {how}"))
        return worst(*results)

    return run


def _count_checks() -> Iterator[Check]:
    for way in TOGETHER:
        for how in COUNTS:
            yield Check(
                id="SR-22",
                name=f"count-by-{way}-{how}",
                section=SECTION.key,
                title=f"A count ({how}) for A and another patient together is the one for A alone, asked by {way}",
                headline=f"A count ({how}) gives away another patient's records",
                why=NUMBER,
                fix=NARROW,
                source=SEARCH,
                run=_counted(way, how),
                danger=Danger.CONTENT,
            )


SECTION.checks.extend(_count_checks())


@SECTION.check(
    "SR-22",
    "count-of-patients",
    title="A count of two patients by their ids is the one of the token's patient",
    headline="A count of patients tells that another one exists",
    why=NUMBER,
    fix=NARROW,
    source=SEARCH,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(), []
    for how, pairs in COUNTS.items():
        both, none = (
            probe.search("Patient", token, ("_id", f"{probe.a.id},{other}"), *pairs)
            for other in (probe.b.id, probe.unknown_id)
        )
        results.append(must_count_alike(both, none, f"Patient by two ids, {how}"))
    return worst(*results)


@SECTION.check(
    "SR-13",
    "count-is-of-the-patient",
    title="The total of a search without a patient is the one of the token's patient",
    headline="The total of a search counts everybody's records",
    why=NUMBER,
    fix=NARROW,
    source=SEARCH,
    danger=Danger.CONTENT,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(), []
    for kind in ("Patient", *probe.a.records):
        own = (("_id", probe.a.id),) if kind == "Patient" else ((PARAMETERS.get(kind, "patient"), probe.a.id),)
        everything, mine = (probe.search(kind, token, *pairs, *COUNTS["summary"]) for pairs in ((), own))
        results.append(must_count_alike(everything, mine, f"{kind} without a patient"))
    return worst(*results)


@SECTION.check(
    "SR-24",
    "count-of-history",
    title="The total of a history counts what the token may see",
    headline="The total of a history counts everybody's records",
    why=NUMBER,
    fix="Filter the versions first, and count what is left.",
    source="FHIR http, history",
    danger=Danger.CONTENT,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(), []
    for path in (f"{KIND}/_history", "_history"):
        whole = probe.send("GET", path, token, (("_count", "1000"),))
        probe.need(path, whole)
        one = probe.send("GET", path, token, (("_count", "1"),))
        shown = len(whole.entries)
        if one.total is not None and not whole.link("next") and one.total > shown:
            results.append(failed(f"{path} counts more than it shows.", f"{shown}", f"{one.total}"))
    return worst(*results) if results else passed()


# Chains ---------------------------------------------------------------------------------------------------------------


def _code_of_b(probe: Probe) -> str:
    """A code that B's records have and A's have not. Raises Skip."""
    own = {code for record in probe.a.records.get(KIND, ()) for code in _codes(record.content)}
    for record in probe.b.records.get(KIND, ()):
        for code in _codes(record.content):
            if code not in own:
                return probe.hide(code, "a code of B alone")
    raise Skip("B has no Observation with a code that A has not.", "such a record for B")


def _codes(resource: Json) -> Iterator[str]:
    concept = resource.get("code")
    for each in concept.get("coding", ()) if isinstance(concept, dict) else ():
        if isinstance(each, dict) and isinstance(each.get("code"), str):
            yield each["code"]


CHAINS: dict[str, tuple[str, str]] = {
    "has": ("Patient", "_has:Observation:patient:code"),
    "has-by-subject": ("Patient", "_has:Observation:subject:code"),
    "chained-has": ("Encounter", "patient._has:Observation:patient:code"),
}


def _chained(name: str) -> Callable[[Probe], Result]:
    """What B alone has, and what nobody has: no difference, with the scope for both types and with one of them."""

    def run(probe: Probe) -> Result:
        kind, parameter = CHAINS[name]
        code, results = _code_of_b(probe), []
        both = f"{probe.a.id},{probe.b.id}"
        more = (("_id", both),) if kind == "Patient" else (("patient", both),)
        for scope in (READER, f"patient/{kind}.rs"):
            token = probe.token(scope)
            known, unknown = (
                probe.search(kind, token, *more, (parameter, value), *COUNTS["summary"])
                for value in (code, "nobody-has-this")
            )
            results += [_no_oracle(known, unknown, parameter), must_show_only(probe, known, parameter)]
        return worst(*results)

    return run


def _no_oracle(known: Answer, unknown: Answer, what: str) -> Result:
    if known.status != unknown.status:
        both = f"{known.status} and {unknown.status}"
        return failed(f"{what} tells what others have.", "the same twice", both, Danger.CONTENT)
    return must_count_alike(known, unknown, what)


def _chain_checks() -> Iterator[Check]:
    for name in CHAINS:
        yield Check(
            id="SR-23",
            name=f"chain-{name}",
            section=SECTION.key,
            title=f"{CHAINS[name][1]} answers for B's records as for records that nobody has",
            headline=f"{CHAINS[name][1]} tells what another patient has",
            why="A question through another type passes by the filter. Yes and no tell what somebody has.",
            fix=CLOSE,
            source=SEARCH,
            run=_chained(name),
            danger=Danger.CONTENT,
        )


SECTION.checks.extend(_chain_checks())


def _named_otherwise(parameter: str, values: Callable[[Probe], str]) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        token = probe.token()
        known, unknown = (
            probe.search(KIND, token, (parameter, value), *COUNTS["summary"])
            for value in (values(probe), "nobody-7f3k29qd")
        )
        shown = probe.search(KIND, token, (parameter, values(probe)))
        return worst(_no_oracle(known, unknown, parameter), must_show_only(probe, shown, parameter))

    return run


def _family_of_b(probe: Probe) -> str:
    answer = probe.read("Patient", probe.b.id, probe.token(READER, probe.b.id))
    names: Any = answer.resource.get("name")
    for each in names if isinstance(names, list) else ():
        if isinstance(each, dict) and isinstance(each.get("family"), str):
            return probe.hide(each["family"], "the family name of B")
    raise Skip("Patient B has no family name that was found.", "a name for B")


for _name, _parameter, _value in (
    ("chain-by-name", "subject.name", _family_of_b),
    ("chain-by-typed-name", "subject:Patient.name", _family_of_b),
    ("chain-by-identifier", "patient.identifier", lambda probe: probe.identifier_of_b),
):
    SECTION.checks.append(
        Check(
            id="SR-08",
            name=_name,
            section=SECTION.key,
            title=f"A search by {_parameter} of another patient is one for nobody",
            headline=f"A search by {_parameter} tells about another patient",
            why="A name or number of somebody else goes into the search. The answer tells whether they are known here.",
            fix=CLOSE,
            source=SEARCH,
            run=_named_otherwise(_parameter, _value),
            danger=Danger.CONTENT,
        )
    )


@SECTION.check(
    "SR-09",
    "chain-without-scope",
    title="A chain through a type without a scope is not evaluated",
    headline="A chain reads a type that the token has no scope for",
    why="The token may see measurements, and a chain asks about the patient. What nobody shared decides the answer.",
    fix=CLOSE,
    source=SEARCH,
    danger=Danger.CONTENT,
)
def _(probe: Probe) -> Result:
    probe.a.first(KIND)
    token = probe.token(f"patient/{KIND}.rs")
    own, none = (
        probe.search(KIND, token, ("patient._id", key), *COUNTS["summary"]) for key in (probe.a.id, probe.unknown_id)
    )
    wide = probe.search(KIND, probe.token(), ("patient._id", probe.a.id), *COUNTS["summary"])
    if not wide.is_ok or not wide.total:
        return passed(f"Chains are not evaluated: {wide}.")
    return _no_oracle(own, none, "patient._id without a scope for Patient")


# Includes -------------------------------------------------------------------------------------------------------------

INCLUDES = (
    ("include-subject", KIND, "_include", "Observation:subject"),
    ("include-patient", KIND, "_include", "Observation:patient"),
    ("include-everything", KIND, "_include", "*"),
    ("include-iterate", KIND, "_include:iterate", "*"),
    ("include-encounter", KIND, "_include", "Observation:encounter"),
    ("include-result", "DiagnosticReport", "_include", "DiagnosticReport:result"),
)
REVERSED = (
    ("revinclude-observation", "Patient", "_revinclude", "Observation:subject"),
    ("revinclude-patient", "Patient", "_revinclude", "Observation:patient"),
    ("revinclude-condition", "Patient", "_revinclude", "Condition:patient"),
    ("revinclude-everything", "Patient", "_revinclude", "*"),
)


def _included(kind: str, parameter: str, value: str) -> Callable[[Probe], Result]:
    """With a scope for one type alone nothing of another type comes along."""

    def run(probe: Probe) -> Result:
        if kind != "Patient":
            probe.a.first(kind)
        answer = probe.search(kind, probe.token(f"patient/{kind}.rs"), (parameter, value))
        other = [name for name in answer.names if name.partition("/")[0] != kind]
        if other:
            seen = f"{parameter}={value} brings types without a scope."
            return failed(seen, f"{kind} alone", ", ".join(other[:3]), Danger.RECORDS)
        return must_show_only(probe, answer, f"{parameter}={value}")

    return run


for _name, _kind, _parameter, _include in (*INCLUDES, *REVERSED):
    SECTION.checks.append(
        Check(
            id="SR-04" if (_name, _kind) == ("include-subject", KIND) else "SR-06" if "rev" in _name else "SR-05",
            name=_name,
            section=SECTION.key,
            title=f"{_parameter}={_include} brings nothing that the token has no scope for",
            headline=f"{_parameter}={_include} brings records that the token has no scope for",
            why="The app asks for what belongs to a record, and gets more than it may read. Nobody agreed to that.",
            fix=EACH,
            source=SEARCH,
            run=_included(_kind, _parameter, _include),
        )
    )


@SECTION.check(
    "SR-07",
    "include-from-list",
    title="A list of A that names B's records does not bring them",
    headline="A list of A brings B's records",
    why="A list, an appointment or a group may name records of others. They come along with it.",
    fix=EACH,
    source=SEARCH,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    asked = (("List", "List:item"), ("Appointment", "Appointment:actor"), ("Group", "Group:member"))
    answers = [(kind, probe.search(kind, token, ("_include", value))) for kind, value in asked]
    if not any(answer.is_ok and answer.entries for _, answer in answers):
        raise Skip("There is no List, Appointment or Group of A.", "a List of A that names a record of B")
    return worst(*(must_show_only(probe, answer, kind) for kind, answer in answers))


# Other ways -----------------------------------------------------------------------------------------------------------


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


def _next_page(probe: Probe) -> str:
    """The link to the second page. Raises Skip."""
    for kind in probe.a.records:
        if link := probe.search(kind, probe.token(), ("_count", "1")).link("next"):
            return link
    raise Skip("No search of A has a second page.", "two records of one type for A")


@SECTION.check(
    "SR-14",
    "page-of-another-token",
    title="A page opens nothing for another token",
    headline="The link to a page opens it for anybody",
    why="The link is a key where the page is not judged again. It stands in logs, and opens the record of the patient.",
    fix="Judge the token at every page, and bind what is kept between pages to client, user and patient.",
    source=SEARCH,
)
def _(probe: Probe) -> Result:
    link = _next_page(probe)
    without = probe.follow(link, NO_TOKEN)
    if without.holds_data:
        return failed("It needs no token.", "401", str(without))
    other = must_show_only(probe, probe.follow(link, probe.token(READER, probe.b.id)), "the page", probe.b.id)
    scope = probe.follow(link, probe.token("patient/Basic.rs"))
    return worst(other, must_lack_scope(scope, "the page without a scope"))


@SECTION.check(
    "SR-14",
    "pages-add-up",
    title="The pages of a search show the token's patient only",
    headline="A later page shows records of others",
    why="The first page is filtered, and the following ones are not. Records of others come out there.",
    fix=NARROW,
    source=SEARCH,
)
def _(probe: Probe) -> Result:
    token, link, results = probe.token(), _next_page(probe), []
    for _ in range(5):
        page = probe.follow(link, token)
        results.append(must_show_only(probe, page, "a page"))
        link = page.link("next")
        if not link:
            break
    return worst(*results)


@SECTION.check(
    "SR-15",
    "no-token-in-links",
    title="No token stands in a link",
    headline="A token stands in a link of a Bundle",
    why="Links are logged and passed on, and the token with them. Who finds it reads the patient's record.",
    fix="Build links from the parameters that were used, and from nothing else.",
    source=SEARCH,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    answer = probe.search("Patient", token, ("_count", "1"), ("access_token", token.value))
    links = [answer.link(relation) for relation in ("self", "next", "first", "last")]
    if any("access_token" in link or token.value in link for link in links):
        return failed("The self link repeats the token.", "no token", "access_token", Danger.RECORDS)
    return passed()


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
