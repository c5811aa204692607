"""The verb that probes a FHIR server; it has its own arguments, those of smartauth-probe."""

import os
import sys
from collections.abc import Sequence

import click

from smartauth.command_line.examples import examples
from smartauth.running_server import follow_running_server
from smartauth_probe.command import main


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=examples("smartauth probe http://127.0.0.1:8000/fhir/r4", "smartauth probe --help"),
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def probe(arguments: Sequence[str]) -> None:
    """Try a FHIR server: does it refuse every bad token, and hide what it must?"""
    follow_running_server(os.environ)
    sys.exit(main(arguments, prog="smartauth probe"))
