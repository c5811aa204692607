"""Addresses in a Bundle that are written otherwise, or lead elsewhere."""

from smartauth_probe.checks.batch.bundles import read_all
from smartauth_probe.checks.batch.section import EACH, HTTP, SECTION
from smartauth_probe.checks.check import Danger, Result, failed, passed, policy, worst
from smartauth_probe.checks.judging import must_show_only
from smartauth_probe.listener import listener
from smartauth_probe.target.probe import Probe


@SECTION.check(
    "BT-07",
    "batch-written-otherwise",
    title="Another spelling of an address in a batch leads to nothing else",
    headline="Another spelling of an address in a batch leads around the check",
    why="The check reads one spelling of the address, and the store another. Records of others come out between.",
    fix=f"{EACH} Route first and check what was routed to.",
    source=HTTP,
)
def _(probe: Probe) -> Result:
    a, b, base = probe.a, probe.b, probe.client.base
    urls = [f"{base}/{b.path}", f"/{b.path}", f"./{b.path}", f"{a.path}/../{b.id}", f"Patient//{b.id}", f"{b.path}/"]
    urls += [f"patient/{b.id}", f"{b.path}?_format=json", f"{b.path}#x", f"{a.path}?_id={b.id}", f"Patient?_id={b.id}"]
    answers = read_all(probe, urls)
    return worst(*(must_show_only(probe, answer, url) for url, answer in zip(urls, answers, strict=True)))


@SECTION.check(
    "BT-07",
    "batch-elsewhere",
    title="An address of another server in a batch is not asked, and not taken for one of this server",
    headline="An address of another server in a batch is asked, or taken for one of this server",
    why="An app sends the server where it cannot go alone. Records come from the wrong place, and go there.",
    fix="Take addresses relative to your own base and refuse all others.",
    source=HTTP,
    usual="Most servers refuse it.",
)
def _(probe: Probe) -> Result:
    with listener() as (url, calls):
        urls = [f"https://elsewhere.example/fhir/{person.path}" for person in (probe.a, probe.b)]
        own, *answers = read_all(probe, [*urls, *([f"{url}/{probe.a.path}"] * probe.is_loopback)])
        if calls:
            return failed("The server asks the address that the batch names.", "no call", calls[0], Danger.RECORDS)
    results = [must_show_only(probe, answer, "another server") for answer in (own, *answers)]
    taken = policy("An address of another server is taken for one of this server: A's own record comes.")
    return worst(*results, taken if own.is_ok and own.holds_data else passed())
