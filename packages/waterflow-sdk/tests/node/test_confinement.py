"""What a host puts around the processes of a step."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from waterflow_sdk.node import PermissionDenied
from waterflow_sdk.node._process import StepProcesses


class Recorded:
    """Runs everything through env(1), and writes down what it is asked."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.prepared = 0
        self.signals: list[signal.Signals] = []

    async def prepare(self) -> None:
        self.prepared += 1
        if self.refusal:
            raise self.refusal

    def command(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> tuple[list[str], Path]:
        return ["env", "-C", str(cwd), f"WRAPPED={env['NAME']}", *argv], Path("/")

    async def signal(self, group: int, number: signal.Signals) -> None:
        self.signals.append(number)
        os.killpg(group, number)


def processes(confinement: Recorded) -> StepProcesses:
    return StepProcesses(grace=5.0, confinement=confinement)


class TestConfinement:
    async def test_each_process_goes_through_it(self, tmp_path: Path) -> None:
        confinement, lines = Recorded(), list[str]()
        step = processes(confinement)
        env = {"NAME": "deploy", "PATH": os.environ["PATH"]}
        for script in ("echo $WRAPPED", "pwd"):
            result = await step.run(
                ["sh", "-c", script], env=env, cwd=tmp_path, on_stdout=lines.append, on_stderr=print
            )
            assert result.ok
        assert "".join(lines) == f"deploy\n{tmp_path}\n"
        assert confinement.prepared == 2

    async def test_nothing_is_started_where_it_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(PermissionDenied, match="sudo says no"):
            await processes(Recorded(PermissionDenied("sudo says no"))).run(
                ["touch", "made"], env={"NAME": "x"}, cwd=tmp_path, on_stdout=print, on_stderr=print
            )
        assert os.listdir(tmp_path) == []

    async def test_signals_go_through_it(self, tmp_path: Path) -> None:
        confinement, started = Recorded(), asyncio.Event()
        env = {"NAME": "x", "PATH": os.environ["PATH"]}
        running = asyncio.create_task(
            processes(confinement).run(
                ["sh", "-c", "echo here; sleep 60"],
                env=env,
                cwd=tmp_path,
                on_stdout=lambda _text: started.set(),
                on_stderr=print,
            )
        )
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert confinement.signals == [signal.SIGTERM]
