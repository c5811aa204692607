"""What HTTP adds: other methods, offers."""

from smartauth_probe.checks.check import Danger, Result, failed, passed, policy
from smartauth_probe.checks.judging import must_be_alike
from smartauth_probe.checks.requests.section import SECTION
from smartauth_probe.requests import Presentation
from smartauth_probe.target.probe import NO_TOKEN, Probe


@SECTION.check(
    "TV-28",
    "preflight-needs-no-token",
    title="A browser may ask first without a token",
    headline="A browser's first question is refused",
    why="A browser sends OPTIONS without a token, and nothing further if that is refused. People's app stays empty.",
    fix="Answer OPTIONS of registered origins without looking for a token.",
    source="SMART App Launch 2.2, CORS",
    danger=Danger.FORM,
    usual="A server whose apps are not in browsers needs no CORS.",
)
def _(probe: Probe) -> Result:
    asks = (("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET"))
    answer = probe.send("OPTIONS", probe.a.path, NO_TOKEN, headers=asks)
    if answer.holds_data:
        return failed("OPTIONS gives a record.", "no record", str(answer), Danger.RECORDS)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    seen = f"OPTIONS: {answer.status}, {f'allows {allowed}' if allowed else 'allows no origin'}."
    return passed(seen) if allowed and answer.is_ok else policy(seen)


@SECTION.check(
    "TV-30",
    "offered-upgrade",
    title="A form arrives although the client offers HTTP/2",
    headline="A form is lost when the client offers HTTP/2",
    why="Java's client offers h2c with every request. A search of such an app is answered without its parameters.",
    fix="Ignore the offer, or speak HTTP/2; read the body in both cases.",
    source="RFC 9110 §7.8",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    plain = probe.post_search("Patient", probe.token(), ("_id", probe.unknown_id))
    probe.need("POST Patient/_search", plain)
    offer = (
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
    )
    shown = (("Authorization", f"Bearer {probe.token().value}"), ("Content-Type", "application/x-www-form-urlencoded"))
    form = f"_id={probe.unknown_id}"
    offered = probe.client.send(
        Presentation("Patient/_search", "POST", headers=(*shown, *offer), body=form), "patient A"
    )
    if offered.status == plain.status and offered.total == plain.total:
        return passed(f"{plain.status} both times.")
    return failed("The offer changes the answer.", str(plain), str(offered))


@SECTION.check(
    "IX-12",
    "head-is-get",
    title="HEAD is refused where GET is",
    headline="HEAD tells what GET refuses",
    why="HEAD runs past the check that GET has. Whether a record exists, and how long it is, stands in its headers.",
    fix="Let HEAD run through the very code of GET, and leave the body out at the end.",
    source="RFC 9110 §9.3.2",
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    without = probe.send("HEAD", probe.a.path, NO_TOKEN)
    if without.is_ok:
        return failed("HEAD needs no token.", "401", str(without.status))
    token = probe.token()
    hidden, unknown = (probe.send("HEAD", f"Patient/{key}", token) for key in (probe.b.id, probe.unknown_id))
    return must_be_alike(hidden, unknown, "HEAD of patient B")
