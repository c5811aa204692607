"""What is judged of all answers together, so it comes last (docs/specification/resource-server.md)."""

from smartauth_probe.checks.check import Danger, Result, Section, failed, passed, policy, worst
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import Probe

SECTION = Section("whole", "The whole run", "Did any answer lead somewhere else, or any request break it?")


@SECTION.check(
    "TV-27",
    "breaks-nowhere",
    title="No request breaks the server",
    headline="A request breaks the server, and the answer shows the program inside",
    why="What an odd request breaks can be broken on purpose. The trace is a map for it, and records may stand in it.",
    fix="Answer 4xx to what is wrong in a request; log what fails inside, and answer a short OperationOutcome.",
    source="RFC 9110 §15.6.1, FHIR http",
    danger=Danger.FORM,
    usual="Most servers answer 4xx to whatever is wrong in a request; 500 hides from you what it was.",
)
def _(probe: Probe) -> Result:
    if probe.client.trace:
        return failed(f"{probe.client.broken} holds a trace.", "no trace", probe.client.trace)
    if probe.client.broken:
        return policy(f"{probe.client.broken}.")
    return passed("Every answer was below 500, or 501 (it does not do that) or 503 (it is busy).")


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
