"""Reading and searching in a batch."""

from smartauth_probe.checks.batch.bundles import bundle, entry, need_batch, read_all, send
from smartauth_probe.checks.batch.section import EACH, HTTP, ONE_DOOR, SECTION
from smartauth_probe.checks.categories import KIND, must_be_in_category, narrow_token
from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_be_alike, must_count_alike_beside, must_lack_scope, must_show_only
from smartauth_probe.skip import Skip
from smartauth_probe.target.probe import NO_TOKEN, Probe

PEOPLE = "The person agreed to share their own record, not those of others."


@SECTION.check(
    "TV-01",
    "batch-without-token",
    title="A batch needs a token",
    headline="A batch is answered without a token",
    why=f"{ONE_DOOR} Anybody reads everybody's records through it.",
    fix="Demand the token before the body is read.",
    source="RFC 6750 §3",
)
def _(probe: Probe) -> Result:
    need_batch(probe)
    answer = send(probe, NO_TOKEN, bundle("batch", entry("GET", probe.a.path)))
    if answer.is_ok or answer.holds_data:
        return failed("It is answered.", "401", str(answer), Danger.RECORDS)
    return passed(f"{answer}.") if answer.status == 401 else failed("Refused.", "401", str(answer), Danger.FORM)


@SECTION.check(
    "BT-01",
    "batch-read-of-other",
    title="In a batch another patient's record is answered like one that never existed",
    headline="In a batch another patient's record is shown, or told apart",
    why=f"{ONE_DOOR} {PEOPLE}",
    fix=EACH,
    source=HTTP,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    record = probe.b.any()
    pairs = ((probe.b.path, f"Patient/{probe.unknown_id}"), (record.path, f"{record.type}/{probe.unknown_id}"))
    answers = read_all(probe, [url for pair in pairs for url in pair])
    judged = zip(pairs, answers[::2], answers[1::2], strict=True)
    return worst(*(must_be_alike(other, unknown, pair[0]) for pair, other, unknown in judged))


@SECTION.check(
    "BT-01",
    "batch-another-type",
    title="In a batch a scope for one type opens no other one",
    headline="In a batch a scope for one type opens another one",
    why=f"{ONE_DOOR} The person agreed to share one type, and the app reads another.",
    fix=EACH,
    source=HTTP,
)
def _(probe: Probe) -> Result:
    others = [kind for kind in probe.a.records if kind != KIND]
    urls = [probe.a.path, "Patient", *others, *(probe.a.first(kind).path for kind in others)]
    answers = read_all(probe, urls, probe.token(f"patient/{KIND}.rs"))
    return worst(*(must_lack_scope(answer, url) for url, answer in zip(urls, answers, strict=True)))


@SECTION.check(
    "BT-01",
    "batch-letters",
    title="In a batch reading takes r and searching takes s",
    headline="In a batch a scope allows more than its letters",
    why=f"{ONE_DOOR} The person agreed to less.",
    fix=EACH,
    source=HTTP,
)
def _(probe: Probe) -> Result:
    results = []
    for letter, url in (("s", probe.a.first(KIND).path), ("r", KIND), ("r", f"{KIND}?_summary=count")):
        answer = read_all(probe, [url], probe.token(f"patient/{KIND}.{letter}"))[0]
        results.append(must_lack_scope(answer, f"{url} with .{letter}"))
    return worst(*results)


@SECTION.check(
    "BT-03",
    "batch-search-of-other",
    title="A search in a batch finds the token's patient only",
    headline="A search in a batch finds others",
    why=f"{ONE_DOOR} {PEOPLE}",
    fix=EACH,
    source=HTTP,
)
def _(probe: Probe) -> Result:
    kind = probe.b.any().type
    urls = ["Patient", kind, f"{kind}?patient={probe.b.id}", f"{kind}?patient={probe.a.id},{probe.b.id}"]
    urls += [f"{kind}?subject={probe.b.path}", f"{probe.b.path}/{kind}", f"{kind}/_history"]
    answers = read_all(probe, urls)
    return worst(*(must_show_only(probe, answer, url) for url, answer in zip(urls, answers, strict=True)))


@SECTION.check(
    "BT-03",
    "batch-count",
    title="A count in a batch leaves out the records of others",
    headline="A count in a batch tells how many records another patient has",
    why="The number is taken before the search is narrowed. With a code beside it, it tells what others have.",
    fix=EACH,
    source=HTTP,
    danger=Danger.CONTENT,
)
def _(probe: Probe) -> Result:
    kind = probe.b.any().type
    urls = [f"{kind}?patient={each}&_summary=count" for each in (f"{probe.a.id},{probe.b.id}", probe.a.id)]
    both, own = read_all(probe, urls)
    if not own.is_ok or own.total is None:
        raise Skip(f"A search in a batch is not counted: {own}.")
    pair = ("patient", f"{probe.a.id},{probe.b.id}")
    return must_count_alike_beside(probe, both, own, "the count", lambda: probe.search(kind, probe.token(), pair))


@SECTION.check(
    "BT-03",
    "batch-everything-of-other",
    title="In a batch $everything of another patient is answered like one who never existed",
    headline="In a batch $everything of another patient is answered, or told apart",
    why=f"An operation in a batch passes by two places where a check may stand. {PEOPLE}",
    fix=EACH,
    source=HTTP,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    other, unknown = read_all(probe, [f"Patient/{key}/$everything" for key in (probe.b.id, probe.unknown_id)])
    return worst(must_show_only(probe, other, "$everything"), must_be_alike(other, unknown, "$everything of B"))


@SECTION.check(
    "GR-10",
    "batch-granular",
    title="A batch keeps to the category of the scope",
    headline="A batch passes by the query of the scope",
    why=f"{ONE_DOOR} The person agreed to one kind of results, and not to the others.",
    fix=EACH,
    source="SMART App Launch 2.2, finer-grained resource constraints using search parameters",
)
def _(probe: Probe) -> Result:
    token, _, outside = narrow_token(probe)
    urls = [outside.path, f"{KIND}/{probe.unknown_id}", KIND, f"{KIND}?_id={outside.id}"]
    hidden, unknown, *found = read_all(probe, urls, token)
    read = passed() if hidden.status == 403 else must_be_alike(hidden, unknown, "The record of another category")
    return worst(read, *(must_be_in_category(probe, each, "the search") for each in found))
