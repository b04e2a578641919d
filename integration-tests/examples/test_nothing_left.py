"""However `run --local` ends, no process of its stack lives on and no temporary file stays."""

import signal
import subprocess
from pathlib import Path

from harness.command import Command
from harness.processes import nothing_left_running

SUCCESS = "name: short\njobs: {a: {runs-on: local, steps: [run: echo done]}}\n"
FAILURE = "name: broken\njobs: {a: {runs-on: local, steps: [run: exit 3]}}\n"
INVALID = "name: invalid\njobs: {a: {runs-on: local, needs: b, steps: [run: echo]}}\n"
UNKNOWN_NODE = "name: unknown\njobs: {a: {runs-on: local, steps: [uses: no/such-node]}}\n"
# The step starts a process of its own in the background, which must not stay either.
LONG = "name: long\njobs: {a: {runs-on: local, steps: [run: sleep 300 & echo begun; sleep 300]}}\n"


def write(waterflow: Command, text: str) -> str:
    """A workflow file in the command's home."""
    (waterflow.home / "flow.yaml").write_text(text)
    return "flow.yaml"


def start_and_wait_for_the_step(waterflow: Command, *options: str) -> subprocess.Popen[str]:
    """`run --local` of a step that takes long, which has begun."""
    process = waterflow.start("run", "--local", *options, write(waterflow, LONG))
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any(line.endswith("] begun\n") for line in lines), process.wait(60)
    return process


def left_in_tmp(waterflow: Command) -> list[str]:
    """What was not removed from the directory for temporary files."""
    return [path.name for path in (waterflow.home / "tmp").iterdir()]


class TestAfterTheRun:
    def test_that_succeeded(self, waterflow: Command):
        with nothing_left_running():
            assert waterflow.run("run", "--local", "--agents", "2", write(waterflow, SUCCESS)).code == 0
        assert left_in_tmp(waterflow) == []

    def test_that_failed(self, waterflow: Command):
        with nothing_left_running():
            assert waterflow.run("run", "--local", write(waterflow, FAILURE)).code == 1
        assert left_in_tmp(waterflow) == []

    def test_that_never_began_because_the_file_has_an_error(self, waterflow: Command):
        with nothing_left_running():
            assert waterflow.run("run", "--local", write(waterflow, INVALID)).code == 2
        assert left_in_tmp(waterflow) == []

    def test_that_never_began_because_the_server_refused_it(self, waterflow: Command):
        with nothing_left_running():
            assert waterflow.run("run", "--local", write(waterflow, UNKNOWN_NODE)).code == 2
        assert left_in_tmp(waterflow) == []


class TestWhenInterrupted:
    def test_by_ctrl_c_the_step_is_ended_first(self, waterflow: Command):
        with nothing_left_running():
            process = start_and_wait_for_the_step(waterflow)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=180)
            assert process.returncode == 130
        assert "interrupted: the run is being cancelled (Ctrl-C again stops at once)\n" in said
        assert left_in_tmp(waterflow) == []

    def test_by_sigterm(self, waterflow: Command):
        with nothing_left_running():
            process = start_and_wait_for_the_step(waterflow)
            process.terminate()
            process.communicate(timeout=180)
            assert process.returncode == 143
        assert left_in_tmp(waterflow) == []

    def test_while_the_stack_is_still_starting(self, waterflow: Command):
        with nothing_left_running():
            process = waterflow.start("run", "--local", write(waterflow, SUCCESS))
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Temporal answers at ")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=180)
            assert process.returncode == 130
        assert left_in_tmp(waterflow) == []


class TestWhenKilled:
    def test_by_sigkill_the_stack_notices_and_ends(self, waterflow: Command, tmp_path: Path):
        data = tmp_path / "data"
        with nothing_left_running(within=120):
            process = start_and_wait_for_the_step(waterflow, "--data-dir", str(data))
            process.kill()
            process.communicate(timeout=180)
        assert left_in_tmp(waterflow) == []
        assert waterflow.run("run", "--local", "--data-dir", str(data), write(waterflow, SUCCESS)).code == 0
