"""Scopes with a query, such as one category of results (docs/specification/resource-server.md, granular scopes)."""

from smartauth_probe.checks.categories import (
    KIND,
    categories,
    category_scope,
    must_be_in_category,
    narrow_token,
    two_categories,
)
from smartauth_probe.checks.check import Danger, Result, Section, failed, passed, worst
from smartauth_probe.checks.judging import must_be_alike, must_be_served, must_count_alike, must_lack_scope
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import Probe

SECTION = Section("granular", "Granular scopes", "?category= and what must not pass it")
SOURCE = "SMART App Launch 2.2, finer-grained resource constraints using search parameters"
FIX = "Add the query of the scope to every way to a record: reading, searching, history, includes, counts."
PEOPLE = "The person agreed to one kind of results, and not to the others."


@SECTION.check(
    "GR-01",
    "granular-read",
    title="A record of another category is answered like one that never existed",
    headline="A scope for one category reads another one",
    why=f"The query of the scope is used for searches and forgotten for reading. {PEOPLE}",
    fix=FIX,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token, _, outside = narrow_token(probe)
    hidden, unknown = (probe.read(KIND, key, token) for key in (outside.id, probe.unknown_id))
    if hidden.status == 403 and not hidden.holds_data:
        return passed("403.")
    return must_be_alike(hidden, unknown, "The record of another category")


@SECTION.check(
    "GR-03",
    "granular-search",
    title="A search shows the category of the scope only",
    headline="A scope for one category finds others",
    why=f"The query of the scope is not part of the search. {PEOPLE}",
    fix=FIX,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token, _, outside = narrow_token(probe)
    asked = [(), (("patient", probe.a.id),), (("_id", outside.id),), (("_sort", "-date"),)]
    found = [probe.search(KIND, token, *pairs) for pairs in asked]
    results = [must_be_in_category(probe, answer, "the search") for answer in found]
    # a summary may leave out the category: then the ids tell
    if outside.path in probe.search(KIND, token, ("_summary", "true")).names:
        results.append(failed("A summary shows another category.", "the category alone", outside.path))
    return worst(*results)


@SECTION.check(
    "GR-06",
    "granular-or",
    title="A search for more categories than the scope has stays within the scope",
    headline="A parameter of the search widens the scope",
    why=f"The search replaces the query of the scope in place of narrowing it. {PEOPLE}",
    fix="Put the query of the scope and that of the search together with AND.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token, _, outside = narrow_token(probe)
    own = two_categories(probe)[0][1]
    other = next((code for _, code in categories(outside.content)), "vital-signs")
    asked = [
        (("category", f"{own},{other}"),),
        (("category", own), ("category", other)),
        (("category:not", own),),
        (("category:missing", "true"),),
        (("category", other),),
    ]
    found = [("&".join(map("=".join, pairs)), probe.search(KIND, token, *pairs)) for pairs in asked]
    return worst(*(must_be_in_category(probe, answer, what) for what, answer in found))


@SECTION.check(
    "GR-17",
    "granular-count",
    title="A count is of the category of the scope",
    headline="A count tells how many records of another category there are",
    why=f"The number is taken before the query of the scope. {PEOPLE}",
    fix="Count after the query of the scope.",
    source=SOURCE,
    danger=Danger.CONTENT,
)
def _(probe: Probe) -> Result:
    token, _, _ = narrow_token(probe)
    system, code = two_categories(probe)[0]
    narrowed = probe.search(KIND, token, ("_summary", "count"))
    asked = probe.search(
        KIND, probe.token(f"patient/{KIND}.rs"), ("category", f"{system}|{code}"), ("_summary", "count")
    )
    return must_count_alike(narrowed, asked, "the count")


@SECTION.check(
    "GR-08",
    "granular-system",
    title="The category is compared with its system",
    headline="The category is compared without its system",
    why=f"The same code of another system, or without one, means something else. {PEOPLE}",
    fix="Compare system and code; a bar without a system before it is for codes that have none.",
    source="FHIR search, token",
)
def _(probe: Probe) -> Result:
    (_, code), inside, _ = two_categories(probe)
    results = []
    for value in (f"https://other.example/system|{code}", f"|{code}"):
        token = probe.token(f"patient/{KIND}.rs?category={value}")
        answer = probe.read(KIND, inside.id, token)
        results.append(failed(f"{value} is taken.", "404 or 403", str(answer)) if answer.is_ok else passed())
    return worst(*results)


@SECTION.check(
    "GR-15",
    "granular-unknown",
    title="A query that the server cannot evaluate opens nothing",
    headline="A query that the server does not understand is left out, and opens everything",
    why=f"A search may leave out what it does not know, and a scope must not. {PEOPLE}",
    fix="Let a scope with a parameter, modifier or chain that you do not evaluate grant nothing.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    record, results = probe.a.first(KIND), []
    for query in ("no-such-parameter=x", "subject.name=x", "_filter=status", "category:nonsense=x", "_has:x:y:z=1"):
        token = probe.token(f"patient/{KIND}.rs?{query}")
        results += [_opens_nothing(probe.read(KIND, record.id, token), query)]
        results += [_opens_nothing(probe.search(KIND, token), query)]
    return worst(*results)


def _opens_nothing(answer: Answer, query: str) -> Result:
    if answer.is_ok and answer.holds_data:
        return failed(f"?{query} opens records.", "403 or nothing", str(answer), Danger.RECORDS)
    return passed()


@SECTION.check(
    "GR-12",
    "granular-union",
    title="Two scopes with a query open both categories, and one without opens all",
    headline="Two scopes of one type do not add up",
    why="Each scope was agreed to by itself. People's app misses a part of what they agreed to.",
    fix="A record is open where any scope of the token opens it.",
    source=SOURCE,
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    narrow_token(probe)
    category, inside, outside = two_categories(probe)
    other = next(iter(categories(outside.content)), None)
    own = category_scope(category)
    scopes = [f"{own} patient/{KIND}.rs", *([f"{own} {category_scope(other)}"] if other else [])]
    reads = [probe.read(KIND, record.id, probe.token(scope)) for scope in scopes for record in (inside, outside)]
    return worst(*(must_be_served(answer, "the record") for answer in reads))


@SECTION.check(
    "GR-10",
    "granular-other-ways",
    title="POST, the compartment and includes keep to the category of the scope",
    headline="Another way to the records passes by the query of the scope",
    why=f"Each way has code of its own, and the query is in some of it. {PEOPLE}",
    fix=FIX,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token, _, _ = narrow_token(probe)
    answers = {
        "POST _search": probe.post_search(KIND, token),
        "the compartment": probe.send("GET", f"{probe.a.path}/{KIND}", token),
        "the type's history": probe.send("GET", f"{KIND}/_history", token),
        "all types": probe.send("GET", "", token, (("_type", KIND),)),
        "a reverse include": probe.search("Patient", token, ("_revinclude", f"{KIND}:subject")),
        "$everything": probe.send("GET", f"{probe.a.path}/$everything", token),
    }
    return worst(*(must_be_in_category(probe, answer, what) for what, answer in answers.items()))


@SECTION.check(
    "GR-01",
    "granular-other-type",
    title="A scope with a query opens no other type",
    headline="A scope with a query opens another type",
    why="The query is read, and the type before it is not. Nobody agreed to share that type.",
    fix="Judge type and letter before the query.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token, _, _ = narrow_token(probe)
    return must_lack_scope(probe.read("Patient", probe.a.id, token), "Patient")
