"""How a reader makes one check of a run again: the same options, without a token or secret."""

import argparse
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from smartauth_probe.command_tokens import CLIENT, USER
from smartauth_probe.target.client import Limits
from smartauth_probe.tokens.development import DevelopmentTokens
from smartauth_probe.tokens.source import TokenSource

USUAL = {"authority": "http://127.0.0.1:8000", "client": CLIENT, "user": USER}
VALUES = ("authority", "client", "user", "aud", "key", "issuer", "token_endpoint", "patients", "fixture")
LIMITS = Limits()
BOUNDS = {
    "per_second": None,  # as the command chooses by where the server is
    "most_requests": LIMITS.requests,
    "seconds": LIMITS.seconds,
    "most_seconds": LIMITS.whole,
}
FLAGS = ("writes", "load", "i_may_test_this_server")


class Repeating(NamedTuple):
    """`probe` is the command of the run, without which checks; `token` orders such a token, "" where nobody does."""

    probe: str
    token: str = ""


USUALLY = Repeating("smartauth probe")


def repeating(prog: str, url: str, source: TokenSource, options: argparse.Namespace | None = None) -> Repeating:
    """Without options a run that began with the tokens of `source` and nothing else. What is as usual is left out."""
    given = dict(vars(options)) if options else {}
    order = ""
    if isinstance(source, DevelopmentTokens):
        given |= {"authority": source.server.url, "client": source.client, "user": source.user}
        patient = ["--patient", source.patient_asked] if source.patient_asked else []
        named = ["--client", source.client, "--user", source.user, *patient, "--aud", source.aud]
        order = shlex.join(["smartauth", "token", *named])
    return Repeating(shlex.join([*prog.split(), url, *_options(given)]), order)


def _options(given: Mapping[str, object]) -> Iterator[str]:
    for name in VALUES:
        value = given.get(name)
        if isinstance(value, str) and value and value != USUAL.get(name):
            yield from (_spelled(name), value)
    for each in _texts(given.get("token_for")):
        what, _, token = each.partition("=")
        yield from (_spelled("token_for"), f"{what}={token if token.startswith('@') else 'TOKEN'}")
    for name, usual in BOUNDS.items():
        bound = given.get(name, usual)
        if isinstance(bound, int | float) and bound != usual:
            yield from (_spelled(name), repr(bound))
    yield from (_spelled(name) for name in FLAGS if given.get(name))


def _texts(found: object) -> Iterator[str]:
    yield from (each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def _spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"
