"""Pages and the links between them."""

from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_count_alike, must_lack_scope, must_show_only
from smartauth_probe.checks.search.section import NARROW, SEARCH, SECTION
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import NO_TOKEN, READER, Probe


def _first_page(probe: Probe) -> Answer:
    """A page with a link to the second one. Raises Skip."""
    for kind in probe.a.records:
        page = probe.search(kind, probe.token(), ("_count", "1"))
        if page.link("next"):
            return page
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
    link = _first_page(probe).link("next")
    without = probe.follow(link, NO_TOKEN)
    if without.holds_data:
        return failed("It needs no token.", "401", str(without))
    other = must_show_only(probe, probe.follow(link, probe.token(READER, probe.b.id)), "the page", probe.b.id)
    scope = probe.follow(link, probe.token("patient/Basic.rs"))
    return worst(other, must_lack_scope(scope, "the page without a scope"))


@SECTION.check(
    "SR-14",
    "pages-add-up",
    title="The pages of a search show and count the token's patient only",
    headline="A later page shows records of others",
    why="The first page is filtered, and the following ones are not. Records of others come out there.",
    fix=NARROW,
    source=SEARCH,
)
def _(probe: Probe) -> Result:
    token, first, results = probe.token(), _first_page(probe), []
    link = first.link("next")
    for _ in range(5):
        page = probe.follow(link, token)
        results += [must_show_only(probe, page, "a page"), must_count_alike(page, first, "a later page")]
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
