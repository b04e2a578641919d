"""``shell``: real scripts in real shells."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from waterflow_nodes_core.shell import Shell
from waterflow_sdk.testing import NodeResult, run_node, run_node_async
from waterflow_sdk.wire import LogEventKind


def shell(script: str, **options: Any) -> NodeResult:
    inputs = {"run": script, **options.pop("inputs", {})}
    return run_node(Shell, inputs, **options)


def message(result: NodeResult) -> str:
    assert result.error is not None
    return result.error.message


class TestRun:
    def test_output_and_exit_code(self) -> None:
        result = shell("echo out; echo err >&2")
        assert (result.stdout, result.stderr) == ("out", "err")
        assert result.outputs == {"exit-code": 0, "stdout": "out"}
        assert result.exit_code == 0

    def test_command_is_another_name(self) -> None:
        assert run_node(Shell, {"command": "echo hi"}).stdout == "hi"

    def test_a_failing_script(self) -> None:
        result = shell("echo one; echo two >&2; exit 3")
        assert message(result) == "the script ended with exit code 3"
        assert result.error is not None
        assert (result.error.code, result.exit_code) == ("process-failed", 3)
        assert sorted(result.error.details["tail"]) == ["one", "two"]
        assert result.outputs == {"exit-code": 3, "stdout": "one"}

    def test_a_script_ended_by_a_signal(self) -> None:
        result = shell("kill -9 $$")
        assert (message(result), result.exit_code) == ("the script was ended by SIGKILL (exit code 137)", 137)

    def test_the_environment_reaches_it_as_data(self) -> None:
        assert shell('echo "$EVIL"', env={"EVIL": "$(id); `id` \" ' \n x"}).stdout == "$(id); `id` \" ' \n x"

    def test_the_script_is_removed(self, tmp_path: Path) -> None:
        result = shell('echo "$0"', workspace=tmp_path)
        assert not Path(result.stdout).exists()
        assert list(tmp_path.iterdir()) == []

    def test_a_script_that_removes_itself_and_its_command_files(self) -> None:
        assert shell('rm "$0" "$GITHUB_OUTPUT"').ok

    async def test_cancelling_ends_the_script(self, tmp_path: Path) -> None:
        ready = asyncio.Event()
        task = asyncio.create_task(
            run_node_async(
                Shell,
                {"run": "trap 'touch cleaned; exit 1' TERM; echo ready; while :; do sleep 0.01; done"},
                workspace=tmp_path,
                on_record=lambda record: ready.set(),  # noqa: ARG005
            )
        )
        await ready.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (tmp_path / "cleaned").exists()


UNKNOWN_SHELL = "is not known; use one of bash, pwsh, python, sh, or a command with {0} in place of the script"


class TestShell:
    def test_default_stops_at_the_first_error_but_not_in_a_pipe(self) -> None:
        assert shell("false | true; echo on; false; echo never").stdout == "on"

    def test_bash_stops_in_a_pipe_too(self) -> None:
        result = shell("echo $BASH_VERSION; false | true; echo never", inputs={"shell": "bash"})
        assert result.exit_code == 1
        assert "never" not in result.stdout

    def test_sh(self) -> None:
        result = shell("echo a; false; echo never", inputs={"shell": "sh"})
        assert (result.stdout, result.exit_code) == ("a", 1)

    def test_python(self) -> None:
        assert shell("print(1 + 1)", inputs={"shell": "python"}).stdout == "2"

    def test_a_template(self) -> None:
        assert shell("print(1 + 1)", inputs={"shell": f"{sys.executable} -I {{0}}"}).stdout == "2"

    def test_sh_where_there_is_no_bash(self, tmp_path: Path) -> None:
        for program in ("sh", "ps"):
            if found := shutil.which(program):
                (tmp_path / program).symlink_to(found)
        result = shell("echo ${BASH_VERSION-none} $0", env={"PATH": str(tmp_path)})
        assert result.ok

    @pytest.mark.parametrize(
        ("name", "text", "code"),
        [
            ("zsch", f"shell 'zsch' {UNKNOWN_SHELL}", "invalid-input"),
            ("perl -w", f"shell 'perl -w' {UNKNOWN_SHELL}", "invalid-input"),
            ("perl '{0}", 'shell "perl \'{0}" cannot be read: No closing quotation', "invalid-input"),
            ("no-such-shell {0}", "shell 'no-such-shell' was not found on PATH of this agent", "not-found"),
        ],
        ids=["name", "no place", "quotes", "missing"],
    )
    def test_a_bad_one(self, name: str, text: str, code: str) -> None:
        result = shell("true", inputs={"shell": name})
        assert message(result) == text
        assert result.error is not None
        assert result.error.code == code


class TestWorkingDirectory:
    def test_the_workspace_by_default(self, tmp_path: Path) -> None:
        assert shell("pwd", workspace=tmp_path).stdout == str(tmp_path)

    def test_relative_to_it(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        assert shell("pwd", workspace=tmp_path, inputs={"working-directory": "a"}).stdout == f"{tmp_path}/a"

    def test_absolute(self) -> None:
        assert shell("pwd", inputs={"working-directory": "/"}).stdout == "/"

    def test_missing(self, tmp_path: Path) -> None:
        result = shell("pwd", workspace=tmp_path, inputs={"working-directory": "no"})
        assert message(result) == f"working directory '{tmp_path}/no' does not exist"


class TestOutputs:
    @pytest.mark.parametrize("variable", ["WATERFLOW_OUTPUT", "GITHUB_OUTPUT"])
    def test_lines(self, variable: str) -> None:
        assert shell(f"echo a=1 >> ${variable}; echo 'b=x=y<<z' >> ${variable}").outputs | {} == {
            "a": "1",
            "b": "x=y<<z",
            "exit-code": 0,
            "stdout": "",
        }

    def test_blocks(self) -> None:
        assert shell("printf 'a<<E\\n1\\n\\nb=2\\nE\\nc=3\\n' >> $GITHUB_OUTPUT").outputs["a"] == "1\n\nb=2"

    def test_of_a_failed_script_are_kept(self) -> None:
        assert shell("echo a=1 >> $GITHUB_OUTPUT; exit 1").outputs["a"] == "1"

    def test_the_deprecated_command(self) -> None:
        result = shell("echo '::set-output name=a::x%0Ay'")
        assert (result.outputs["a"], result.stdout) == ("x\ny", "")

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("a=1\\nnonsense\\n", "GITHUB_OUTPUT, line 2: 'nonsense' is neither 'name=value' nor 'name<<DELIMITER'"),
            ("=1\\n", "GITHUB_OUTPUT, line 1: '=1' is neither 'name=value' nor 'name<<DELIMITER'"),
            ("a<<EOF\\nx\\n", "GITHUB_OUTPUT, line 1: the block of 'a' is not closed by 'EOF'"),
        ],
        ids=["no mark", "no name", "not closed"],
    )
    def test_a_bad_file(self, text: str, error: str) -> None:
        assert message(shell(f"printf '{text}' > $GITHUB_OUTPUT")) == error

    @pytest.mark.parametrize(
        ("script", "error"),
        [
            ("ln -sf /etc/passwd $GITHUB_OUTPUT", "GITHUB_OUTPUT cannot be read: Too many levels of symbolic links"),
            (
                "rm $GITHUB_ENV; mkfifo $GITHUB_ENV",
                "GITHUB_ENV is no plain file any more: the script put something in its place",
            ),
            (
                "ln $GITHUB_PATH second",
                "GITHUB_PATH is no plain file any more: the script put something in its place",
            ),
        ],
        ids=["a link", "a pipe", "a second name"],
    )
    def test_something_else_in_its_place(self, script: str, error: str) -> None:
        """The script may be another user's: nothing is read for it that it could not read itself."""
        assert message(shell(script)) == error

    def test_too_much(self) -> None:
        assert message(shell("head -c 1100000 /dev/zero > $GITHUB_OUTPUT")) == (
            "GITHUB_OUTPUT holds 1,100,000 bytes, at most 1,048,576 are allowed"
        )


class TestStdout:
    def test_white_space_at_its_ends_goes(self) -> None:
        assert shell("echo; echo '  a b '; echo").outputs["stdout"] == "a b"

    def test_a_note_says_what_was_cut(self) -> None:
        text = shell("head -c 39999 /dev/zero | tr '\\0' x; echo").outputs["stdout"]
        assert text == "x" * 32_768 + "\n[cut: the first 32,768 of 40,000 bytes; the step's log has all of it]"

    def test_a_character_at_the_cut(self) -> None:
        text = shell(f"printf x; {sys.executable} -c \"print('ö' * 20000)\"").outputs["stdout"]
        assert text.startswith("xöö")
        assert "\ufffd" not in text


class TestEnvironment:
    def test_variables_for_later_steps(self) -> None:
        assert shell("echo A=1 >> $GITHUB_ENV; printf 'B<<E\\n1\\n2\\nE\\n' >> $WATERFLOW_ENV").env == {
            "A": "1",
            "B": "1\n2",
        }

    @pytest.mark.parametrize("name", ["GITHUB_SHA", "RUNNER_OS", "NODE_OPTIONS"])
    def test_protected_names(self, name: str) -> None:
        result = shell(f"echo {name}=x >> $GITHUB_ENV")
        assert result.env == {}
        assert [event.text for event in result.events] == [f"{name} cannot be set by GITHUB_ENV and was left as it is"]

    def test_paths_for_later_steps(self) -> None:
        assert shell("echo /opt/a >> $GITHUB_PATH; echo /opt/b >> $GITHUB_PATH").paths == ["/opt/b", "/opt/a"]


class TestCommands:
    def test_annotations(self) -> None:
        result = shell(
            "echo '::error file=a.py,line=3,col=5,title=A%3AB%2C::bad%0Aworse 100%25'\n"
            "echo '::warning::careful' >&2\necho '  ::notice::look'\necho '::group::Build'\necho '::endgroup::'"
        )
        assert {(event.event, event.text) for event in result.events} == {
            (LogEventKind.ERROR, "bad"),
            (LogEventKind.ERROR, "worse 100%"),
            (LogEventKind.WARNING, "careful"),
            (LogEventKind.NOTICE, "look"),
            (LogEventKind.GROUP, "Build"),
            (LogEventKind.END_GROUP, ""),
        }
        (place,) = [event.data for event in result.events if event.text == "bad"]
        assert place == {"file": "a.py", "line": 3, "column": 5, "title": "A:B,"}
        assert (result.stdout, result.stderr) == ("", "")

    def test_add_mask(self) -> None:
        result = shell("echo before geheim; echo ::add-mask::geheim; echo geheim; echo t=geheim >> $GITHUB_OUTPUT")
        assert (result.stdout, result.masks) == ("before geheim\n***", ["geheim"])
        assert result.outputs["t"] == "***"

    @pytest.mark.parametrize("command", ["set-env name=A", "add-path"])
    def test_removed_ones_only_warn(self, command: str) -> None:
        result = shell(f"echo '::{command}::x'")
        assert (result.env, result.paths) == ({}, [])
        file = "GITHUB_ENV" if command.startswith("set-env") else "GITHUB_PATH"
        assert [event.text for event in result.events] == [
            f"the command ::{command.split()[0]}:: does nothing: write to the file in ${file} instead"
        ]

    @pytest.mark.parametrize("line", ["a::b::c", "std::vector::x", "::", ":: ::", "::unknown::x", "::1::x"])
    def test_what_is_none_is_text(self, line: str) -> None:
        result = shell(f"echo '{line}'")
        assert (result.stdout, result.events) == (line, [])

    def test_stopped_by_a_token(self) -> None:
        result = shell("echo ::stop-commands::tok; echo ::error::x; echo ::tok::; echo ::error::y")
        assert (result.stdout, [event.text for event in result.events]) == ("::error::x", ["y"])

    def test_a_line_too_long_is_none(self) -> None:
        result = shell(f"{sys.executable} -c \"print('::error::' + 'x' * 70000)\"")
        assert (result.events, len(result.stdout)) == ([], 70_009)


class TestBadInput:
    @pytest.mark.parametrize(
        ("inputs", "text"),
        [
            ({}, "shell: needs a script in `run`"),
            ({"run": "a", "command": "b"}, "shell: `command` is another name of `run`: give one of them"),
            ({"run": 3}, "input 'run' of shell: expected `str`, got `int`"),
            ({"run": "a", "working_dir": "b"}, "shell has no input 'working_dir'; did you mean 'working-directory'?"),
            (
                {"run": "a", "working-directory": "a\0b"},
                "a NUL byte is not allowed in the arguments or the environment of a process",
            ),
        ],
        ids=["nothing", "both", "type", "unknown", "NUL"],
    )
    def test_message(self, inputs: dict[str, Any], text: str) -> None:
        assert message(run_node(Shell, inputs)) == text

    def test_binary_output_and_a_long_line(self) -> None:
        result = shell("head -c 100000 /dev/zero; printf '\\377\\n'")
        assert [record.partial for record in result.records] == [True, False]
        assert result.stdout.endswith("\ufffd")


def test_the_environment_is_not_the_tests_own() -> None:
    os.environ["WATERFLOW_TEST_LEAK"] = "1"
    try:
        assert shell("echo ${WATERFLOW_TEST_LEAK-unset}").stdout == "unset"
    finally:
        del os.environ["WATERFLOW_TEST_LEAK"]
