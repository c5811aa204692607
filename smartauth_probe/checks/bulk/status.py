"""Who may ask how far an export is, and end it."""

from collections.abc import Iterator
from contextlib import suppress

from smartauth_probe.checks.bulk.jobs import EVERYTHING, Job, export_of_patients, service
from smartauth_probe.checks.bulk.section import ALL, BULK, SECTION
from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_be_served
from smartauth_probe.skip import Skip
from smartauth_probe.target.probe import NO_TOKEN, Probe
from smartauth_probe.tokens.source import GivenToken

OTHER_CLIENT = "another-client-7f3k29qd"
FIX = "Bind a job to the client that started it, and ask the scopes anew at each request for it and its files."


def tokens_of_others(probe: Probe) -> Iterator[GivenToken]:
    """A patient's, one with fewer scopes, and another service's, as far as there are such tokens."""
    yield probe.token("patient/*.rs")
    yield service(probe, "system/Basic.rs")
    with suppress(Skip):
        yield probe.token(EVERYTHING, "", client_id=OTHER_CLIENT, sub=OTHER_CLIENT, azp=OTHER_CLIENT)


def _must_be_closed(job: Job, token: GivenToken) -> Result:
    answer = job.probe.follow(job.url, token)
    if answer.is_ok:
        return failed(f"The job is shown to {token.label}.", "401, 403 or 404", str(answer), Danger.RECORDS)
    return passed(f"{token.label}: {answer}.")


@SECTION.check(
    "BX-05",
    "export-job-without-token",
    title="The job of an export is shown and ended with a token only",
    headline="The job of an export is shown or ended without a token",
    why=f"{ALL} Where the files are is what the job says.",
    fix="Demand the token for the address of the job, for GET and DELETE.",
    source=BULK,
)
def _(probe: Probe) -> Result:
    with export_of_patients(probe) as job:
        shown = _must_be_closed(job, NO_TOKEN)
        probe.follow_quietly("DELETE", job.url, NO_TOKEN)
        after = probe.follow(job.url, job.token)
        if not after.is_ok:
            return failed("The job is ended without a token.", "401", f"then {after}", Danger.WRITES)
        return shown


@SECTION.check(
    "BX-06",
    "export-job-of-others",
    title="The job of an export is shown to the client that started it, and to nobody else",
    headline="The job of an export is shown to others",
    why=f"{ALL} Any app that knows the address of the job gets them.",
    fix=FIX,
    source=BULK,
)
def _(probe: Probe) -> Result:
    with export_of_patients(probe) as job:
        return worst(*(_must_be_closed(job, token) for token in tokens_of_others(probe)))


@SECTION.check(
    "BX-10",
    "export-with-new-token",
    title="A service asks for its job with a new token of its own",
    headline="A service cannot ask for its job with a new token",
    why="Such tokens live for five minutes, and an export may take hours. What the service was to do for people fails.",
    fix="Bind a job to the client, not to the token that started it.",
    source="SMART Backend Services, access token lifetime",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    with export_of_patients(probe) as job:
        answer = probe.follow(job.url, probe.new_token(EVERYTHING))
        return must_be_served(answer, "the job, with a new token")
