"""The key ring beside the data."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from waterflow_server.dev import KeyRingInvalid, ensure_key_ring


class TestMissing:
    def test_is_made_for_its_owner_only(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "keys.json"
        ring = ensure_key_ring(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(ring.keys) == [ring.active]
        assert len(ring.keys[ring.active]) == 32
        assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]

    def test_two_are_different(self, tmp_path: Path) -> None:
        assert ensure_key_ring(tmp_path / "a").keys != ensure_key_ring(tmp_path / "b").keys

    def test_in_a_place_that_cannot_be_written_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(KeyRingInvalid) as caught:
            ensure_key_ring(tmp_path / "file" / "data" / "keys.json")
        assert caught.value.message == f"key file {tmp_path}/file/data/keys.json: Not a directory."


class TestPresent:
    def test_is_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "keys.json"
        assert ensure_key_ring(path) == ensure_key_ring(path)

    def test_open_to_others_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "keys.json"
        ensure_key_ring(path)
        path.chmod(0o644)
        with pytest.raises(KeyRingInvalid) as caught:
            ensure_key_ring(path)
        assert caught.value.message == (
            f"The key file {path} can be read or written by other users (mode 0644). Run: chmod 600 {path}"
        )

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"\xff\x00", "JSON is malformed: invalid character (byte 0)"),
            (b"", "Input data was truncated"),
            (json.dumps({"active": "a", "keys": {}}).encode(), "the active key 'a' is not among its keys"),
            (json.dumps({"active": "a", "keys": {"a": "c2hvcnQ="}}).encode(), "key 'a' is not 32 bytes long"),
        ],
        ids=["binary", "empty", "without its active key", "short key"],
    )
    def test_malformed_is_an_error_and_not_replaced(self, tmp_path: Path, content: bytes, reason: str) -> None:
        path = tmp_path / "keys.json"
        path.touch(mode=0o600)
        path.write_bytes(content)
        with pytest.raises(KeyRingInvalid) as caught:
            ensure_key_ring(path)
        assert caught.value.message == (
            f"key file {path}: {reason}. Restore it from a backup. Without its keys nothing that is stored "
            f"can be read; to begin anew remove {tmp_path}."
        )
        assert path.read_bytes() == content
