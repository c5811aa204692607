"""Verbs that run a server and prepare what it needs."""

import os
from json import dumps

import click

from smartauth.command_line.django_command import call, django_command, manage_django
from smartauth.command_line.examples import examples

AS_JSON = click.option("--json", is_flag=True, help="Print JSON for a script.")
PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@click.command(epilog=examples("smartauth dev", "smartauth dev --port 8001"))
@click.option("--port", type=click.IntRange(1, 65_535), help="Port on 127.0.0.1; else SMARTAUTH_PORT, else 8000.")
@click.option("--data-dir", metavar="FOLDER", help="Where it keeps its data; else SMARTAUTH_DATA_DIR.")
def dev(port: int | None, data_dir: str | None) -> None:
    """Start a development server with its worker, keys and demo data.

    It answers this machine only and prints addresses, logins and first commands. Its data lie in one folder, which it
    names; other verbs find the server that runs.
    """
    chosen = {"SMARTAUTH_PORT": port and str(port), "SMARTAUTH_DATA_DIR": data_dir}
    os.environ.update({name: value for name, value in chosen.items() if value})
    call("dev")


@click.command(epilog=examples("smartauth serve --host 0.0.0.0 --processes 4"))
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8000, help="Port to listen on.")
@click.option("--processes", type=click.IntRange(1), default=1, help="One for each core.")
@django_command("serve")
def serve() -> None:
    """Serve as production does, behind a proxy that ends TLS. Migrate and seed first."""


@click.command(epilog=examples("smartauth worker", "smartauth worker --no-schedule"))
@click.option("--no-schedule", is_flag=True, help="A further worker: another one calls what is due.")
@click.option("--log-level", type=click.Choice(["ERROR", "WARNING", "INFO", "DEBUG"]), default="INFO")
@django_command("worker")
def worker() -> None:
    """Run the task worker: it moves events to the audit database, rotates keys and deletes what is over."""


@click.command(epilog=examples("smartauth migrate", "smartauth migrate --database audit"))
@click.option("--database", type=click.Choice(["default", "audit"]), help="This one alone.")
@AS_JSON
def migrate(database: str | None, *, json: bool) -> None:
    """Bring the databases to this version: the main one and that of the trail."""
    databases = (database,) if database else ("default", "audit")
    for each in databases:
        call("migrate", "--no-input", "--verbosity=0", f"--database={each}")
        if not json:
            click.echo(f"database {each}: every migration is applied")
    if json:
        click.echo(dumps({"migrated": databases}))


@click.command(epilog=examples("smartauth seed example.yaml", "smartauth seed example.yaml --json"))
@click.argument("file", type=click.Path())
@AS_JSON
@django_command("seed")
def seed() -> None:
    """Bring people, clients and FHIR servers to what a seed file says. Running it again changes nothing."""


@click.command(
    context_settings=PASSED_ON,
    epilog=examples("smartauth manage check --deploy", "smartauth manage collectstatic --no-input"),
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run a command of Django, as manage.py does in a checkout."""
    manage_django(arguments)
