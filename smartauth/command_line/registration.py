"""Verbs about clients and FHIR servers."""

import click

from smart.fhir.versions import FHIR_VERSIONS
from smart.tokens.claim_profiles import CUSTOM, profiles
from smartauth.command_line.django_command import django_command
from smartauth.command_line.examples import examples
from smartauth.command_line.servers import AS_JSON

ENV = click.option("--env", is_flag=True, help="Print lines that a shell can read, nothing else.")


@click.group()
def client() -> None:
    """Apps and services that ask for tokens."""


@client.command(
    "add",
    epilog=examples(
        "smartauth client add growth-chart --name 'Growth Chart' --redirect-uri http://127.0.0.1:4999/cb \\",
        "    --scope 'launch/patient patient/*.rs' --fhir-server http://127.0.0.1:8000/fhir/r4",
        "smartauth client add nightly --name Nightly --authentication keys --jwks-file keys.json \\",
        "    --grant client_credentials --scope system/Observation.rs --fhir-server https://fhir.example.org/r4",
    ),
)
@click.argument("client_id")
@click.option("--name", required=True, help="As people read it when they decide.")
@click.option("--maker", help="Who makes it.")
@click.option("--authentication", type=click.Choice(["none", "secret", "keys"]), default="none", help="Its proof.")
@click.option("--jwks-file", metavar="FILE", help="Its public keys, with --authentication keys.")
@click.option("--jwks-uri", metavar="URL", help="Where it publishes them.")
@click.option("--grant", multiple=True, metavar="TYPE", help="Repeatable; default: authorization_code.")
@click.option("--scope", help="Scopes it may ask, separated by spaces.")
@click.option("--fhir-server", multiple=True, metavar="URL", help="A FHIR base that it may reach; repeatable.")
@click.option("--redirect-uri", multiple=True, metavar="URL", help="Complete, as the app sends it; repeatable.")
@click.option("--launch-url", multiple=True, metavar="URL", help="Where an EHR opens it; repeatable.")
@click.option("--native", is_flag=True, help="It runs on a device, so loopback redirects may be http.")
@AS_JSON
@django_command("client", "add")
def add_client() -> None:
    """Register a client. A secret is drawn and shown once. Everything else that a client can be: a seed file."""


@client.command("list")
@AS_JSON
@django_command("client", "list")
def list_clients() -> None:
    """Print a line for each client."""


@client.command("rotate-secret", epilog=examples("smartauth client rotate-secret growth-chart"))
@click.argument("client_id")
@AS_JSON
@django_command("client", "rotate-secret")
def rotate_secret() -> None:
    """Draw another secret and show it once; the old one works for SMARTAUTH_OLD_SECRET_SECONDS more."""


@client.command("disable")
@click.argument("client_id")
@AS_JSON
@django_command("client", "disable")
def disable() -> None:
    """Refuse a client at every endpoint from now on, and end all its access."""


@client.command("enable")
@click.argument("client_id")
@AS_JSON
@django_command("client", "enable")
def enable() -> None:
    """Let a disabled client ask again. What ended stays ended."""


@click.group("fhir-server")
def fhir_server() -> None:
    """FHIR servers of your own that are protected."""


@fhir_server.command(
    "add",
    epilog=examples(
        "smartauth fhir-server add https://fhir.example.org/r4 --name 'Example Hospital' --client growth-chart",
        'eval "$(smartauth fhir-server add http://127.0.0.1:9000/fhir --client demo-public --env)"',
    ),
)
@click.argument("url")
@click.option("--name", help="As people know it; default: the URL.")
@click.option("--version", type=click.Choice(FHIR_VERSIONS), default="r4")
@click.option("--policy", type=click.Choice(["off", "flag", "block", "end"]), default="flag", help="At a new address.")
@click.option(
    "--claims", type=click.Choice([*profiles(), CUSTOM]), default="smart", help="In whose words tokens speak."
)
@click.option("--claim-mapping", metavar="FILE", help="JSON, the mapping of --claims custom.")
@click.option("--v1-equivalents", is_flag=True, help="Introspection names v2 scopes in v1 too.")
@click.option("--tells-addresses", is_flag=True, help="Believe the __client_ip that it reports.")
@click.option("--client", multiple=True, metavar="ID", help="An app that may ask for its tokens; repeatable.")
@click.option("--new-secret", is_flag=True, help="Another secret where there is one; both work a while.")
@ENV
@AS_JSON
@django_command("fhir-server", "add")
def add_fhir_server() -> None:
    """Protect a FHIR server: its row, the client that it introspects with, and what to serve."""


@fhir_server.command("list")
@AS_JSON
@django_command("fhir-server", "list")
def list_fhir_servers() -> None:
    """Print a line for each FHIR server with its resource servers and apps."""


@fhir_server.command("new-secret", epilog=examples("smartauth fhir-server new-secret https://fhir.example.org/r4"))
@click.argument("url")
@ENV
@AS_JSON
@django_command("fhir-server", "new-secret")
def new_secret() -> None:
    """Draw another secret for a protected FHIR server; both work a while."""
