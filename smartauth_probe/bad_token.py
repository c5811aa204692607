"""A bad token in a test: the request that presents it, and whether the answer is the one that it must get."""

from dataclasses import dataclass
from typing import Any

from smartauth_probe.kinds import Fools, Kind
from smartauth_probe.raw_http import Response, send
from smartauth_probe.received import Received
from smartauth_probe.requests import Presentation
from smartauth_probe.verdict import Outcome, Verdict, judge_alone

AT_RISK = {
    Fools.JWT: "servers that verify JWTs themselves",
    Fools.INTROSPECTION: "servers that introspect",
    Fools.BOTH: "servers that verify JWTs themselves, and servers that introspect",
    Fools.ANY: "any server",
    Fools.NONE: "nobody: it is a good twin, and must be let in",
}


@dataclass(frozen=True, slots=True)
class BadToken:
    """A token of a kind of the catalogue, a good twin among them, and the request below `base` that presents it."""

    kind: Kind
    value: str
    base: str
    request: Presentation

    def send(self) -> Response:
        """The answer of the server at `base`, to the request byte by byte. Raises NoAnswer."""
        return send(self.base, self.request)

    def verdict(self, response: Any, *, of_unknown_id: int = 404) -> Verdict:
        """Rule by rule, of a response of any client: `status_code` or `status`, `headers`, and the body."""
        return judge_alone(self.kind, received(response), of_unknown_id=of_unknown_id)

    def assert_right_answer(self, response: Any, *, of_unknown_id: int = 404) -> None:
        """A bad token is refused with the status and the challenge of its kind, and a good twin is let in.

        `of_unknown_id` is what this server answers to an id that never existed. Raises AssertionError.
        """
        __tracebackhide__ = True
        verdict = self.verdict(response, of_unknown_id=of_unknown_id)
        if verdict.outcome is Outcome.FAILED:
            raise AssertionError(explanation(self.kind, verdict))
        if self.value and self.value in _body(response).decode(errors="replace"):
            raise AssertionError(f"{self.kind.name}: the answer repeats the token, and answers are logged")


def explanation(kind: Kind, verdict: Verdict) -> str:
    """What is wrong with the token and with the answer, why, and how to mend it."""
    failed = (
        f"  {finding.rule}: expected {finding.expected}, received {finding.received}"
        for finding in verdict.findings
        if finding.outcome is Outcome.FAILED
    )
    lines = {
        "The token": kind.wrong,
        "It fools": AT_RISK[kind.fools],
        "Source": kind.source,
        "Why": kind.remedy.why,
        "To mend it": kind.remedy.fix,
    }
    about = (f"  {name}: {text}" for name, text in lines.items() if text)
    return "\n".join([f"{kind.name} ({kind.id}): {verdict.title}. {verdict.lead}".rstrip(), *failed, *about])


def received(response: Any) -> Received:
    """The answer as httpx, requests, urllib, Django's and Flask's test clients have it."""
    status = getattr(response, "status_code", None) or response.status
    return Received.of(int(status), response.headers.get("WWW-Authenticate") or "", _body(response))


def _body(response: Any) -> bytes:
    body = getattr(response, "content", None)
    body = getattr(response, "data", b"") if body is None else body
    return body if isinstance(body, bytes) else str(body).encode()
