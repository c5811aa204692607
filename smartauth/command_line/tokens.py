"""Verbs about tokens: made in development only, explained everywhere."""

import click
from click.shell_completion import CompletionItem

from smartauth.command_line.django_command import django_command
from smartauth.command_line.examples import examples
from smartauth.command_line.servers import AS_JSON
from smartauth_probe.catalogue import groups


class Kind(click.ParamType[str]):
    """A kind of bad token: the catalogue completes it, the command refuses what it does not know."""

    name = "kind"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        kinds = [kind for group in groups() for kind in group.kinds]
        return [CompletionItem(each.name, help=each.wrong) for each in kinds if each.name.startswith(incomplete)]


@click.command(
    epilog=examples(
        'TOKEN=$(smartauth token --client demo-public --user amy --scope "patient/*.rs")',
        "smartauth token --client demo-public --user amy --bad expired",
        "smartauth token --client demo-public --user amy --claim 'fhirUser=\"Patient/ben\"' --lifetime 5",
        "smartauth token --list",
    )
)
@click.option("--client", metavar="ID", help="The client, such as demo-public.")
@click.option("--user", metavar="NAME", help="The person, such as amy; left out for a backend service.")
@click.option("--patient", metavar="ID", help="FHIR id; may be left out for who has only one.")
@click.option("--scope", help="As an app would ask.")
@click.option("--aud", metavar="URL", help="The FHIR base; may be left out for a client of only one.")
@click.option("--bad", type=Kind(), metavar="KIND", help="A token that is wrong in this way.")
@click.option("--list", is_flag=True, help="List all kinds, good twins among them.")
@click.option("--listener", metavar="URL", help="Where a header that brings a key leads to.")
@click.option("--claim", multiple=True, metavar="NAME=JSON", help="Set a claim; again for another one.")
@click.option("--without", multiple=True, metavar="NAME", help="Take a claim away.")
@click.option("--header", multiple=True, metavar="NAME=JSON", help="Set a member of the header.")
@click.option("--lifetime", type=int, metavar="SECONDS", help="How long it lives, bad ones too.")
@AS_JSON
@django_command("token")
def token() -> None:
    """Print an access token without the browser, good or bad. Development only."""


@click.command(
    epilog=examples(
        "smartauth explain 7F3K-29QD",
        'smartauth explain "$TOKEN" GET /fhir/r4/Patient/ben',
        "echo $TOKEN | smartauth explain - --json",
    )
)
@click.argument("what", metavar="REFERENCE|TOKEN")
@click.argument("request", nargs=-1, metavar="[METHOD URL]")
@AS_JSON
@django_command("explain")
def explain() -> None:
    """Say why something was refused: by its reference, or a token judged rule by rule. Nothing is sent."""


@click.group("introspection-fault")
def introspection_fault() -> None:
    """Let introspection misbehave on purpose for one resource server. Development only."""


@introspection_fault.command(
    "begin", epilog=examples("smartauth introspection-fault begin stalled-body demo-resource-server")
)
@click.argument("fault")
@click.argument("resource_server")
@click.option("--seconds", type=int, default=300, metavar="N", help="When it ends by itself.")
@AS_JSON
@django_command("introspection-fault", "begin")
def begin_fault() -> None:
    """From now on this resource server meets the fault; `list` names all."""


@introspection_fault.command("end")
@click.argument("resource_server")
@AS_JSON
@django_command("introspection-fault", "end")
def end_fault() -> None:
    """This resource server gets right answers again."""


@introspection_fault.command("list")
@AS_JSON
@django_command("introspection-fault", "list")
def list_faults() -> None:
    """Print all faults, and who meets one now."""
