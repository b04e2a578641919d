"""How a script is handed to its shell.

Source: GitHub, "Workflow syntax", ``jobs.<job_id>.steps[*].shell``, table "Shell parameter / Command run internally".
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping

import msgspec

from waterflow_sdk import InvalidInput, NotFoundError


class ShellCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments with ``{0}`` in place of the script, the script's file name, and what is put around its text."""

    argv: tuple[str, ...]
    suffix: str = ".sh"
    before: str = ""
    after: str = ""


_PWSH = ShellCommand(
    argv=("pwsh", "-command", ". '{0}'"),
    suffix=".ps1",
    before="$ErrorActionPreference = 'stop'\n",
    after="\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }\n",
)
_SHELLS: dict[str, tuple[ShellCommand, ...]] = {  # alternatives: the first whose program is there
    "": (ShellCommand(argv=("bash", "-e", "{0}")), ShellCommand(argv=("sh", "-e", "{0}"))),
    "bash": (ShellCommand(argv=("bash", "--noprofile", "--norc", "-eo", "pipefail", "{0}")),),
    "sh": (ShellCommand(argv=("sh", "-e", "{0}")),),
    "python": (
        ShellCommand(argv=("python", "{0}"), suffix=".py"),
        ShellCommand(argv=("python3", "{0}"), suffix=".py"),
    ),
    "pwsh": (_PWSH,),
}


def choose_shell(shell: str, env: Mapping[str, str]) -> ShellCommand:
    """The command for a shell's name or template.

    Raises:
        InvalidInput: An unknown name, or a template without ``{0}``.
        NotFoundError: The agent does not have the program.
    """
    alternatives = _SHELLS.get(shell.strip()) or (_template(shell),)
    for command in alternatives:
        if shutil.which(command.argv[0], path=env.get("PATH")):
            return command
    program = alternatives[-1].argv[0]
    raise NotFoundError(f"shell {program!r} was not found on PATH of this agent", details={"program": program})


def _template(shell: str) -> ShellCommand:
    try:
        argv = tuple(shlex.split(shell))
    except ValueError as error:
        raise InvalidInput(f"shell {shell!r} cannot be read: {error}", details={"input": "shell"}) from None
    if len(argv) < 2 or not any("{0}" in word for word in argv):
        known = ", ".join(sorted(filter(None, _SHELLS)))
        raise InvalidInput(
            f"shell {shell!r} is not known; use one of {known}, or a command with {{0}} in place of the script",
            details={"input": "shell"},
        )
    return ShellCommand(argv=argv, suffix="")
