"""The spool: files named as their streams, whole lines only, a full disk harms nobody."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from waterflow_agent._logs._spool import Spool

STREAM = "r1/build[web-01]/steps[0].1"


class TestNames:
    @pytest.mark.parametrize(
        "stream",
        [STREAM, "r1/deploy[os=linux, v=1]/steps[1].then[0].2", "r1/a%2Fb/s.1", "r1/ü\t/s.1", f"r1/{'x' * 300}/s.1"],
    )
    def test_a_stream_is_found_again(self, spool: Spool, stream: str) -> None:
        spool.create(stream).close()
        assert list(spool.unshipped()) == [stream]
        spool.shipped(stream)
        assert list(spool.unshipped()) == []

    def test_are_readable(self, spool: Spool, tmp_path: Path) -> None:
        assert spool.path(STREAM) == tmp_path / "logs/open/r1/build[web-01]/steps[0].1.log"

    @pytest.mark.parametrize("stream", ["../../etc/s.1", "/etc/s.1", "r1/../../s.1"])
    def test_never_lead_out_of_the_spool(self, spool: Spool, tmp_path: Path, stream: str) -> None:
        spool.create(stream).close()
        assert spool.path(stream).resolve().is_relative_to(tmp_path / "logs" / "open")
        assert list(spool.unshipped()) == [stream]


class TestWholeLines:
    def test_a_line_that_a_crash_cut_is_dropped(self, spool: Spool) -> None:
        file = spool.create(STREAM)
        file.append(b"one\ntwo\n")
        file.close()
        with spool.path(STREAM).open("ab") as stream:
            stream.write(b"thr" * 50_000)
        again = spool.create(STREAM)
        again.append(b"four\n")
        assert spool.path(STREAM).read_bytes() == b"one\ntwo\nfour\n"
        assert again.length == 13


class TestFullDisk:
    def test_what_does_not_fit_is_cut_away(self, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
        file = spool.create(STREAM)
        file.append(b"one\n")
        real_write = os.write
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda fd, data: real_write(fd, data[:3]))
            assert not file.append(b"two\nthree\n")
        file.append(b"four\n")
        assert spool.path(STREAM).read_bytes() == b"one\nfour\n"
        assert file.failure == "No space left on device"


class TestNotWritable:
    def test_a_read_only_file_system_is_told_at_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Spool(tmp_path)

        def read_only(path: Path, data: bytes) -> int:
            del data
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

        monkeypatch.setattr(Path, "write_bytes", read_only)
        with pytest.raises(OSError, match="Read-only file system"):
            Spool(tmp_path)


class TestAge:
    def test_shipped_files_go_first(self, spool: Spool, tmp_path: Path) -> None:
        for stream in ("r1/a/s.1", "r2/a/s.1"):
            spool.create(stream).close()
            os.utime(spool.path(stream), (0, 0))
        spool.shipped("r1/a/s.1")
        spool.forget(shipped_after=3600, unshipped_after=1e12)
        assert list(spool.unshipped()) == ["r2/a/s.1"]
        assert list((tmp_path / "logs" / "shipped").iterdir()) == []

    def test_a_log_that_is_written_to_stays_however_long_the_step_says_nothing(self, spool: Spool) -> None:
        file = spool.create(STREAM)
        os.utime(file.path, (0, 0))
        spool.forget(shipped_after=1, unshipped_after=1)
        assert spool.path(STREAM).exists()
        file.close()
        spool.forget(shipped_after=1, unshipped_after=1)
        assert not spool.path(STREAM).exists()

    def test_the_name_of_a_hashed_one_goes_with_it_and_not_before(self, spool: Spool, tmp_path: Path) -> None:
        stream = f"r1/{'x' * 300}/s.1"
        spool.create(stream).close()
        for each in (tmp_path / "logs/open").rglob("*.stream"):
            os.utime(each, (0, 0))
        spool.forget(shipped_after=1, unshipped_after=3600)
        assert list(spool.unshipped()) == [stream]
        os.utime(spool.path(stream), (0, 0))
        spool.forget(shipped_after=1, unshipped_after=3600)
        assert list((tmp_path / "logs/open").iterdir()) == []


class TestShippedMeanwhile:
    def test_a_folder_that_is_removed_while_the_next_file_in_it_is_made(
        self, spool: Spool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As when the last file of a job is filed away at the moment in which its next step starts."""
        made, removed = Path.mkdir, [0]

        def mkdir(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
            made(path, mode, parents, exist_ok)
            if removed[0] < 3:
                removed[0] += 1
                path.rmdir()

        monkeypatch.setattr(Path, "mkdir", mkdir)
        file = spool.create("r1/a/s.1")
        assert (removed, Path(file.path).exists()) == ([3], True)
        file.close()

    def test_old_files_are_forgotten_while_folders_come_and_go(self, spool: Spool) -> None:
        going, failed = True, list[BaseException]()

        def ship() -> None:
            number = 0
            while going:
                number += 1
                spool.create(f"r{number}/a/s.1").close()
                spool.shipped(f"r{number}/a/s.1")

        thread = threading.Thread(target=ship)
        thread.start()
        try:
            for _ in range(200):
                spool.forget(shipped_after=-1, unshipped_after=3600)
        except OSError as error:
            failed.append(error)
        going = False
        thread.join()
        assert failed == []
