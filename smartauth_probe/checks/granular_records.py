"""Scopes with a query, by single records, their versions and what comes along (granular scopes)."""

from smartauth_probe.checks.categories import KIND, categories, category_scope, narrow_token, two_categories
from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.granular import FIX, PEOPLE, SECTION, SOURCE
from smartauth_probe.checks.judging import must_be_served
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.loading import contents
from smartauth_probe.skip import Skip
from smartauth_probe.target.probe import Probe


@SECTION.check(
    "GR-02",
    "granular-two-categories",
    title="A record with two categories is open where the scope has one of them",
    headline="A record with two categories is closed though the scope has one of them",
    why="The category is compared with the first one of the record. People's app misses what they agreed to.",
    fix="Compare the scope with each category of the record, as a search would.",
    source=SOURCE,
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    for record in probe.a.records.get(KIND, ()):
        found = list(dict.fromkeys(categories(record.content)))
        if len(found) > 1:
            tokens = [probe.token(category_scope(each)) for each in found[:2]]
            narrow_token(probe)
            return worst(*(must_be_served(probe.read(KIND, record.id, each), "the record") for each in tokens))
    raise Skip("A has no Observation with two categories.", "such a record for A")


@SECTION.check(
    "GR-09",
    "granular-old-version",
    title="An old version of another category is not opened by the category of today",
    headline="A scope for one category opens old versions of another one",
    why=f"The record is judged as it is today, and its versions are not. {PEOPLE}",
    fix="Judge each version by its own content.",
    source=SOURCE,
    writes=True,
)
def _(probe: Probe) -> Result:
    version, now, before = probe.facts.version, "laboratory", "vital-signs"
    token = probe.token(category_scope((contents.category_system(version), now)))
    with copies(probe) as made:
        record = made.of(probe.a, category=contents.category(version, before))
        new = {**record.content, "category": contents.category(version, now)}
        probe.need("an update", made.put(record.path, new, made.owner(probe.a)))
        probe.need("a scope with a query", probe.read(KIND, record.id, token))
        old = probe.send("GET", f"{record.path}/_history/1", token)
        history = probe.send("GET", f"{record.path}/_history", token)
    shown = [code for each in (old.resource, *history.entries) for _, code in categories(each)]
    if before in shown:
        return failed("A version of another category is shown.", now, before, Danger.RECORDS)
    return passed(f"{old.status}.")


@SECTION.check(
    "GR-11",
    "granular-included-result",
    title="A report does not bring results of another category",
    headline="A report brings results of another category than the scope's",
    why=f"What a report includes is judged by its type, and not by the query of the scope. {PEOPLE}",
    fix=FIX,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    narrow_token(probe)
    category = two_categories(probe)[0]
    probe.a.first("DiagnosticReport")
    token = probe.token(f"{category_scope(category)} patient/DiagnosticReport.rs")
    answer = probe.search("DiagnosticReport", token, ("_include", "DiagnosticReport:result"))
    results = [each for each in answer.entries if each.get("resourceType") == KIND]
    if any(category not in set(categories(each)) for each in results):
        return failed("A result of another category comes along.", category[1], "another", Danger.RECORDS)
    return passed(f"{len(results)} results come along.")


@SECTION.check(
    "GR-16",
    "granular-encoded",
    title="A scope whose value is percent-encoded opens what the same scope opens as it is written",
    headline="A scope whose value is percent-encoded is read as something else",
    why="The same scope is read in two ways. What people agreed to depends on how an app wrote it.",
    fix="Decode the query of a scope once, as that of a URL, before it is compared.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    _, inside, outside = narrow_token(probe)
    system, code = two_categories(probe)[0]
    encoded = probe.token(f"patient/{KIND}.rs?category={system}%7C{code}")
    own, other = (probe.read(KIND, record.id, encoded) for record in (inside, outside))
    if other.is_ok:
        return failed("Encoded, it opens another category too.", "404", str(other), Danger.RECORDS)
    if own.is_ok:
        return passed("The same.")
    return failed("Encoded, it opens nothing.", "200", str(own), Danger.FORM)
