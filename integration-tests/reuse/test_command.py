"""The command finds the files that a workflow calls by itself, and sends nothing else."""

from pathlib import Path

import pytest
from harness.command import Command, steady

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "reusable" / "deploy.yaml"

CALLED = "on: call\njobs: {a: {runs-on: local, steps: [{run: echo called}]}}\n"

END = """\
JOB                    HOST     STATE      DURATION  ERROR
release                         ✓ success  0.0s
release[shop]/build    local-1  ✓ success  0.0s
release[shop]/start    local-1  ✓ success  0.0s
release                         ✓ success  0.0s
release[search]/build  local-1  ✓ success  0.0s
release[search]/start  local-1  ✓ success  0.0s
look                   local-1  ✓ success  0.0s
"""


@pytest.fixture
def waterflow(tmp_path: Path, temporal_binary: Path) -> Command:
    """`waterflow`, in a directory of its own."""
    return Command(tmp_path, temporal_binary)


class TestTheExample:
    def test_runs_as_its_first_lines_say(self, waterflow: Command):
        result = waterflow.run("run", str(EXAMPLE), "--local", "--input", "version=1.4")
        assert result.code == 0, result.stderr
        text = steady(result.stdout)
        assert "released https://shop.example/ and https://search.example/\n" in text
        assert "starting registry.example/search:1.4\n" in text
        assert END in text


class TestFiles:
    def _validate(self, waterflow: Command, *options: str) -> tuple[int, str]:
        result = waterflow.run("validate", "dir/w.yaml", "--no-server-catalog", *options)
        return result.code, result.stdout + result.stderr

    def _write(self, root: Path, called: str) -> None:
        (root / "dir").mkdir()
        (root / "dir" / "w.yaml").write_text(f"jobs: {{a: {{uses: {called}}}}}\n")

    def test_below_its_directory_are_sent(self, waterflow: Command, tmp_path: Path):
        self._write(tmp_path, "./lib/called.yaml")
        (tmp_path / "dir" / "lib").mkdir()
        (tmp_path / "dir" / "lib" / "called.yaml").write_text(CALLED)
        assert self._validate(waterflow) == (0, "dir/w.yaml: valid\n")

    def test_outside_of_it_only_when_they_are_named(self, waterflow: Command, tmp_path: Path):
        self._write(tmp_path, "../called.yaml")
        (tmp_path / "called.yaml").write_text(CALLED)
        assert self._validate(waterflow) == (
            2,
            "error: the workflow calls '../called.yaml', which is outside of its directory\n"
            "hint: to send it along, name it: --file dir/../called.yaml\n",
        )
        assert self._validate(waterflow, "--file", "called.yaml") == (0, "dir/w.yaml: valid\n")

    def test_a_link_out_of_it_is_outside(self, waterflow: Command, tmp_path: Path):
        self._write(tmp_path, "./called.yaml")
        (tmp_path / "secret.yaml").write_text(CALLED)
        (tmp_path / "dir" / "called.yaml").symlink_to(tmp_path / "secret.yaml")
        code, text = self._validate(waterflow)
        assert (code, "'called.yaml', which is outside of its directory" in text) == (2, True)

    def test_a_mistake_is_shown_with_the_line_of_its_own_file(self, waterflow: Command, tmp_path: Path):
        self._write(tmp_path, "./called.yaml")
        (tmp_path / "dir" / "called.yaml").write_text("on: call\njobs: {a: {stepz: 1}}\n")
        code, text = self._validate(waterflow)
        assert code == 2
        assert "dir/called.yaml:2:" in text
        assert "jobs: {a: {stepz: 1}}" in text

    def test_one_that_is_not_there(self, waterflow: Command, tmp_path: Path):
        self._write(tmp_path, "./gone.yaml")
        code, text = self._validate(waterflow)
        assert (code, "the workflow `./gone.yaml` is not among the files" in text) == (2, True)
