"""Verbs about people."""

import click

from smartauth.command_line.django_command import django_command
from smartauth.command_line.examples import examples
from smartauth.command_line.servers import AS_JSON


@click.group()
def person() -> None:
    """People who sign in."""


@person.command(
    "add",
    epilog=examples(
        "smartauth person add olivia --name 'Olivia Op' --operator --password",
        "smartauth person add zoe --fhir-server http://127.0.0.1:8000/fhir/r4 --fhir-user Patient/amy --acts-for amy",
    ),
)
@click.argument("username")
@click.option("--name", help="As pages show it; default: the user name.")
@click.option("--email")
@click.option("--operator", is_flag=True, help="May use the admin, and everything in it.")
@click.option("--password", is_flag=True, help="Asked, or read from the first line of the input.")
@click.option("--fhir-server", metavar="URL", help="Where they are somebody.")
@click.option("--fhir-user", metavar="TYPE/ID", help="Who they are there, such as Patient/amy.")
@click.option("--acts-for", multiple=True, metavar="ID", help="A patient they may act for there; repeatable.")
@AS_JSON
@django_command("person", "add")
def add_person() -> None:
    """Register a person. Without a password they cannot sign in until one is set."""


@click.command(
    epilog=examples("smartauth password amy --set", "pwgen -s 20 1 | smartauth password amy --set --require")
)
@click.argument("username")
@click.option("--set", is_flag=True, help="The new one is asked, or read from the first line of the input.")
@click.option("--require", is_flag=True, help="The person chooses a new one after the next sign-in.")
@AS_JSON
@django_command("password")
def password() -> None:
    """Set a person's password, or require a new one."""
