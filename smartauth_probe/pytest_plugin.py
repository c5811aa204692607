"""For pytest: a development smartauth, good tokens, every kind of bad token (docs/how-to/test-your-server.md)."""

import os
from collections.abc import Iterator
from typing import Protocol, Unpack

import pytest

from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.development_process import DidNotStart, start
from smartauth_probe.development_server import CannotMint, DevelopmentServer, Token, Unreachable
from smartauth_probe.token_order import Order

PER_KIND = "smartauth_bad_token"
COMMAND, START_SECONDS = "smartauth dev", "120"
URL = "SMARTAUTH_URL"


class MakeToken(Protocol):
    def __call__(self, **order: Unpack[Order]) -> Token: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("smartauth", "tokens of a development smartauth")
    for name, text in {
        "smartauth-url": f"address of a development smartauth that runs (also: {URL})",
        "smartauth-command": f"else the command that starts one (default: {COMMAND})",
        "smartauth-start-seconds": f"how long that may take (default: {START_SECONDS})",
    }.items():
        group.addoption(f"--{name}", help=text)
        parser.addini(name.replace("-", "_"), text)


def _option(config: pytest.Config, name: str, default: str = "") -> str:
    """From the command line, else from the file of settings."""
    return str(config.getoption(name, None) or config.getini(name) or default)


@pytest.fixture(scope="session")
def smartauth_server(pytestconfig: pytest.Config) -> Iterator[DevelopmentServer]:
    """The server at `--smartauth-url`, else one that is started by `--smartauth-command` and ended at the end."""
    url = pytestconfig.getoption("smartauth_url", None) or os.environ.get(URL) or pytestconfig.getini("smartauth_url")
    try:
        if url:
            server = DevelopmentServer(str(url))
            server.check()
            yield server
            return
        seconds = float(_option(pytestconfig, "smartauth_start_seconds", START_SECONDS))
        with start(_option(pytestconfig, "smartauth_command", COMMAND), seconds=seconds) as started:
            yield started
    except (DidNotStart, Unreachable) as problem:
        pytest.fail(f"There is no smartauth to test with. {problem}", pytrace=False)


@pytest.fixture(scope="session")
def smartauth_order() -> Order:
    """What tokens are made for where a test does not say: override it with your own client, person and FHIR base."""
    return {"client": "demo-public", "user": "amy"}


@pytest.fixture
def smartauth_token(smartauth_server: DevelopmentServer, smartauth_order: Order) -> MakeToken:
    """Makes good tokens: `smartauth_token(scope="patient/Observation.rs", lifetime=60)`."""

    def make(**order: Unpack[Order]) -> Token:
        asked: Order = {**smartauth_order, **order}
        return smartauth_server.token(**asked)

    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a bad token runs once for each kind, unless it names the kinds itself."""
    if PER_KIND in metafunc.fixturenames and not _names_kinds(metafunc):
        metafunc.parametrize(PER_KIND, kinds(), indirect=True)


def _names_kinds(metafunc: pytest.Metafunc) -> bool:
    found = (mark.args[0] for mark in metafunc.definition.iter_markers("parametrize") if mark.args)
    return any(PER_KIND in (names.replace(",", " ").split() if isinstance(names, str) else names) for names in found)


@pytest.fixture
def smartauth_bad_token(
    request: pytest.FixtureRequest, smartauth_server: DevelopmentServer, smartauth_order: Order
) -> BadToken:
    """A token of one kind of the catalogue, a good twin among them; skipped where such a one cannot be made."""
    try:
        return smartauth_server.bad_token(request.param, **smartauth_order)
    except CannotMint as reason:
        pytest.skip(f"{request.param}: {reason}")
