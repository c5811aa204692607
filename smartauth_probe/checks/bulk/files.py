"""Who may fetch the files of an export, and what is in them."""

import re

from smartauth_probe.checks.bulk.jobs import Job, export, export_of_patients, resources
from smartauth_probe.checks.bulk.section import ALL, BULK, SECTION
from smartauth_probe.checks.bulk.status import FIX, tokens_of_others
from smartauth_probe.checks.categories import KIND, categories, two_categories
from smartauth_probe.checks.check import Danger, Result, failed, passed, policy, worst
from smartauth_probe.skip import Skip
from smartauth_probe.target.probe import NO_TOKEN, Probe
from smartauth_probe.tokens.source import GivenToken

LONG_ENOUGH = 20  # characters that nobody guesses


def _file(job: Job) -> str:
    """The address of one. Raises Skip."""
    for _, url in job.files():
        if job.probe.client.below_base(url):
            return url
    raise Skip("The export has no file below the base.")


def _need_token(job: Job) -> None:
    """Raises Skip where the files are open to anybody who knows their addresses."""
    if job.manifest().get("requiresAccessToken") is not True:
        raise Skip("The files of the export need no token: requiresAccessToken is not true.")


def _must_be_closed(job: Job, url: str, token: GivenToken) -> Result:
    answer = job.probe.follow(url, token)
    if answer.is_ok:
        return failed(f"The file is given to {token.label}.", "401, 403 or 404", str(answer.status), Danger.RECORDS)
    return passed(f"{token.label}: {answer.status}.")


@SECTION.check(
    "BX-05",
    "export-files-without-token",
    title="The files of an export are given with a token only, where it says so",
    headline="The files of an export are given without a token",
    why=f"{ALL} Anybody gets them.",
    fix="Demand the token for the files, or say requiresAccessToken false and make their addresses secret.",
    source=BULK,
)
def _(probe: Probe) -> Result:
    with export_of_patients(probe) as job:
        _need_token(job)
        return _must_be_closed(job, _file(job), NO_TOKEN)


@SECTION.check(
    "BX-06",
    "export-files-of-others",
    title="The files of an export are given to the client that started it, and to nobody else",
    headline="The files of an export are given to others",
    why=f"{ALL} Any app that knows their addresses gets them.",
    fix=FIX,
    source=BULK,
)
def _(probe: Probe) -> Result:
    with export_of_patients(probe) as job:
        _need_token(job)
        url = _file(job)
        return worst(*(_must_be_closed(job, url, token) for token in tokens_of_others(probe)))


@SECTION.check(
    "BX-07",
    "export-files-that-need-no-token",
    title="Files that need no token have addresses that nobody guesses",
    headline="Files that need no token have addresses that can be guessed",
    why=f"{ALL} Somebody who counts addresses up gets them.",
    fix="Put 128 random bits into the address and let it end soon, or demand a token.",
    source=BULK,
    usual="Most servers demand a token; storage services sign the addresses.",
)
def _(probe: Probe) -> Result:
    with export_of_patients(probe) as job:
        if job.manifest().get("requiresAccessToken") is True:
            return passed("They need a token.")
        found = [re.findall(r"[A-Za-z0-9_-]+", url) for _, url in job.files()]
    if any(max(map(len, parts), default=0) < LONG_ENOUGH for parts in found):
        return failed("An address of a file is short.", "128 random bits", "fewer", Danger.RECORDS)
    return policy("They need no token; their addresses are long. See that they end soon.")


@SECTION.check(
    "BX-08",
    "export-type-filter",
    title="_typeFilter narrows a scope with a query, and does not take its place",
    headline="_typeFilter takes the place of the query of the scope",
    why="The filter of the request is used, and that of the scope forgotten. A service gets what nobody allowed it.",
    fix="Put the query of the scope and _typeFilter together with AND.",
    source=BULK,
)
def _(probe: Probe) -> Result:
    category, _, outside = two_categories(probe)
    other = next(iter(categories(outside.content)), ("", "vital-signs"))
    scope = f"system/{KIND}.rs?category={category[0]}|{category[1]}"
    query = (("_type", KIND), ("_typeFilter", f"{KIND}?category={other[0]}|{other[1]}"))
    with export(probe, scope, query) as job:
        if job is None:
            return passed("It is refused.")
        urls = [url for kind, url in job.files() if kind == KIND]
        found = [each for url in urls[:3] for each in resources(probe.follow(url, job.token))]
    if any(category not in set(categories(each)) for each in found):
        return failed("Another category is exported.", category[1], other[1], Danger.RECORDS)
    return passed(f"{len(found)} results, all of the scope.")
