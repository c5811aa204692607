"""The verbs of `smartauth`, in groups. Nothing here loads Django, so that help and completion come at once."""

import click

from smartauth.command_line import events, keys, people, probe, registration, servers, tokens
from smartauth.command_line.completion import completion
from smartauth_probe import __version__

VERBS = {
    "Run a server": (servers.dev, servers.serve, servers.worker, servers.migrate, servers.seed),
    "Tokens": (tokens.token, tokens.explain, tokens.introspection_fault, probe.probe),
    "Who is known": (registration.client, registration.fhir_server, people.person, people.password),
    "Look and maintain": (events.events, keys.keys, servers.manage, completion),
}
EPILOG = """\
The settings are environment variables, SMARTAUTH_...; the first start needs none. Exit status: 0, 1 where something
failed, 2 where a command was called in a wrong way.
"""


class Program(click.Group):
    """Verbs in their groups, not by the alphabet."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = formatter.width
        for title, verbs in VERBS.items():
            with formatter.section(title):
                formatter.write_dl([(str(verb.name), verb.get_short_help_str(width)) for verb in verbs])


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "show_default": True},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="smartauth")
def program() -> None:
    """A SMART on FHIR authorization server for your FHIR server: `smartauth dev` starts one with demo data."""


for _verbs in VERBS.values():
    for _verb in _verbs:
        program.add_command(_verb)
