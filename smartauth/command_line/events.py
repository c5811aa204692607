"""The verb that reads the security events."""

import click

from smartauth.command_line.django_command import django_command
from smartauth.command_line.examples import examples


@click.command(
    epilog=examples(
        "smartauth events --follow",
        "smartauth events --client demo-public --last 100",
        "smartauth events --kind refresh-reused --json | jq .client",
    )
)
@click.option("--follow", is_flag=True, help="Print each event as it happens, until Ctrl-C.")
@click.option("--last", type=click.IntRange(0, 10_000), default=20, metavar="N", help="How many of the latest.")
@click.option("--kind", multiple=True, metavar="KIND", help="Of this kind; repeatable.")
@click.option("--client", metavar="ID", help="Of this client.")
@click.option("--person", metavar="NAME", help="Of this person, by user name or sub.")
@click.option("--json", is_flag=True, help="Print one JSON object a line.")
@django_command("events")
def events() -> None:
    """Print the security events, the latest last."""
