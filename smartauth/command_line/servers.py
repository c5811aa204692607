"""Verbs that no command of manage.py takes the same arguments as: a development server, migrations, Django's own."""

import os
from json import dumps

import click

from smartauth.command_line.django_command import call, manage_django
from smartauth.command_line.examples import examples

PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@click.command(epilog=examples("smartauth dev", "smartauth dev --port 8001"))
@click.option("--port", type=click.IntRange(1, 65_535), help="Port on 127.0.0.1; else SMARTAUTH_PORT, else 8000.")
@click.option("--data-dir", metavar="FOLDER", help="Where it keeps its data; else SMARTAUTH_DATA_DIR.")
@click.option("--host", default="127.0.0.1", help="Address to listen on; another one for a container alone.")
def dev(port: int | None, data_dir: str | None, host: str) -> None:
    """Start a development server with its worker, keys and demo data.

    It answers this machine only, and the networks that SMARTAUTH_DEV_NETWORKS names. It prints addresses, logins and
    first commands. Its data lie in one folder, which it names; other verbs find the server that runs.
    """
    chosen = {"SMARTAUTH_PORT": port and str(port), "SMARTAUTH_DATA_DIR": data_dir}
    os.environ.update({name: value for name, value in chosen.items() if value})
    call("dev", f"--host={host}")


@click.command(epilog=examples("smartauth migrate", "smartauth migrate --database audit"))
@click.option("--database", type=click.Choice(["default", "audit"]), help="This one alone.")
@click.option("--json", is_flag=True, help="Print JSON for a script.")
def migrate(database: str | None, *, json: bool) -> None:
    """Bring the databases to this version: the main one and that of the trail."""
    databases = (database,) if database else ("default", "audit")
    for each in databases:
        call("migrate", "--no-input", "--verbosity=0", f"--database={each}")
        if not json:
            click.echo(f"database {each}: every migration is applied")
    if json:
        click.echo(dumps({"migrated": databases}))


@click.command(
    context_settings=PASSED_ON,
    epilog=examples("smartauth manage check --deploy", "smartauth manage collectstatic --no-input"),
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run a command of Django, as manage.py does in a checkout."""
    manage_django(arguments)
