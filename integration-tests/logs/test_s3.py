"""The log store on a real S3-compatible server: the same journal for all servers, each chunk once."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from harness import Site

from logs._proof import Blow, Plan, prove, start_agents
from logs._s3 import KEYS, Gateway, texts
from waterflow_sdk.wire import LogRecord, LogStreamKind, StreamName
from waterflow_server.logs import Credentials, OffsetMismatch, S3LogStore, StoreUnavailable, sweep

STREAM = StreamName.parse("r1/deploy[web-01]/steps[0].1")
OTHER = StreamName.parse("r1/deploy[web-02]/steps[0].1")


def lines(*texts: str) -> bytes:
    records = (LogRecord(time=datetime.now(UTC), stream=LogStreamKind.STDOUT, text=text) for text in texts)
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


class TestOffset:
    async def test_a_chunk_that_is_sent_again_is_kept_once(self, store: S3LogStore, gateway: Gateway):
        chunk = lines("a", "b")
        assert [await store.append(STREAM, 0, chunk, "web-01") for _ in range(3)] == [len(chunk)] * 3
        assert await texts(store) == ["a", "b"]
        assert gateway.objects() == ["r1/000000000000000"]

    async def test_a_gap_is_refused_by_a_server_that_has_not_seen_the_stream(
        self, store: S3LogStore, another: S3LogStore
    ):
        length = await store.append(STREAM, 0, lines("a"), "web-01")
        with pytest.raises(OffsetMismatch) as raised:
            await another.append(STREAM, length + 1, lines("c"), "web-01")
        assert raised.value.expected == length


class TestSeveralServers:
    async def test_an_agent_may_change_between_them_with_every_chunk(self, store: S3LogStore, another: S3LogStore):
        length = 0
        for number in range(20):
            length = await (store, another)[number % 2].append(STREAM, length, lines(str(number)), "web-01")
        assert await texts(store) == await texts(another) == [str(number) for number in range(20)]

    async def test_the_same_chunk_sent_to_both_at_once_is_kept_once(self, store: S3LogStore, another: S3LogStore):
        length = 0
        for number in range(20):
            chunk = lines(str(number))
            _, length = await asyncio.gather(*(each.append(STREAM, length, chunk, "w") for each in (store, another)))
        assert await texts(store) == await texts(another) == [str(number) for number in range(20)]

    async def test_two_streams_at_once_have_one_order_for_all(
        self, store: S3LogStore, another: S3LogStore, gateway: Gateway, tmp_path: Path
    ):
        async def write(store: S3LogStore, stream: StreamName, name: str) -> None:
            length = 0
            for number in range(30):
                length = await store.append(stream, length, lines(f"{name}{number}"), name)

        await asyncio.gather(write(store, STREAM, "a"), write(another, OTHER, "b"))
        third = S3LogStore(gateway.address, KEYS, tmp_path / "three")
        found = await texts(third)
        third.close()
        assert found == await texts(store) == await texts(another)
        for name in "ab":
            assert [text for text in found if text[0] == name] == [f"{name}{number}" for number in range(30)]

    async def test_a_cursor_of_one_is_a_cursor_of_the_other(self, store: S3LogStore, another: S3LogStore):
        length = await store.append(STREAM, 0, lines("a", "b"), "web-01")
        (batch,) = [batch async for batch in store.read("r1")]
        await store.append(STREAM, length, lines("c"), "web-01")
        assert await texts(another, batch.lines[0].cursor) == ["b", "c"]

    async def test_also_one_for_what_the_other_has_not_seen_yet(self, store: S3LogStore, another: S3LogStore):
        length = await store.append(STREAM, 0, lines("a"), "web-01")
        assert await texts(another) == ["a"]
        await store.append(STREAM, length, lines("b", "c"), "web-01")
        *_, batch = [batch async for batch in store.read("r1")]
        assert await texts(another, batch.lines[-2].cursor) == ["c"]

    async def test_a_follower_sees_what_the_other_took(self, store: S3LogStore, another: S3LogStore):
        waiting = asyncio.create_task(store.wait("r1", None, 20.0))
        await another.append(STREAM, 0, lines("a"), "web-01")
        assert await waiting
        assert await texts(store) == ["a"]


class TestMirror:
    async def test_one_that_was_removed_is_made_again(self, store: S3LogStore, gateway: Gateway, tmp_path: Path):
        length = await store.append(STREAM, 0, lines("a"), "web-01")
        for mirror in (tmp_path / "one").rglob("*.journal"):
            mirror.unlink()
        await store.append(STREAM, length, lines("b"), "web-01")
        assert await texts(store) == ["a", "b"]
        assert len(gateway.objects()) == 2

    async def test_those_of_a_process_that_is_gone_are_removed(self, gateway: Gateway, tmp_path: Path):
        old = tmp_path / "one" / f"{socket.gethostname()}-4194305"  # beyond the largest process id of Linux
        old.mkdir(parents=True)
        S3LogStore(gateway.address, KEYS, tmp_path / "one").close()
        assert not old.exists()


class TestRemove:
    async def test_nothing_is_left_and_it_may_begin_again(self, store: S3LogStore, gateway: Gateway):
        length = await store.append(STREAM, 0, lines("a"), "web-01")
        await store.append(STREAM, length, lines("b"), "web-01")
        assert await store.remove("r1")
        assert not await store.remove("r1")
        assert gateway.objects() == []
        await store.append(STREAM, 0, lines("c"), "web-01")
        assert await texts(store) == ["c"]

    async def test_retention(self, store: S3LogStore, gateway: Gateway):
        for run in ("known", "forgotten"):
            await store.append(StreamName.parse(f"{run}/a/s.1"), 0, lines("a"), "web-01")

        async def knows(run: str) -> bool:
            return run == "known"

        assert await sweep(store, knows, timedelta(hours=1)) == []
        assert await sweep(store, knows, timedelta(seconds=-60)) == ["forgotten"]
        assert gateway.objects() == ["known/000000000000000"]


class TestAway:
    async def test_it_is_said_and_nothing_is_lost(self, store: S3LogStore, gateway: Gateway):
        length = await store.append(STREAM, 0, lines("a"), "web-01")
        gateway.kill()
        with pytest.raises(
            StoreUnavailable, match=r"the log store http://127.0.0.1:\d+/logs/waterflow/ cannot be used"
        ):
            await store.append(STREAM, length, lines("b"), "web-01")
        gateway.start()
        await store.append(STREAM, length, lines("b"), "web-01")
        assert await texts(store) == ["a", "b"]


class TestCheck:
    async def test_a_good_bucket(self, store: S3LogStore, gateway: Gateway):
        await store.check()
        assert gateway.objects() == []

    @pytest.mark.parametrize(
        ("bucket", "keys", "reason"),
        [
            ("none", KEYS, "404 NoSuchBucket: The specified bucket does not exist"),
            ("logs", Credentials(key_id=KEYS.key_id, secret="wrong"), "403 SignatureDoesNotMatch"),
            ("logs", Credentials(key_id="nobody", secret="wrong"), "404 XAdminUserNotFound"),
        ],
        ids=["no bucket", "a wrong secret", "nobody"],
    )
    async def test_a_bad_one(self, gateway: Gateway, tmp_path: Path, bucket: str, keys: Credentials, reason: str):
        store = S3LogStore(msgspec.structs.replace(gateway.address, bucket=bucket), keys, tmp_path / "one")
        with pytest.raises(StoreUnavailable) as raised:
            await store.check()
        store.close()
        assert f"is answered with {reason}" in raised.value.message
        assert "wrong" not in raised.value.message


@pytest.mark.slow
class TestNumberedLines:
    @pytest.mark.usefixtures("temporal_binary")
    async def test_each_once_and_in_order_though_server_and_agent_are_killed(self, gateway: Gateway, tmp_path: Path):
        blows = (Blow(at=0.2, targets=("server", "a1"), spooled=1000), Blow(at=0.5, targets=("server",)))
        plan = Plan(agents=("a1", "a2"), batches=20, size=250, pause=0.25, blows=blows)
        async with Site.create(tmp_path / "site", server_environ=gateway.environ) as site:
            await start_agents(site, plan.agents)
            proof = await prove(site, plan)
        assert proof.problems == [], str(proof)
        assert proof.lines == plan.lines
        assert not list((tmp_path / "site" / "server").glob("logs/*"))
