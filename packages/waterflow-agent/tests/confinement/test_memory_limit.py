"""The limit that counts, the command that sets it, and the words by which it is known that it was hit."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from waterflow_agent._confinement import explained, limit_of
from waterflow_agent._confinement._memory import limited, shown
from waterflow_sdk.node import NotFoundError
from waterflow_sdk.wire import ErrorInfo

MIB = 1024**2
FAILED = ErrorInfo(code="process-failed", message="the script ended with exit code 1", details={"exit_code": 1})


@pytest.mark.parametrize(
    ("asked", "most", "limit"), [(None, None, None), (5, None, 5), (None, 7, 7), (5, 7, 5), (7, 5, 5)]
)
def test_the_lower_one_counts(asked: int | None, most: int | None, limit: int | None) -> None:
    assert limit_of(asked, most) == limit


class TestCommand:
    def test_without_a_limit(self) -> None:
        assert limited(["make", "all"], None) == ["make", "all"]

    def test_is_heeded_by_the_kernel(self) -> None:
        if shutil.which("prlimit") is None:
            pytest.skip("prlimit is not on this machine. Install Debian's package util-linux.")
        done = subprocess.run(limited(["sh", "-c", "ulimit -v"], 256 * MIB), capture_output=True, text=True, check=True)
        assert done.stdout == f"{256 * 1024}\n"

    def test_where_nothing_can_set_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", dict[str, str]().get)
        with pytest.raises(NotFoundError) as raised:
            limited(["make"], MIB)
        assert raised.value.message == ("prlimit, which limits the memory of steps, was not found: install util-linux")


class TestError:
    @pytest.mark.parametrize(
        "line",
        [
            "tail: memory exhausted",
            "MemoryError",
            "terminate called after throwing an instance of 'std::bad_alloc'",
            "bash: fork: Cannot allocate memory",
            "java.lang.OutOfMemoryError: Java heap space",
            "fatal error: out of memory",
            "memory allocation of 1048576 bytes failed",
        ],
    )
    def test_says_the_limit_where_the_output_speaks_of_memory(self, line: str) -> None:
        error = explained(FAILED, ["before", line], 512 * MIB, 512 * MIB)
        assert (error.code, error.message, error.details) == (
            "memory-limit",
            "the script ended with exit code 1: a process of it was refused memory; the limit is 512 MiB "
            "(its `resources.memory`)",
            {"exit_code": 1, "memory_limit": 512 * MIB},
        )

    def test_names_the_agent_where_that_is_stricter(self) -> None:
        assert explained(FAILED, ["MemoryError"], MIB, 2 * MIB).message.endswith("(the agent's `nodes.memory_limit`)")

    def test_is_left_alone_otherwise(self) -> None:
        assert explained(FAILED, ["no such file"], MIB, MIB) is FAILED


@pytest.mark.parametrize(
    ("amount", "words"), [(1536 * MIB, "1.5 GiB"), (MIB, "1 MiB"), (2048, "2 KiB"), (5, "5 bytes")]
)
def test_amounts_in_words(amount: int, words: str) -> None:
    assert shown(amount) == words
