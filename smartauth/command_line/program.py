"""The verbs of `smartauth`, in groups. Nothing here loads Django, so that help and completion come at once."""

import click

from oauth.management.verbs import keys, people, registration, tokens
from operators.management import verbs as operators
from smartauth.command_line.completion import completion
from smartauth.command_line.probe import probe
from smartauth.command_line.servers import dev, manage, migrate
from smartauth.command_line.verbs import click_command
from smartauth.management.verbs import BACKUP, FHIR_AUDIT, RESTORE, RESTORED_SQL, SERVE, WORKER
from smartauth_probe import __version__

DECLARED = {
    "Run a server": (dev, SERVE, WORKER, migrate, registration.SEED),
    "Tokens": (tokens.TOKEN, tokens.EXPLAIN, tokens.INTROSPECTION_FAULT, probe),
    "Who is known": (registration.CLIENT, registration.FHIR_SERVER, people.PERSON, people.PASSWORD),
    "Look and maintain": (
        operators.DOCTOR,
        operators.EVENTS,
        keys.KEYS,
        BACKUP,
        RESTORE,
        RESTORED_SQL,
        FHIR_AUDIT,
        manage,
        completion,
    ),
}
VERBS = {
    title: [each if isinstance(each, click.Command) else click_command(each) for each in verbs]
    for title, verbs in DECLARED.items()
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
