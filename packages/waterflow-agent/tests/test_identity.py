"""The state directory: one process at a time, an id that stays."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from waterflow_agent._errors import StateError
from waterflow_agent._identity import StateDirectory

HOLD = """
import asyncio, signal, sys
from pathlib import Path
from waterflow_agent._identity import StateDirectory
signal.signal(signal.SIGTERM, {handler})
state = StateDirectory(Path(sys.argv[1]))
asyncio.run(state.lock())
print("held", flush=True)
signal.pause()
signal.pause()
"""


async def holder(path: Path, handler: str) -> asyncio.subprocess.Process:
    """Another process that holds the directory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD.format(handler=handler), str(path), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    return process


class TestLock:
    async def test_a_newer_agent_takes_over(self, tmp_path: Path) -> None:
        former = await holder(tmp_path, "lambda *_: sys.exit(0)")
        state = StateDirectory(tmp_path)
        await state.lock()
        await asyncio.wait_for(former.communicate(), 60)
        assert former.returncode == 0
        state.release()

    async def test_a_process_that_does_not_leave(self, tmp_path: Path) -> None:
        former = await holder(tmp_path, "signal.SIG_IGN")
        with pytest.raises(StateError) as raised:
            await StateDirectory(tmp_path).lock(within=0.3)
        assert raised.value.message == (
            f"the state directory {tmp_path} is used by process {former.pid}: "
            "it was asked to stop, and has not within 0.3 s"
        )
        former.kill()
        await former.communicate()

    async def test_goes_with_a_process_that_is_killed(self, tmp_path: Path) -> None:
        former = await holder(tmp_path, "signal.SIG_IGN")
        former.send_signal(signal.SIGKILL)
        await former.communicate()
        state = StateDirectory(tmp_path)
        await state.lock(take_over=False)
        state.release()

    async def test_without_take_over(self, tmp_path: Path) -> None:
        state = StateDirectory(tmp_path)
        await state.lock()
        with pytest.raises(StateError, match="stop it first, or give this agent another state directory"):
            await StateDirectory(tmp_path).lock(take_over=False)
        state.release()

    async def test_a_directory_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StateError) as raised:
            await StateDirectory(tmp_path / "file" / "state").lock()
        assert raised.value.message == (
            f"the state directory {tmp_path}/file/state cannot be used: Not a directory; "
            "give another one with --state-dir"
        )


class TestId:
    def test_is_made_once_and_kept(self, tmp_path: Path) -> None:
        first = StateDirectory(tmp_path).agent_id(None)
        assert StateDirectory(tmp_path).agent_id(None) == first

    def test_a_given_one_counts(self, tmp_path: Path) -> None:
        StateDirectory(tmp_path).agent_id(None)
        assert StateDirectory(tmp_path).agent_id("web-01") == "web-01"

    @pytest.mark.parametrize("kept", ["", "\x00\x01", "x" * 300])
    def test_an_unusable_one_is_replaced(self, tmp_path: Path, kept: str) -> None:
        (tmp_path / "agent-id").write_text(kept)
        made = StateDirectory(tmp_path).agent_id(None)
        assert made == (tmp_path / "agent-id").read_text().strip() != kept


class TestHome:
    """What tells a state directory from every other one."""

    def test_the_nonce_is_made_once(self, tmp_path: Path) -> None:
        home = StateDirectory(tmp_path).home()
        assert (home.directory, home.process) == (str(tmp_path), os.getpid())
        assert StateDirectory(tmp_path).home() == home

    def test_a_directory_that_was_moved_keeps_it(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        home = StateDirectory(tmp_path / "a").home()
        (tmp_path / "a").rename(tmp_path / "b")
        assert StateDirectory(tmp_path / "b").home().nonce == home.nonce

    def test_a_copy_gets_another_and_keeps_that(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        home = StateDirectory(tmp_path / "a").home()
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        copied = StateDirectory(tmp_path / "b").home()
        assert copied.nonce != home.nonce
        assert StateDirectory(tmp_path / "b").home() == copied
        assert StateDirectory(tmp_path / "a").home() == home

    @pytest.mark.parametrize("kept", [b"", b"\xff", b"[]", b'{"value":"","inode":0}'])
    def test_one_that_cannot_be_read_is_replaced(self, tmp_path: Path, kept: bytes) -> None:
        (tmp_path / "nonce").write_bytes(kept)
        home = StateDirectory(tmp_path).home()
        assert home.nonce
        assert StateDirectory(tmp_path).home() == home

    def test_one_that_cannot_be_kept_is_told_of(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "nonce.new").mkdir()
        assert StateDirectory(tmp_path).home().nonce
        assert caplog.messages == [
            f"{tmp_path}/nonce cannot be written (Is a directory): started after a kill, this agent has to wait until "
            "its lease has run out"
        ]
