"""The commands of the first minute, on the home page and after `dev`: a token, a read, two refusals."""

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

CARRIED_VARIABLES = ("SMARTAUTH_PORT", "SMARTAUTH_ISSUER", "SMARTAUTH_DATA_DIR")


@dataclass(frozen=True, slots=True)
class Command:
    """One line for a shell, and what it shows."""

    about: str
    line: str


def token() -> Command:
    """The line that the others lean on: it puts a token into $TOKEN."""
    about = "a token for amy; only a development server gives it away like this"
    if os.environ.get("SMARTAUTH_DATABASE_URL"):
        about += ". Needs the SMARTAUTH_DATABASE_URL of the server"
    arguments = '--client demo-public --user amy --patient amy --scope "patient/*.rs"'
    return Command(about, f"TOKEN=$({command_line()} token {arguments})")


def reads() -> tuple[Command, Command, Command]:
    """200, 404 and 401: each prints the answer and below it the status."""
    base, issuer = settings.SMARTAUTH_FHIR_BASES["r4"], settings.SMARTAUTH_ISSUER
    own = f"{base}/Patient/amy"
    revoke = f"curl -sS -d client_id=demo-public -d token=$TOKEN {issuer}/o/revoke"
    return (
        Command("200: Amy's own record", _read(own)),
        Command("404: the record of ben, like an id that never existed", _read(f"{base}/Patient/ben")),
        Command("401: the token is revoked, and the same read is refused at once", f"{revoke} && {_read(own)}"),
    )


def commands() -> tuple[Command, ...]:
    return (token(), *reads())


def _read(url: str) -> str:
    return f"curl -sS -w '\\n%{{http_code}}\\n' --oauth2-bearer $TOKEN {url}"


def command_line() -> str:
    """How another shell calls what runs here, with what this one's environment chose."""
    chosen = [f"{name}={shlex.quote(os.environ[name])} " for name in CARRIED_VARIABLES if os.environ.get(name)]
    return "".join(chosen) + (_manage() if settings.SMARTAUTH_COMMAND == "manage.py" else _installed_command())


def probe_command() -> str:
    """How another shell calls the probe, with tokens of this server."""
    is_checkout = settings.SMARTAUTH_COMMAND == "manage.py"
    program = f"{_python()} -m smartauth_probe" if is_checkout else f"{_installed_command()} probe"
    return f"{program} --authority {shlex.quote(settings.SMARTAUTH_ISSUER)}"


def demo_seed() -> str:
    """The line that makes the demo people and clients what they were."""
    file = "smartauth.yaml" if settings.SMARTAUTH_COMMAND == "manage.py" else str(settings.BASE_DIR / "smartauth.yaml")
    return f"{command_line()} seed {shlex.quote(file)}"


def _manage() -> str:
    return f"{_python()} manage.py"


def _python() -> str:
    """Seen from the folder of the project."""
    python = Path(sys.executable)
    if python.is_relative_to(settings.BASE_DIR):
        python = python.relative_to(settings.BASE_DIR)
    return shlex.quote(str(python))


def _installed_command() -> str:
    """By its name where that finds the one of this environment, else by its place."""
    own = Path(sys.executable).with_name("smartauth")
    found = shutil.which("smartauth")
    return "smartauth" if found and Path(found).resolve() == own.resolve() else shlex.quote(str(own))
