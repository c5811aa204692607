"""Tells the development smartauth whose tokens were sent with what result; where it takes none, why, in a sentence."""

from smartauth_probe.development_server import OrderRefused, Unreachable
from smartauth_probe.report.in_numbers import in_numbers
from smartauth_probe.report.report import Report
from smartauth_probe.tokens.development import DevelopmentTokens
from smartauth_probe.tokens.source import TokenSource


def hand_in(report: Report, source: TokenSource) -> str:
    """What somebody should read about it, "" for nothing: other authorization servers are told nothing."""
    if not isinstance(source, DevelopmentTokens) or not report.run.results:
        return ""
    try:
        source.server.tell_probe_result(dict(in_numbers(report, source.aud)))
    except (OrderRefused, Unreachable) as problem:
        return f"{source.server.url} does not know of this run: {problem}"
    return ""
