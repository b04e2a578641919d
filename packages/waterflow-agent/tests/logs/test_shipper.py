"""The shipper: every line once and in order, whatever is down, and never in a step's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from waterflow_agent._api_key import ApiKey
from waterflow_agent._errors import SettingsError
from waterflow_agent._logs._http import Answer, LogConnection, parse_address
from waterflow_agent._logs._shipper import CHUNK, Shipper
from waterflow_agent._logs._spool import Spool
from waterflow_agent._notices import Notices

from .receiver import Receiver

STREAM = "r1/build[web-01]/steps[0].1"
MakeShipper = Callable[..., Shipper]
NO_KEY = ApiKey("server")


@pytest.fixture
def make_shipper(spool: Spool, receiver: Receiver) -> Iterator[MakeShipper]:
    """Starts a shipper, as a start of the agent does; all are stopped at the end."""
    made: list[Shipper] = []

    def make(key: ApiKey = NO_KEY) -> Shipper:
        shipper = Shipper(spool, LogConnection(receiver.address, key, "web-01"), Notices())
        shipper.start()
        made.append(shipper)
        return shipper

    yield make
    for shipper in made:
        shipper.stop(0)


def lines(start: int, stop: int) -> bytes:
    return b"".join(b'{"text":"%d"}\n' % number for number in range(start, stop))


def write(spool: Spool, data: bytes) -> None:
    file = spool.create(STREAM)
    file.append(data)
    file.close()


def until_said(caplog: pytest.LogCaptureFixture, text: str) -> None:
    end = time.monotonic() + 60
    while not any(text in message for message in caplog.messages):
        assert time.monotonic() < end, f"{text!r} is not among {caplog.messages}"
        time.sleep(0.01)


class TestShip:
    def test_a_stream_that_grows(self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper) -> None:
        shipper = make_shipper()
        write(spool, lines(0, 10))
        shipper.written(STREAM)
        receiver.wait_for(STREAM, lines(0, 10))
        write(spool, lines(10, 20))
        shipper.ended(STREAM)
        receiver.wait_for(STREAM, lines(0, 20))

    def test_many_chunks_and_a_line_longer_than_a_chunk(
        self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper
    ) -> None:
        data = lines(0, 60_000) + b'"' + b"x" * (2 * CHUNK) + b'"\n' + lines(0, 10)
        write(spool, data)
        make_shipper().ended(STREAM)
        receiver.wait_for(STREAM, data)

    def test_a_shipped_stream_is_filed_away(
        self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper, tmp_path: Path
    ) -> None:
        write(spool, lines(0, 3))
        shipper = make_shipper()
        assert shipper.stop(60)
        assert receiver.streams == {STREAM: lines(0, 3)}
        assert (tmp_path / "logs/shipped/r1/build[web-01]/steps[0].1.log").read_bytes() == lines(0, 3)
        assert list(spool.unshipped()) == []


class TestServerDown:
    def test_what_is_written_meanwhile_arrives_once_it_is_up(
        self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper
    ) -> None:
        shipper = make_shipper()
        write(spool, lines(0, 5))
        shipper.written(STREAM)
        receiver.wait_for(STREAM, lines(0, 5))
        receiver.stop()
        write(spool, lines(5, 10))
        shipper.written(STREAM)
        write(spool, lines(10, 15))
        shipper.ended(STREAM)
        receiver.start()
        receiver.wait_for(STREAM, lines(0, 15))

    def test_an_answer_that_was_lost_doubles_nothing(
        self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper
    ) -> None:
        receiver.drop_answers = 3
        write(spool, lines(0, 40_000))
        make_shipper().ended(STREAM)
        receiver.wait_for(STREAM, lines(0, 40_000))

    def test_a_server_that_lost_a_part_gets_it_again(
        self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper
    ) -> None:
        shipper = make_shipper()
        write(spool, lines(0, 10))
        shipper.written(STREAM)
        receiver.wait_for(STREAM, lines(0, 10))
        receiver.streams[STREAM] = lines(0, 4)
        write(spool, lines(10, 12))
        shipper.ended(STREAM)
        receiver.wait_for(STREAM, lines(0, 12))

    def test_writing_never_waits_for_the_server(
        self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper
    ) -> None:
        shipper = make_shipper()
        with receiver.changed:  # the server hangs
            write(spool, lines(0, 1))
            done = threading.Thread(target=lambda: [shipper.written(STREAM) for _ in range(10_000)])
            done.start()
            done.join(60)
            assert not done.is_alive()


class TestAgentRestart:
    def test_goes_on_where_the_server_is(self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper) -> None:
        write(spool, lines(0, 10))
        receiver.streams[STREAM] = lines(0, 6)
        make_shipper()
        receiver.wait_for(STREAM, lines(0, 10))


class TestRefused:
    def test_a_stream_that_the_server_never_takes_is_left_alone(
        self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper, caplog: pytest.LogCaptureFixture
    ) -> None:
        receiver.refuse = (410, "the run is forgotten")
        write(spool, lines(0, 3))
        assert make_shipper().stop(60)
        assert list(spool.unshipped()) == [STREAM]
        assert caplog.messages == [
            f"log {STREAM} is refused by the server (410 the run is forgotten); "
            "it stays in the spool and is not shipped"
        ]

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_key_that_is_not_accepted_loses_nothing(
        self,
        status: int,
        spool: Spool,
        receiver: Receiver,
        make_shipper: MakeShipper,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("waterflow_agent._logs._shipper._DENIED_BACK_OFF", 0.05)
        receiver.refuse = (status, "the key is unknown")
        write(spool, lines(0, 3))
        make_shipper()
        with receiver.changed:
            for _ in range(3):
                assert receiver.changed.wait(60)
            assert receiver.streams == {}
            receiver.refuse = None
        receiver.wait_for(STREAM, lines(0, 3))
        assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
            f"step logs cannot be shipped: the server denies it ({status} the key is unknown); check server.api_key; "
            "they are kept and sent later"
        ]

    def test_another_key_in_its_file_is_used_without_a_restart(
        self,
        spool: Spool,
        receiver: Receiver,
        make_shipper: MakeShipper,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        """It is not waited until the denied one would be tried again; and a file that holds none is told."""
        monkeypatch.setattr("waterflow_agent._logs._shipper._LOOK_AT_KEY", 0.01)
        monkeypatch.setattr("waterflow_agent._logs._shipper._DENIED_BACK_OFF", 600.0)
        caplog.set_level("INFO")
        file = tmp_path / "key"
        file.write_text("revoked\n")
        receiver.key = "good"
        write(spool, lines(0, 3))
        make_shipper(ApiKey("server", file=file))
        with receiver.changed:
            assert receiver.changed.wait_for(lambda: receiver.denied, 60)
        file.write_text("")
        until_said(caplog, "has to hold a key, in visible ASCII characters, and no more")
        renewed = tmp_path / "renewed"
        renewed.write_text("good\n")
        renewed.replace(file)
        receiver.wait_for(STREAM, lines(0, 3))
        until_said(caplog, "step logs are shipped again")
        assert caplog.messages == [
            "step logs cannot be shipped: the server denies it (401 the key is unknown); check server.api_key_file; "
            "they are kept and sent later",
            f"step logs cannot be shipped: server.api_key_file: {file} has to hold a key, in visible ASCII characters, "
            "and no more; they are kept and sent later",
            "step logs are shipped again",
        ]

    def test_a_defect_does_not_end_it(
        self,
        spool: Spool,
        receiver: Receiver,
        make_shipper: MakeShipper,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("waterflow_agent._logs._shipper._BACK_OFF", (0.05,))
        put, failed = LogConnection.put, threading.Event()

        def broken(connection: LogConnection, stream: str, offset: int, data: bytes) -> Answer:
            if not failed.is_set():
                failed.set()
                raise RuntimeError("not thought of")
            return put(connection, stream, offset, data)

        monkeypatch.setattr(LogConnection, "put", broken)
        write(spool, lines(0, 3))
        make_shipper()
        receiver.wait_for(STREAM, lines(0, 3))
        assert caplog.messages == [
            "step logs could not be shipped: a defect of the agent; they are kept and sent later"
        ]

    def test_an_outage_is_said_once(
        self, spool: Spool, receiver: Receiver, make_shipper: MakeShipper, caplog: pytest.LogCaptureFixture
    ) -> None:
        receiver.refuse = (503, "starting")
        write(spool, lines(0, 3))
        shipper = make_shipper()
        with receiver.changed:
            for _ in range(3):  # three refused attempts
                assert receiver.changed.wait(60)
            receiver.refuse = None
        assert shipper.stop(60)
        assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
            "step logs cannot be shipped: 503 starting; they are kept and sent later"
        ]


class TestAddress:
    @pytest.mark.parametrize(
        ("address", "parsed"),
        [
            ("waterflow:9090", (False, "waterflow:9090", "")),
            ("http://waterflow", (False, "waterflow", "")),
            ("https://w.example.com:8443/base/", (True, "w.example.com:8443", "/base")),
        ],
    )
    def test_the_scheme_may_be_left_out(self, address: str, parsed: tuple[bool, str, str]) -> None:
        assert parse_address(address) == parsed

    @pytest.mark.parametrize("address", ["ftp://w", "http://", "http://w:port", "http://user@w", "http://w/?q=1", ""])
    def test_a_bad_one(self, address: str) -> None:
        with pytest.raises(SettingsError) as raised:
            parse_address(address)
        assert raised.value.message == f"server address {address!r} is not of the form [http[s]://]host[:port]"
