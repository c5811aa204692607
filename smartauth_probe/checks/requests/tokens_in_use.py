"""Tokens that are good, or were: one that ends, one that is bound to an address, one beside another."""

from smartauth_probe.checks.check import Result, failed, passed, policy
from smartauth_probe.checks.requests.section import SECTION
from smartauth_probe.requests import ANOTHER_ADDRESS
from smartauth_probe.skip import Skip
from smartauth_probe.target.fixture import of_others
from smartauth_probe.target.probe import READER, Probe
from smartauth_probe.target.sending import Pairs

BOUND = "address-blocked"
ADDRESSES: Pairs = (
    ("X-Forwarded-For", ANOTHER_ADDRESS),
    ("X-Forwarded-For", f"{ANOTHER_ADDRESS}, 127.0.0.1"),
    ("X-Real-IP", ANOTHER_ADDRESS),
    ("X-Client-IP", ANOTHER_ADDRESS),
    ("Forwarded", f"for={ANOTHER_ADDRESS}"),
)


@SECTION.check(
    "TV-05",
    "revoked-after-use",
    title="A token that was let in and is revoked then is refused at the next request",
    headline="A token that was let in is believed after it was revoked",
    why="An answer about the token is kept, or nobody is asked. An app that somebody locked out reads on meanwhile.",
    fix="Ask about the token at each request, or keep the answer for some seconds and never longer than exp.",
    source="RFC 7009 §2.1, RFC 7662 §4",
    usual="ONC allows an hour; an answer that is kept for up to a minute is common.",
)
def _(probe: Probe) -> Result:
    token = probe.token_to_end("patient/Patient.r")
    probe.need("a token to be revoked", probe.read("Patient", probe.a.id, token))
    probe.end(token)
    answer = probe.read("Patient", probe.a.id, token)
    if answer.is_ok and answer.holds_data:
        return policy("The request right after the token was revoked is answered as before.")
    return passed(f"{answer.status} right after it was revoked.")


@SECTION.check(
    "TV-26",
    "address-of-a-header",
    title="A token that is bound to an address is not freed by a header that names it",
    headline="A header makes a token good that is bound to another address",
    why="Where the request came from is read from a header that anybody can send. A stolen token works from anywhere.",
    fix="Tell the authorization server the address of the connection, or what your own proxy says of it.",
    source="RFC 9700 §4.13",
)
def _(probe: Probe) -> Result:
    if probe.present(probe.bad_token(BOUND)).is_ok and not probe.client.is_dry:
        raise Skip("A token of another address is let in: the server says no address where it asks.")
    for header in ADDRESSES:
        answer = probe.present(probe.bad_token(BOUND), header)  # a new one: the first request may end it
        if answer.is_ok or answer.holds_data:
            return failed(f"{header[0]} frees the token.", "401", str(answer))
    return passed("401 with each of five headers.")


@SECTION.check(
    "TV-18",
    "header-and-form",
    title="A token in a form beside the one in the header opens nothing",
    headline="The token in a form is obeyed, and the one in the header is not",
    why="Two tokens say two things, and two parts of a server obey different ones. One patient's app reads another's.",
    fix="Refuse a request that brings more than one token, or read the header alone.",
    source="RFC 6750 §2, §3.1",
    usual="RFC 6750 says 400; a server that takes the parameter for an unknown one harms nobody.",
)
def _(probe: Probe) -> Result:
    token, of_b = probe.token(), probe.token(READER, probe.b.id)
    probe.need("POST Patient/_search", probe.post_search("Patient", token, ("_id", probe.a.id)))
    answer = probe.post_search("Patient", token, ("access_token", of_b.value))
    if of_others(answer, probe.a.id):
        return failed("The token in the form is obeyed.", "400 or 401", str(answer))
    return policy(f"The second token is passed over: {answer.status}.") if answer.is_ok else passed(str(answer))
