"""What is judged of all answers together, so it comes last (docs/specification/resource-server.md)."""

from smartauth_probe.checks.check import Danger, Result, Section, failed, passed, worst
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import Probe

SECTION = Section("whole", "The whole run", "Did any answer lead somewhere else?")


@SECTION.check(
    "TV-33",
    "leads-nowhere-else",
    title="No answer leads to another host",
    headline="An answer leads to another host",
    why="A client that follows takes the token with it. Who owns that host then reads the records of its patient.",
    fix="Make links and redirects from your configured base, never from the Host header.",
    source="RFC 9700 §4.11",
    danger=Danger.RECORDS,
)
def _(probe: Probe) -> Result:
    header = ("X-Forwarded-Host", "evil.example")
    token = probe.reader(probe.a.id)
    spoofed = probe.send("GET", "Patient", token, (("_count", "1"),), (header,))
    for path in (f"{probe.a.path}/", "Patient/"):
        probe.send("GET", path, token, headers=(header,))
    if probe.client.redirects:  # of any check so far
        return failed("A redirect leads away.", "no redirect to another host", probe.client.redirects[0])
    return worst(*(_stays(each, spoofed) for each in ("self", "next", "first", "last")))


def _stays(relation: str, answer: Answer) -> Result:
    link = answer.link(relation)
    if "evil.example" in link:
        return failed(
            "X-Forwarded-Host goes into links.", "links to this host", f"{relation}: {link[:80]}", Danger.FORM
        )
    return passed()
