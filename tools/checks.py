"""All checks of the workspace, one after the other: style, types, each distribution's tests alone, integration tests.

A failing check does not keep the others from running. A few tests that failed are run once more, one at a time and with
nothing beside them: those that pass then are named as unsteady and do not fail the check. The last lines say how each
check ended, how many tests passed, failed and were skipped, and the exit code is 0 only when every check passed. Needs
no more than the Python of .venv.

    python tools/checks.py              all of them
    python tools/checks.py lint agent   only these
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HATCH = Path(sys.executable).with_name("hatch")
REPORTS = ROOT / ".hatch" / "reports"

CHECKS = {
    "lint": "lint:check",
    "types": "types:check",
    "sdk": "isolated-sdk:test",
    "dsl": "isolated-dsl:test",
    "nodes-core": "isolated-nodes-core:test",
    "agent": "isolated-agent:test",
    "server": "isolated-server:test",
    "cli": "isolated-cli:test",
    "integration": "test:test",
    "alone": "test:alone",
}
"""Name of a check → hatch environment and script that is it."""

NEED_SERVERS = ("integration", "alone")
"""Checks that need the S3-compatible server and Vault."""

MOST_AGAIN = 5
"""So many failing tests may be unsteady; when more fail, something is broken."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counts:
    """How many tests passed, failed (errors among them) and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """How one check ended; `counts` is None for a check that is no test run. `seconds` is its wall time.

    `unsteady` are the tests that failed, and passed when they were run again alone; they count as passed.
    """

    name: str
    exit_code: int
    seconds: float
    counts: Counts | None
    unsteady: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = "ok" if self.exit_code == 0 else f"FAILED (exit code {self.exit_code})"
        details = f"  {self.counts}" if self.counts else ""
        unsteady = "".join(f"\n{'':<12} unsteady: {test}" for test in self.unsteady)
        return f"{self.name:<12} {self.seconds:6.1f} s  {verdict}{details}{unsteady}"


def read_report(report: Path) -> Counts | None:
    """The counts in a JUnit report; None when the run ended before it wrote one."""
    if not report.exists():
        return None
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "failures", "errors", "skipped")
    )
    return Counts(passed=total - failures - errors - skipped, failed=failures + errors, skipped=skipped)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Script:
    """A hatch script that may be a run of pytest, which then leaves a JUnit report and what failed."""

    script: str
    environ: dict[str, str]
    name: str

    @property
    def report(self) -> Path:
        return REPORTS / f"{self.name}.xml"

    @property
    def cache(self) -> Path:
        return REPORTS / f"{self.name}.cache"

    def run(self, *arguments: str) -> int:
        """Runs it with its output on the terminal; the exit code."""
        self.report.unlink(missing_ok=True)
        shutil.rmtree(self.cache, ignore_errors=True)
        options = f"{self.environ.get('PYTEST_ADDOPTS', '')} --junit-xml={self.report} -o cache_dir={self.cache}"
        return subprocess.run(
            [HATCH, "run", self.script, *arguments],
            cwd=ROOT,
            env={**self.environ, "PYTEST_ADDOPTS": options},
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode

    def counts(self) -> Counts | None:
        return read_report(self.report)

    def failed(self) -> tuple[str, ...]:
        """Ids of the tests that failed."""
        told = self.cache / "v" / "cache" / "lastfailed"
        return tuple(json.loads(told.read_text())) if told.exists() else ()


def run_again(name: str, tests: tuple[str, ...], environ: dict[str, str]) -> bool:
    """Runs tests of a check once more, alone; whether all of them pass."""
    print(f"\n=== {name}: again, alone", *tests, sep="\n", flush=True)
    listed = REPORTS / f"{name}-again.txt"
    listed.write_text("".join(f"{test}\n" for test in tests))
    environment = CHECKS[name].partition(":")[0]
    again = Script(script=f"{environment}:again", environ=environ, name=f"{name}-again")
    return again.run(f"@{listed}") == 0 and again.counts() == Counts(passed=len(tests))


def run_check(name: str, environ: dict[str, str]) -> Result:
    """Runs one check; a few tests that fail get a second try."""
    print(f"\n=== {name}", flush=True)
    started = time.monotonic()
    check = Script(script=CHECKS[name], environ=environ, name=name)
    exit_code, counts, unsteady = check.run(), check.counts(), ()
    failed = check.failed()
    if counts and counts.failed == len(failed) and 0 < len(failed) <= MOST_AGAIN and run_again(name, failed, environ):
        exit_code, unsteady = 0, failed
        counts = Counts(passed=counts.passed + len(failed), skipped=counts.skipped)
    seconds = time.monotonic() - started
    return Result(name=name, exit_code=exit_code, seconds=seconds, counts=counts, unsteady=unsteady)


def with_component(name: str, variable: str, environ: dict[str, str]) -> dict[str, str]:
    """The environment with the path of a program in it, which is fetched when there is none.

    Without one the tests that need it are skipped, or fail in CI; each says so itself.
    """
    print(f"=== {name}", flush=True)
    found = subprocess.run([HATCH, "run", name], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        return environ
    path = found.stdout.splitlines()[-1]
    print(path, flush=True)
    return {**environ, variable: path}


def parse_arguments() -> list[str]:
    parser = argparse.ArgumentParser(description="Run the checks of the workspace.")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"one of {', '.join(CHECKS)}; default: all")
    names: list[str] = parser.parse_args().checks
    if unknown := [name for name in names if name not in CHECKS]:
        parser.error(f"there is no check {unknown[0]!r}; there are {', '.join(CHECKS)}")
    return names or list(CHECKS)


def main() -> int:
    names = parse_arguments()
    REPORTS.mkdir(parents=True, exist_ok=True)
    environ = dict(os.environ)
    if set(names) - {"lint", "types"}:
        environ = with_component("temporal", "WATERFLOW_TEMPORAL_BINARY", environ)
    if set(names) & set(NEED_SERVERS):
        environ = with_component("versitygw", "WATERFLOW_VERSITYGW_BINARY", environ)
        environ = with_component("vault", "WATERFLOW_VAULT_BINARY", environ)
    results = [run_check(name, environ) for name in names]
    print("\n=== result", *results, sep="\n")
    total = sum((result.counts for result in results if result.counts), Counts())
    print(f"\n{total}", flush=True)
    return int(any(result.exit_code for result in results))


if __name__ == "__main__":
    sys.exit(main())
