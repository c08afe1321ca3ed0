"""Shell completion: the script that a shell reads to complete commands, options and choices."""

from __future__ import annotations

import click

from pipeline.commands.shell import says_what_happened


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
@says_what_happened
def completion(context: click.Context, shell: str) -> int:
    """Print the script that completes commands and options in bash, zsh or fish."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - one of the three
    program = found(context.find_root().command, {}, "orderdrop", "_ORDERDROP_COMPLETE")
    click.echo(program.source())
    return 0
