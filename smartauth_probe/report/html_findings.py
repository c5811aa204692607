"""What is told of one finding: why it matters, what was sent and came, how to fix it, how to repeat it."""

import shlex
from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from smartauth_probe.catalogue import kinds
from smartauth_probe.checks import sections
from smartauth_probe.report.icons import icon
from smartauth_probe.report.report import Report
from smartauth_probe.runner import CheckResult
from smartauth_probe.target.client import Exchange

UNDECIDED = "No standard decides these. Decide for yourself, write it down, and be the same everywhere."


def finding(report: Report, made: CheckResult) -> str:
    check, result = made.check, made.result
    title = next(section.title for section in sections() if section.key == check.section)
    return (
        f'<article class="panel finding" id="{check.name}" aria-labelledby="h-{check.name}"><h3 id="h-{check.name}">'
        f'<span class="tag tag-bad">{icon("no")} Failed</span> {escape(check.headline)}</h3>'
        f'<p class="hint"><code>{check.id} {check.name}</code> in {escape(title)}. Source: {escape(check.source)}</p>'
        f"<p>{escape(result.seen)}</p><h4>Why it matters</h4><p>{escape(check.why)}</p>{_pairs(report, made)}"
        f'<dl class="answer"><div class="is-good"><dt>Expected</dt><dd>{escape(result.expected)}</dd></div>'
        f'<div class="is-bad"><dt>Came back</dt><dd>{escape(result.received)} '
        f'<span class="hint">{made.failures} times of {made.tries}</span></dd></div></dl>'
        f"<h4>How to fix it</h4><p>{escape(check.fix)}</p>"
        f'<h4>Repeat it</h4><pre tabindex="0">{escape(_repeated(report, made))}</pre></article>'
    )


def _pairs(report: Report, made: CheckResult) -> str:
    path, evidence = urlsplit(report.server).path, report.evidence
    return "".join(
        '<div class="pair"><div><h4>Sent</h4><pre tabindex="0">'
        f"{escape(evidence.request(each, path))}\n\n<i>token: {escape(each.token)}</i></pre></div>"
        f'<div><h4>Came back</h4><pre tabindex="0">{escape(evidence.answer(each))}</pre></div></div>'
        for each in made.exchanges
    )


def _repeated(report: Report, made: CheckResult) -> str:
    lines = [f"{report.again.probe} --only {made.check.name}"]
    sent = made.exchanges[-1:]
    lines += [f"TOKEN=$({report.again.token} --bad {each.token})" for each in sent if _is_ordered(report, each)]
    lines += [_curl(report, each) for each in sent if each.request.method == "GET"]
    return "\n".join(lines)


def _is_ordered(report: Report, exchange: Exchange) -> bool:
    """Whether it was a bad token in the one header that curl sends."""
    named = [name for name, _ in exchange.request.headers].count("Authorization")
    return bool(report.again.token) and exchange.token in kinds() and named == 1


def _curl(report: Report, exchange: Exchange) -> str:
    """For a shell in which TOKEN is such a token; what came from a record stands there in words."""
    line = report.evidence.request(exchange, "").split(" ")[1:-1]
    target = " ".join(line).partition(" HTTP/1.1")[0]
    bearer = '--oauth2-bearer "$TOKEN" ' if exchange.token != "no token" else ""  # noqa: S105  # words, no token
    return f"curl -i {bearer}{shlex.quote(report.server + target)}  # token: {exchange.token}"


def accepted(report: Report) -> str:
    """Those that somebody accepted, with reason and date."""
    rows = [
        (each, f"Accepted until {report.accepted[each.check.name].until}: {report.accepted[each.check.name].reason}")
        for each in report.accepted_failures
    ]
    shown = _list([_row(each, each.check.headline, text) for each, text in rows])
    return f"<h3>Accepted for now</h3>{shown}" if rows else ""


def policies(made: Sequence[CheckResult]) -> str:
    """What we saw, and what is usual."""
    soft = f'<p class="soft">{UNDECIDED}</p>'
    rows = [_row(each, each.check.title, f"We saw: {each.result.seen} {each.check.usual}") for each in made]
    return f"{soft}{_list(rows)}" if rows else ""


def _list(rows: Sequence[str]) -> str:
    return f'<ul class="rules policy panel">{"".join(rows)}</ul>'


def _row(made: CheckResult, title: str, text: str) -> str:
    name = f'<span class="id">{made.check.name}</span>'
    told = f'<span class="hint">{escape(text)}</span>'
    return f"<li>{icon('alert')}<span><strong>{escape(title)}</strong> {name}<br>{told}</span></li>"
