"""Completion for shells: click makes the scripts."""

import click
from click.shell_completion import get_completion_class

from smartauth.command_line.examples import examples


@click.command(
    epilog=examples(
        'eval "$(smartauth completion bash)"        # in ~/.bashrc',
        'eval "$(smartauth completion zsh)"         # in ~/.zshrc',
        "smartauth completion fish > ~/.config/fish/completions/smartauth.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes verbs and options in your shell."""
    of_shell = get_completion_class(shell)
    if of_shell is not None:
        click.echo(of_shell(context.find_root().command, {}, "smartauth", "_SMARTAUTH_COMPLETE").source())
