"""The payload codec: what is sealed opens with the keys of a ring, which may change while it is in use."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from waterflow_sdk.codec import CodecError, KeyFile, KeyRing, PayloadCodec, UnknownKey

OLD, NEW = bytes(32), bytes(range(32))


def write(path: Path, active: str, keys: Mapping[str, bytes]) -> Path:
    """Replace a key file as an administrator should: in one step."""
    text = msgspec.json.encode(
        {"active": active, "keys": {name: base64.b64encode(key).decode() for name, key in keys.items()}}
    )
    beside = path.with_suffix(".new")
    beside.write_bytes(text)
    beside.replace(path)
    return path


class TestRing:
    def test_older_keys_open_what_they_sealed(self) -> None:
        sealed = PayloadCodec(KeyRing(active="old", keys={"old": OLD})).seal(b"text")
        codec = PayloadCodec(KeyRing(active="new", keys={"new": NEW, "old": OLD}))
        assert codec.open(sealed.data, sealed.metadata) == b"text"
        assert codec.seal(b"text").metadata["key"] == b"new"

    def test_an_unknown_key_is_named(self) -> None:
        sealed = PayloadCodec(KeyRing(active="2026-10", keys={"2026-10": OLD})).seal(b"text")
        with pytest.raises(UnknownKey, match=r"^payload is sealed with key '2026-10', which is not in this key ring$"):
            PayloadCodec(KeyRing(active="new", keys={"new": NEW})).open(sealed.data, sealed.metadata)

    def test_the_wrong_key_under_the_same_name(self) -> None:
        sealed = PayloadCodec(KeyRing(active="a", keys={"a": OLD})).seal(b"text")
        with pytest.raises(CodecError, match=r"^payload does not open with its key: it was changed or cut$"):
            PayloadCodec(KeyRing(active="a", keys={"a": NEW})).open(sealed.data, sealed.metadata)


class TestFile:
    """A file that changes while it is in use."""

    def test_a_new_key_is_taken_up(self, tmp_path: Path) -> None:
        file = KeyFile(write(tmp_path / "keys.json", "old", {"old": OLD}))
        codec = PayloadCodec(file)
        before = codec.seal(b"text")
        write(tmp_path / "keys.json", "new", {"old": OLD, "new": NEW})
        assert file.look().active == "new"
        assert codec.seal(b"text").metadata["key"] == b"new"
        assert codec.open(before.data, before.metadata) == b"text"

    def test_an_unknown_key_is_looked_for_at_once(self, tmp_path: Path) -> None:
        codec = PayloadCodec(KeyFile(write(tmp_path / "keys.json", "old", {"old": OLD})))
        sealed = PayloadCodec(KeyRing(active="new", keys={"new": NEW})).seal(b"text")
        write(tmp_path / "keys.json", "old", {"old": OLD, "new": NEW})
        assert codec.open(sealed.data, sealed.metadata) == b"text"

    def test_a_key_that_was_removed_opens_nothing_more(self, tmp_path: Path) -> None:
        file = KeyFile(write(tmp_path / "keys.json", "old", {"old": OLD}))
        codec = PayloadCodec(file)
        sealed = codec.seal(b"text")
        write(tmp_path / "keys.json", "new", {"new": NEW})
        file.look()
        with pytest.raises(UnknownKey):
            codec.open(sealed.data, sealed.metadata)

    @pytest.mark.parametrize("remove", [True, False])
    def test_one_that_cannot_be_read_changes_nothing(
        self, tmp_path: Path, remove: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = write(tmp_path / "keys.json", "old", {"old": OLD})
        file = KeyFile(path)
        if remove:
            os.remove(path)
        else:
            path.write_text("{")
        with caplog.at_level(logging.ERROR):
            assert file.look().active == "old"
            assert file.look().active == "old"
        (record,) = caplog.records
        assert record.getMessage().startswith(f"key file {path}: ")
        assert record.getMessage().endswith("; the keys that were there before stay in use")

    def test_that_is_not_there_at_start(self, tmp_path: Path) -> None:
        with pytest.raises(CodecError, match=r"^key file .*/none: No such file or directory$"):
            KeyFile(tmp_path / "none")
