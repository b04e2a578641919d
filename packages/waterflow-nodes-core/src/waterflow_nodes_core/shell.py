"""``shell``: run a script. ``run:`` in a workflow is this node."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from waterflow_sdk import Node, NodeContext, NodeExample, NodeInput, NodeOutput, ProcessFailed, ProcessResult

from ._capture import MAX_STDOUT, Capture
from ._command_files import CommandFiles
from ._shells import ShellCommand, choose_shell
from ._workflow_commands import CommandReader


class Shell(Node):
    """Run a script in bash, sh, Python, PowerShell or any command.

    The step fails when the script ends with another exit code than 0. Scripts give outputs by lines `name=value` in the
    file `$WATERFLOW_OUTPUT` (also `$GITHUB_OUTPUT`), variables for later steps in `$GITHUB_ENV`, directories for `PATH`
    in `$GITHUB_PATH`, and understand GitHub's workflow commands (`::error file=…::`, `::group::`, `::add-mask::`).
    Pass values by `env:`, never by `${{ }}` inside the script: then no value can become code.
    """

    name = "shell"
    version = "1.0.0"
    resumable = True
    confinable = True
    examples = (
        NodeExample(title="A script", yaml="- run: |\n    echo hello\n    uname -s\n"),
        NodeExample(
            title="An output for later steps",
            yaml='- id: disk\n  run: echo "free=$(df --output=avail / | tail -1)" >> "$WATERFLOW_OUTPUT"\n',
        ),
        NodeExample(
            title="Python, in a directory, with a value from the environment",
            yaml="- uses: shell\n  with:\n    shell: python\n    working-directory: /tmp\n"
            "    run: |\n      import os\n      print(os.getcwd(), os.environ['GREETING'])\n"
            "  env:\n    GREETING: hello\n",
        ),
    )

    class Input(NodeInput):
        """What to run, and with what."""

        run: Annotated[str, Meta(description="The script.")] = ""
        command: Annotated[str, Meta(description="The same as `run`; give one of them.")] = ""
        shell: Annotated[
            str,
            Meta(description="bash (default), sh, python, pwsh, or a command with {0} for the script's file."),
        ] = ""
        working_directory: Annotated[
            str, Meta(description="Directory to run in; relative to the job's workspace, which is the default.")
        ] = ""

        schema_extra = {"anyOf": [{"required": ["run"]}, {"required": ["command"]}]}

        def __post_init__(self) -> None:
            if not (self.run or self.command):
                raise ValueError("needs a script in `run`")
            if self.run and self.command:
                raise ValueError("`command` is another name of `run`: give one of them")

    class Output(NodeOutput):
        """How the script ended. What it wrote to `$WATERFLOW_OUTPUT` is added."""

        exit_code: Annotated[int, Meta(description="Exit code of the script; 128 + n when signal n ended it.")]
        stdout: Annotated[
            str, Meta(description=f"Standard output without white space at its ends, at most {MAX_STDOUT // 1024} KiB.")
        ]

        schema_extra = {"additionalProperties": True}

    async def execute(self, ctx: NodeContext, inputs: Input) -> Output:
        """Write the script to a file, run it, read what it gave."""
        command = choose_shell(inputs.shell, ctx.env)
        directory = ctx.temp / "shell"  # the same again when the step goes on after a restart of the agent
        directory.mkdir(mode=0o700, exist_ok=True)
        script = _write(directory, command, inputs.run or inputs.command)
        files = CommandFiles(directory)
        capture = Capture()
        try:
            result = await ctx.run_process(
                [word.replace("{0}", str(script)) for word in command.argv],
                env=files.env,
                cwd=inputs.working_directory or None,
                on_stdout=CommandReader(ctx, _both(ctx, capture)),
                on_stderr=CommandReader(ctx, ctx.stderr.write),
            )
            files.apply(ctx)
        finally:
            files.close()
            _remove(script)
        return self._finish(ctx, result, capture.text)

    def _finish(self, ctx: NodeContext, result: ProcessResult, stdout: str) -> Output:
        if result.ok:
            return self.Output(exit_code=0, stdout=stdout)
        ctx.set_output("exit-code", result.exit_code)
        ctx.set_output("stdout", stdout)
        raise ProcessFailed(_why(result), exit_code=result.exit_code)


def _write(directory: Path, command: ShellCommand, text: str) -> Path:
    """A script that is there is being read by its shell: the step goes on."""
    script = directory / f"script{command.suffix}"
    if not script.exists():
        script.write_text(command.before + text + command.after + "\n", encoding="utf-8", newline="\n")
        script.chmod(0o700)
    return script


def _both(ctx: NodeContext, capture: Capture) -> Callable[[str], None]:
    def emit(text: str) -> None:
        ctx.stdout.write(text)
        capture.write(text)

    return emit


def _remove(script: Path) -> None:
    with suppress(FileNotFoundError):  # a script may remove itself
        os.unlink(script)


def _why(result: ProcessResult) -> str:
    if result.signal is None:
        return f"the script ended with exit code {result.exit_code}"
    return f"the script was ended by {signal.Signals(result.signal).name} (exit code {result.exit_code})"
