"""`spinelabel completion`: the script for shell completion."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL: bash, zsh or fish.

    \b
    bash:  spinelabel completion bash > ~/.local/share/bash-completion/completions/spinelabel
    zsh:   spinelabel completion zsh > ~/.zfunc/_spinelabel    (with ~/.zfunc in fpath)
    fish:  spinelabel completion fish > ~/.config/fish/completions/spinelabel.fish
    """
    from click.shell_completion import get_completion_class

    completion_class = get_completion_class(shell)
    assert completion_class is not None
    root = context.find_root()
    # click reads this variable to detect that a shell requests completions.
    click.echo(completion_class(root.command, {}, "spinelabel", "_SPINELABEL_COMPLETE").source())
