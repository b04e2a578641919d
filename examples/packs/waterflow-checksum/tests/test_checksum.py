"""The pack's own tests: no agent and no server is needed."""

from hashlib import sha256
from pathlib import Path

import pytest
from waterflow_checksum import Check, Make

from waterflow_sdk.testing import assert_conforms, run_node

DIGEST = sha256(b"hello").hexdigest()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"hello")
    return tmp_path


@pytest.mark.parametrize("node", [Make, Check])
def test_conformance(node: object) -> None:
    assert_conforms(node)


def test_the_digest_is_an_output(workspace: Path) -> None:
    result = run_node(Make, {"path": "file"}, workspace=workspace)
    assert result.outputs == {"digest": DIGEST}
    assert [event.text for event in result.events] == ["5 of 5 bytes"]


def test_a_file_that_is_not_there(workspace: Path) -> None:
    error = run_node(Make, {"path": "other"}, workspace=workspace).error
    assert error is not None
    assert (error.code, error.message) == ("not-found", "there is no file 'other' in the workspace")


def test_the_right_digest(workspace: Path) -> None:
    assert run_node(Check, {"path": "file", "sha256": DIGEST}, workspace=workspace).outputs == {"algorithm": "sha256"}


def test_another_digest(workspace: Path) -> None:
    error = run_node(Check, {"path": "file", "sha256": "00"}, workspace=workspace).error
    assert error is not None
    assert (error.code, error.message) == ("checksum-mismatch", f"file has the sha256 {DIGEST}, not 00")


def test_neither_digest_nor_both(workspace: Path) -> None:
    error = run_node(Check, {"path": "file"}, workspace=workspace).error
    assert error is not None
    assert error.message == "checksum/check: give either sha256 or sha512"
