"""Small objects of a log in a bucket are merged; whoever reads, adds or removes meanwhile notices nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from logs._s3 import KEYS, Gateway, texts
from waterflow_sdk.wire import LogRecord, LogStreamKind, StreamName
from waterflow_server.logs import S3LogStore
from waterflow_server.logs._bucket import Bucket
from waterflow_server.logs._mirror import MirroredJournal
from waterflow_server.logs._segments import merged_name

STREAM = StreamName.parse("r1/deploy[web-01]/steps[0].1")
NOW = timedelta(seconds=-60)
"""What is there at all is settled."""


def line(text: str) -> bytes:
    record = LogRecord(time=datetime.now(UTC), stream=LogStreamKind.STDOUT, text=text)
    return msgspec.json.encode(record) + b"\n"


async def write(store: S3LogStore, numbers: range, length: int = 0) -> int:
    """One object for each number."""
    for number in numbers:
        length = await store.append(STREAM, length, line(str(number)), "web-01")
    return length


def numbers(stop: int) -> list[str]:
    return [str(number) for number in range(stop)]


def hours_pass(*stores: S3LogStore) -> None:
    """Between a look into the bucket and the merging of what it did not see."""
    for store in stores:
        for journal in store._journals.values():
            assert isinstance(journal, MirroredJournal)
            journal._looked.forget()


@pytest.fixture
def bucket(gateway: Gateway) -> Iterator[Bucket]:
    bucket = Bucket(gateway.address, KEYS)
    yield bucket
    bucket.close()


class TestMerge:
    async def test_many_objects_become_one_and_cursors_hold(
        self, store: S3LogStore, another: S3LogStore, gateway: Gateway
    ):
        await write(store, range(20))
        lines = [line async for batch in store.read("r1") for line in batch.lines]
        assert await store.compact(NOW) == 20
        assert len(gateway.objects()) == 1
        assert await texts(store) == await texts(another) == numbers(20)
        assert await texts(another, lines[11].cursor) == numbers(20)[12:]

    async def test_what_is_young_or_few_stays(self, store: S3LogStore, gateway: Gateway):
        await write(store, range(20))
        assert await store.compact() == 0
        await store.append(StreamName.parse("r2/a/s.1"), 0, line("x"), "web-01")
        assert await store.compact(NOW) == 20
        assert len(gateway.objects()) == 2

    async def test_the_log_goes_on_behind_it(self, store: S3LogStore, another: S3LogStore, gateway: Gateway):
        length = await write(store, range(10))
        await store.compact(NOW)
        length = await write(another, range(10, 20), length)
        length = await write(store, range(20, 30), length)
        await another.compact(NOW)
        hours_pass(store, another)
        assert len(gateway.objects()) == 2
        await write(store, range(30, 31), length)
        assert await texts(store) == await texts(another) == numbers(31)

    async def test_nothing_is_left_of_it_when_the_log_is_removed(self, store: S3LogStore, gateway: Gateway):
        await write(store, range(10))
        await store.compact(NOW)
        assert await store.remove("r1")
        assert gateway.objects() == []
        assert await texts(store) == []


class TestServerThatHasAPart:
    async def test_reads_on(self, store: S3LogStore, another: S3LogStore):
        length = await write(store, range(5))
        assert await texts(another) == numbers(5)
        await write(store, range(5, 20), length)
        await store.compact(NOW)
        hours_pass(another)
        assert await texts(another) == numbers(20)

    async def test_adds_nothing_in_the_place_of_what_was_merged(
        self, store: S3LogStore, another: S3LogStore, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ):
        known = await write(store, range(5))
        assert await texts(another) == numbers(5)
        chunks = [line(str(number)) for number in range(5, 21)]
        length = known
        for chunk in chunks[:-1]:
            length = await store.append(STREAM, length, chunk, "web-01")
        await store.compact(NOW)
        real, slept = MirroredJournal._add, False

        def sleeps_before(journal: MirroredJournal, chunk: bytes) -> bool:
            nonlocal slept
            if not slept:  # the host is suspended after the last look, before the request
                slept = True
                hours_pass(another)
            return real(journal, chunk)

        monkeypatch.setattr(MirroredJournal, "_add", sleeps_before)
        await another.append(STREAM, known, b"".join(chunks), "web-01")
        assert slept
        assert len(gateway.objects()) == 2
        assert await texts(store) == await texts(another) == numbers(21)


class TestSeveralServers:
    async def test_merging_at_once_lose_nothing(self, store: S3LogStore, another: S3LogStore, gateway: Gateway):
        await write(store, range(40))
        await asyncio.gather(*(each.compact(NOW) for each in (store, another)))
        await store.compact(NOW)
        assert len(gateway.objects()) == 1
        assert await texts(store) == await texts(another) == numbers(40)

    async def test_what_one_left_that_was_killed_in_between_is_tidied_up(
        self, store: S3LogStore, another: S3LogStore, gateway: Gateway, bucket: Bucket
    ):
        length = await write(store, range(10))
        keys = [each.key for each in bucket.list("r1/")]
        parts = [bucket.get(key) or b"" for key in keys]
        bucket.put_new(merged_name("r1", 0, sum(map(len, parts))), b"".join(parts))
        bucket.delete(keys[4])
        await write(store, range(10, 12), length)
        assert await texts(another) == await texts(store) == numbers(12)
        assert await store.compact(NOW) == 9
        assert len(gateway.objects()) == 3
        assert await texts(another) == numbers(12)

    async def test_a_log_that_is_removed_meanwhile_does_not_come_back(
        self, store: S3LogStore, another: S3LogStore, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ):
        await write(store, range(10))
        loop, real = asyncio.get_running_loop(), Bucket.put_new

        def removed_before(bucket: Bucket, key: str, data: bytes) -> bool:
            asyncio.run_coroutine_threadsafe(another.remove("r1"), loop).result(60)
            return real(bucket, key, data)

        monkeypatch.setattr(Bucket, "put_new", removed_before)
        assert await store.compact(NOW) == 0
        assert gateway.objects() == []
