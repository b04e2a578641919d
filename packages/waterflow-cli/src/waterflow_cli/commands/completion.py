"""``waterflow completion``."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash: add to ~/.bashrc: eval "$(waterflow completion bash)"
    zsh:  add to ~/.zshrc:  eval "$(waterflow completion zsh)"
    fish: waterflow completion fish > ~/.config/fish/completions/waterflow.fish
    """
    from click.shell_completion import get_completion_class

    from .._main import COMPLETE_VARIABLE, PROGRAM

    kind = get_completion_class(shell)
    assert kind is not None, shell  # the argument takes only what click has
    click.echo(kind(ctx.find_root().command, {}, PROGRAM, COMPLETE_VARIABLE).source())
