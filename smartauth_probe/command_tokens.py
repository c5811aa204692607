"""The options that say where tokens come from."""

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from smartauth_probe.command_addresses import has_password, refuse_password, refuse_unless_http
from smartauth_probe.development_server import DevelopmentServer, Unreachable
from smartauth_probe.entries import Unreadable
from smartauth_probe.target.discovery import CouldNotRun
from smartauth_probe.tokens.client_credentials import ClientCredentials
from smartauth_probe.tokens.development import DevelopmentTokens
from smartauth_probe.tokens.own_key import OwnKeyTokens
from smartauth_probe.tokens.pasted import PastedTokens
from smartauth_probe.tokens.signing_key import read_signing_key
from smartauth_probe.tokens.source import TokenSource
from smartauth_probe.tokens.with_service import WithService

ISSUER, PORT = "SMARTAUTH_ISSUER", "SMARTAUTH_PORT"  # variables of the smartauth that runs here
CLIENT, USER = "demo-public", "amy"
SECRET = "SMARTAUTH_PROBE_CLIENT_SECRET"  # noqa: S105  # the name of a variable


def authority() -> str:
    """Where a development smartauth runs by these variables, else where it usually does."""
    return os.environ.get(ISSUER) or f"http://127.0.0.1:{os.environ.get(PORT) or 8000}"


def _default() -> str:
    """What --help says of it, which is no place for a password."""
    return f"what {ISSUER} says" if has_password(authority()) else authority()


def add_token_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("tokens", "from a development smartauth, or else handed over")
    group.add_argument("--authority", metavar="URL", help=f"a development smartauth (default: {_default()})")
    group.add_argument("--client", default=CLIENT, metavar="ID", help=f"the app there (default: {CLIENT})")
    group.add_argument("--user", default=USER, metavar="NAME", help=f"the person there (default: {USER})")
    group.add_argument("--aud", metavar="URL", help="the base that tokens are for, where that is not URL")
    group.add_argument(
        "--token-for",
        action="append",
        default=[],
        metavar="WHAT=TOKEN",
        help="A, B or system, or scopes such as 'A patient/Observation.r'; @FILE in place of the token",
    )
    group.add_argument("--key", metavar="FILE", help="a private RSA key as JWK, for a server that verifies JWTs itself")
    group.add_argument("--issuer", metavar="URL", help="with --key: the issuer that the server expects")
    group.add_argument("--token-endpoint", metavar="URL", help=f"client_credentials; secret in {SECRET}")


def token_source(options: argparse.Namespace, base: str, patients: Sequence[str]) -> TokenSource:
    """Raises CouldNotRun."""
    for what in ("issuer", "aud"):
        if "//" in (getattr(options, what) or ""):  # else it is a name, in which an @ may stand
            refuse_password(what, getattr(options, what))
    if options.token_for or options.token_endpoint:
        if options.key:
            raise CouldNotRun("--key makes its own tokens: leave out --token-for and --token-endpoint")
        return _of_any_server(options, base, patients)
    if options.key:
        return _own_key(options, base, patients)
    url = options.authority or authority()
    refuse_unless_http("authority", url)
    server = DevelopmentServer(url)
    try:
        if not options.dry_run:
            server.check()
    except Unreachable as problem:
        raise CouldNotRun(f"{problem}. --authority names a development smartauth, --token-for gives tokens.") from None
    patient = patients[0] if patients else ""
    return DevelopmentTokens(
        server, client=options.client, user=options.user, aud=(options.aud or base), patient=patient
    )


def _of_any_server(options: argparse.Namespace, base: str, patients: Sequence[str]) -> TokenSource:
    tokens = dict(map(_pasted, options.token_for))
    _refuse_for_nobody(tokens, patients)
    given = PastedTokens(base, tokens, tuple(patients))
    if not options.token_endpoint:
        return given
    refuse_unless_http("token endpoint", options.token_endpoint)
    service = ClientCredentials(options.token_endpoint, options.client, os.environ.get(SECRET, ""))
    return WithService(given, service) if options.token_for else service


def _refuse_for_nobody(tokens: Iterable[str], patients: Sequence[str]) -> None:
    """A token for A, where nobody says who A is, would never be sent, and what it opens never tried."""
    for letter in "AB"[len(patients) :]:
        if any(what.partition(" ")[0] == letter for what in tokens):
            raise CouldNotRun(f"--token-for {letter}: say who {letter} is with --patients A,B or --fixture FILE")


def _own_key(options: argparse.Namespace, base: str, patients: Sequence[str]) -> OwnKeyTokens:
    if not options.issuer:
        raise CouldNotRun("--key takes --issuer too, the issuer that the server expects")
    try:
        key = read_signing_key(Path(options.key))
    except Unreadable as problem:
        raise CouldNotRun(str(problem)) from None
    about = {"issuer": options.issuer, "aud": options.aud or base, "client": options.client, "user": options.user}
    return OwnKeyTokens(key, **about, patients=tuple(patients))


def _pasted(text: str) -> tuple[str, str]:
    what, equals, token = text.partition("=")
    if not equals or not token:
        raise CouldNotRun(f"--token-for takes WHAT=TOKEN, not {what[:40]!r}")
    if token.startswith("@"):
        try:
            token = Path(token[1:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise CouldNotRun(f"The token for {what} cannot be read: {problem}") from None
    return what, token
