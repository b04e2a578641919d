"""``file/read`` and ``file/write``: real files."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from waterflow_nodes_core._paths import explain
from waterflow_nodes_core.file_read import FileRead
from waterflow_nodes_core.file_write import FileWrite
from waterflow_sdk.testing import NodeResult, run_node


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def failure(result: NodeResult) -> tuple[str, str]:
    assert result.error is not None
    return result.error.code, result.error.message


def read(workspace: Path, path: str, **inputs: Any) -> NodeResult:
    return run_node(FileRead, {"path": path, **inputs}, workspace=workspace)


def write(workspace: Path, path: str, content: str, **inputs: Any) -> NodeResult:
    return run_node(FileWrite, {"path": path, "content": content, **inputs}, workspace=workspace)


class TestRead:
    def test_relative_to_the_workspace(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("grün\n", "utf-8")
        data = "grün\n".encode()
        assert read(tmp_path, "a.txt").outputs == {"content": "grün\n", "size": len(data), "sha256": sha256(data)}

    def test_absolute(self, tmp_path: Path) -> None:
        assert read(tmp_path, "/proc/sys/kernel/ostype").outputs["content"] == "Linux\n"

    def test_another_encoding(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"gr\xfcn")
        assert read(tmp_path, "a", encoding="latin-1").outputs["content"] == "grün"

    def test_base64(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"\0\xff")
        assert read(tmp_path, "a", encoding="base64").outputs["content"] == base64.b64encode(b"\0\xff").decode()

    def test_a_limit(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("12345")
        assert read(tmp_path, "a", **{"max-size": 5}).ok
        assert failure(read(tmp_path, "a", **{"max-size": 4})) == (
            "file-too-large",
            "'a' is larger than 4 bytes; raise max-size (up to 65,536) or read a part of it in a script",
        )

    def test_missing(self, tmp_path: Path) -> None:
        assert failure(read(tmp_path, "a")) == ("not-found", "'a' does not exist")

    def test_a_directory(self, tmp_path: Path) -> None:
        assert failure(read(tmp_path, "/tmp")) == ("is-directory", "'/tmp' is a directory, not a file")

    def test_a_file_as_directory(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        assert failure(read(tmp_path, "a/b")) == ("not-directory", "a part of 'a/b' is a file, not a directory")

    def test_a_pipe_does_not_block(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert failure(read(tmp_path, "pipe")) == ("not-regular", "'pipe' is no regular file")

    def test_a_device_without_end(self, tmp_path: Path) -> None:
        assert failure(read(tmp_path, "/dev/zero")) == ("not-regular", "'/dev/zero' is no regular file")

    def test_binary(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"ab\xff")
        assert failure(read(tmp_path, "a")) == (
            "binary-file",
            "'a' is no utf-8 text (byte 0xff at 2); use encoding: base64",
        )

    @pytest.mark.parametrize("encoding", ["utf-9", "hex", "a\0b", ""])
    def test_an_unknown_encoding(self, tmp_path: Path, encoding: str) -> None:
        (tmp_path / "a").touch()
        assert failure(read(tmp_path, "a", encoding=encoding)) == (
            "invalid-input",
            f"encoding {encoding!r} is not known",
        )

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_no_permission(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch(mode=0)
        assert failure(read(tmp_path, "a")) == ("permission-denied", "the agent's user has no permission for 'a'")


class TestSystemErrors:
    """What a test that runs as root cannot provoke."""

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (PermissionError(errno.EACCES, "x"), ("permission-denied", "the agent's user has no permission for 'a'")),
            (OSError(errno.EDQUOT, "x"), ("disk-full", "no space is left on the disk for 'a'")),
            (OSError(errno.EROFS, "Read-only file system"), ("file-error", "'a': Read-only file system")),
        ],
        ids=["permission", "quota", "read-only"],
    )
    def test_in_words(self, error: OSError, expected: tuple[str, str]) -> None:
        explained = explain(error, "a")
        assert (explained.code, explained.message) == expected


class TestPaths:
    @pytest.mark.parametrize("path", ["../a", "x/../../a", "out/passwd"])
    def test_a_relative_one_stays_in_the_workspace(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "out").symlink_to("/etc")
        error = (
            "invalid-input",
            f"the relative path {path!r} leaves the workspace; give an absolute path if that is meant",
        )
        assert failure(read(tmp_path, path)) == error
        assert failure(write(tmp_path, path, "x")) == error

    @pytest.mark.parametrize("path", ["", "a\0b"])
    def test_no_path(self, tmp_path: Path, path: str) -> None:
        assert failure(read(tmp_path, path)) == (
            "invalid-input",
            f"{path!r} is not a path: it is empty or holds a NUL byte",
        )


class TestWrite:
    def test_a_new_file(self, tmp_path: Path) -> None:
        assert write(tmp_path, "a", "grün").outputs == {
            "path": str(tmp_path / "a"),
            "size": 5,
            "sha256": sha256("grün".encode()),
            "changed": True,
        }
        assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o644

    def test_the_same_content_changes_nothing(self, tmp_path: Path) -> None:
        write(tmp_path, "a", "x")
        before = (tmp_path / "a").stat()
        assert write(tmp_path, "a", "x").outputs["changed"] is False
        assert (tmp_path / "a").stat() == before

    def test_it_is_replaced_as_a_whole(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("old")
        with (tmp_path / "a").open() as reader:
            assert write(tmp_path, "a", "new").outputs["changed"] is True
            assert reader.read() == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def test_permissions_stay(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch(mode=0o600)
        write(tmp_path, "a", "new")
        assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o600

    @pytest.mark.parametrize("mode", ["0640", "640"])
    def test_mode(self, tmp_path: Path, mode: str) -> None:
        (tmp_path / "a").write_text("x")
        assert write(tmp_path, "a", "x", mode=mode).outputs["changed"] is True
        assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o640

    def test_append(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("1\n")
        outputs = write(tmp_path, "a", "2\n", append=True).outputs
        assert (tmp_path / "a").read_text() == "1\n2\n"
        assert (outputs["size"], outputs["sha256"], outputs["changed"]) == (4, sha256(b"1\n2\n"), True)

    def test_append_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        assert write(tmp_path, "a", "", append=True).outputs["changed"] is False

    def test_create_directories(self, tmp_path: Path) -> None:
        assert write(tmp_path, "x/y/a", "1", **{"create-directories": True}).ok
        assert (tmp_path / "x/y/a").read_text() == "1"

    def test_a_missing_directory(self, tmp_path: Path) -> None:
        assert failure(write(tmp_path, "x/a", "1")) == (
            "not-found",
            "the directory of 'x/a' does not exist; use create-directories: true to make it",
        )

    def test_through_a_symbolic_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_text("old")
        (tmp_path / "link").symlink_to("real")
        write(tmp_path, "link", "new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() == "new"

    def test_a_directory(self, tmp_path: Path) -> None:
        (tmp_path / "d").mkdir()
        assert failure(write(tmp_path, "d", "x")) == ("is-directory", "'d' is a directory, not a file")

    def test_a_device(self, tmp_path: Path) -> None:
        assert write(tmp_path, "/dev/null", "x").ok
        assert Path("/dev/null").is_char_device()

    def test_a_full_disk(self, tmp_path: Path) -> None:
        assert failure(write(tmp_path, "/dev/full", "x")) == (
            "disk-full",
            "no space is left on the disk for '/dev/full'",
        )

    @pytest.mark.parametrize("mode", ["rw", "9", "0o640", "77777"])
    def test_a_bad_mode(self, tmp_path: Path, mode: str) -> None:
        assert failure(write(tmp_path, "a", "x", mode=mode)) == (
            "invalid-input",
            "input 'mode' of file/write: expected `str` matching regex '^(0?[0-7]{3,4})?$'",
        )

    def test_a_character_that_the_encoding_lacks(self, tmp_path: Path) -> None:
        assert failure(write(tmp_path, "a", "grün", encoding="ascii")) == (
            "invalid-input",
            "the content cannot be written as ascii: '\\xfc' at 2",
        )

    def test_an_unknown_encoding(self, tmp_path: Path) -> None:
        assert failure(write(tmp_path, "a", "x", encoding="utf-9")) == (
            "invalid-input",
            "encoding 'utf-9' is not known",
        )
