"""The embedded Temporal server, with the real binary."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from waterflow_server._search_attributes import KEYWORD_LISTS, KEYWORDS
from waterflow_server.dev import (
    DataDirectoryInUse,
    EmbeddedTemporal,
    NotReady,
    PortInUse,
    TemporalFailed,
    TemporalSettings,
)
from waterflow_server.dev._ports import free_ports
from waterflow_server.dev._tuning import DYNAMIC_CONFIG, SEARCH_ATTRIBUTES, SQLITE_PRAGMAS

from .conftest import ended_within, is_running

OWNER = """
import asyncio, sys
from pathlib import Path
from waterflow_server.dev import EmbeddedTemporal, TemporalSettings

async def main():
    settings = TemporalSettings(binary=Path(sys.argv[1]), data_dir=Path(sys.argv[2]), ui=False)
    async with EmbeddedTemporal(settings) as temporal:
        print(temporal.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def temporal(settings: TemporalSettings) -> AsyncIterator[EmbeddedTemporal]:
    async with EmbeddedTemporal(settings) as running:
        yield running


def arguments(temporal: EmbeddedTemporal) -> list[str]:
    """The command line of the running server."""
    return Path(f"/proc/{temporal.pid}/cmdline").read_text().split("\0")


async def write_workflow(client: Client, workflow_id: str) -> None:
    await client.start_workflow("Anything", id=workflow_id, task_queue="nobody-listens")


class TestReady:
    async def test_answers_and_keeps_runs_for_thirty_days(self, temporal: EmbeddedTemporal) -> None:
        client = await Client.connect(temporal.address, namespace=temporal.namespace)
        answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert answer.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)

    async def test_ui_and_metrics_answer_on_loopback(self, temporal: EmbeddedTemporal) -> None:
        assert temporal.ui_url is not None
        for url in (temporal.ui_url, temporal.metrics_url):
            assert url.startswith("http://127.0.0.1:")
            with await asyncio.to_thread(urllib.request.urlopen, url) as answer:
                assert answer.status == 200

    async def test_is_started_with_the_tuned_settings(self, temporal: EmbeddedTemporal) -> None:
        given = arguments(temporal)
        for key, value in DYNAMIC_CONFIG.items():
            assert f"{key}={value}" in given
        for pragma, value in SQLITE_PRAGMAS.items():
            assert f"{pragma}={value}" in given
        assert (temporal.data_dir / "temporal.db-wal").exists()

    def test_a_new_namespace_is_made_with_all_search_attributes(self) -> None:
        keywords = {key.name: "Keyword" for key in KEYWORDS}
        assert {**{key.name: "KeywordList" for key in KEYWORD_LISTS}, **keywords} == SEARCH_ATTRIBUTES

    async def test_without_ui(self, settings: TemporalSettings) -> None:
        async with EmbeddedTemporal(msgspec.structs.replace(settings, ui=False)) as temporal:
            assert temporal.ui_url is None
            assert "--headless" in arguments(temporal)

    async def test_that_does_not_come_is_an_error_and_leaves_nothing(self, settings: TemporalSettings) -> None:
        temporal = EmbeddedTemporal(msgspec.structs.replace(settings, start_timeout=0.01))
        with pytest.raises(NotReady) as caught:
            await temporal.start()
        assert caught.value.message.startswith(f"Temporal did not answer at {temporal.address} within 0 s.\nLog: ")
        assert temporal.pid is None


class TestData:
    async def test_is_kept_between_starts(self, settings: TemporalSettings) -> None:
        async with EmbeddedTemporal(settings) as temporal:
            await write_workflow(await Client.connect(temporal.address), "kept")
        async with EmbeddedTemporal(settings) as temporal:
            client = await Client.connect(temporal.address)
            assert (await client.get_workflow_handle("kept").describe()).id == "kept"

    async def test_ephemeral_is_removed_at_the_end(self, settings: TemporalSettings) -> None:
        async with EmbeddedTemporal(msgspec.structs.replace(settings, ephemeral=True)) as temporal:
            directory = temporal.data_dir
            assert (directory / "temporal.db").exists()
        assert not directory.exists()
        assert not settings.data_dir.exists()

    async def test_in_use_is_refused(self, temporal: EmbeddedTemporal, settings: TemporalSettings) -> None:
        with pytest.raises(DataDirectoryInUse) as caught:
            await EmbeddedTemporal(settings).start()
        assert caught.value.message == (
            f"The data directory {settings.data_dir} is in use by another instance (process {os.getpid()}). "
            "Stop that one, or choose another directory with --data-dir."
        )
        assert temporal.pid is not None

    async def test_that_is_damaged_is_an_error_with_the_log(self, settings: TemporalSettings) -> None:
        settings.data_dir.mkdir()
        (settings.data_dir / "temporal.db").write_bytes(b"not a database" * 1000)
        with pytest.raises(TemporalFailed) as caught:
            await EmbeddedTemporal(settings).start()
        first, second, *log = caught.value.message.splitlines()
        assert first.startswith("The Temporal server did not start. Temporal (process ")
        assert second == f"Log: {settings.data_dir}/temporal.log, last lines:"
        assert "file is not a database" in "".join(log)

    async def test_a_directory_that_cannot_be_made_is_an_error(
        self, settings: TemporalSettings, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(DataDirectoryInUse, match=r"file/data cannot be used: Not a directory\. Choose another"):
            await EmbeddedTemporal(msgspec.structs.replace(settings, data_dir=tmp_path / "file" / "data")).start()


class TestPorts:
    async def test_asked_for_are_used(self, settings: TemporalSettings) -> None:
        port, ui_port = free_ports(2)
        async with EmbeddedTemporal(msgspec.structs.replace(settings, port=port, ui_port=ui_port)) as temporal:
            assert temporal.address == f"127.0.0.1:{port}"
            assert temporal.ui_url == f"http://127.0.0.1:{ui_port}"

    @pytest.mark.parametrize(
        ("option", "text"),
        [
            (
                "port",
                "Port {port} for Temporal is in use on 127.0.0.1. {stop} choose another port with --temporal-port.",
            ),
            (
                "ui_port",
                "Port {port} for Temporal's UI is in use on 127.0.0.1. {stop} choose another port with --ui-port.",
            ),
        ],
    )
    async def test_busy_is_an_error(self, settings: TemporalSettings, option: str, text: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            with pytest.raises(PortInUse) as caught:
                await EmbeddedTemporal(msgspec.structs.replace(settings, **{option: port})).start()
        assert caught.value.message == text.format(port=port, stop="Stop the program that listens there, or")

    async def test_the_same_twice_is_an_error(self, settings: TemporalSettings) -> None:
        [port] = free_ports(1)
        with pytest.raises(PortInUse, match=f"Port {port} is asked for twice, for Temporal and for Temporal's UI."):
            await EmbeddedTemporal(msgspec.structs.replace(settings, port=port, ui_port=port)).start()


class TestCrash:
    async def test_is_noticed_and_said(self, temporal: EmbeddedTemporal) -> None:
        pid = temporal.pid
        temporal.kill()
        await asyncio.wait_for(temporal.crashed.wait(), 60)
        assert temporal.pid is None
        assert temporal.crash is not None
        assert temporal.crash.message.splitlines()[0] == (
            f"The Temporal server ended unexpectedly. Temporal (process {pid}): killed by SIGKILL."
        )
        assert temporal.crash.details["exit_code"] == -9

    async def test_restart_has_the_same_ports_and_data(self, temporal: EmbeddedTemporal) -> None:
        address, ports = temporal.address, temporal.ports
        client = await Client.connect(address)
        await write_workflow(client, "before")
        temporal.kill()
        await asyncio.wait_for(temporal.crashed.wait(), 60)
        await temporal.restart()
        assert temporal.ports == ports
        assert not temporal.crashed.is_set()
        assert (await client.get_workflow_handle("before").describe()).id == "before"

    async def test_stopping_is_none_and_the_server_is_asked_to_end(self, settings: TemporalSettings) -> None:
        async with EmbeddedTemporal(msgspec.structs.replace(settings, stop_timeout=60)) as temporal:
            pid = temporal.pid
        assert pid is not None
        assert not is_running(pid)
        assert not temporal.crashed.is_set()
        assert "Stopping server..." in temporal.log.read_text().splitlines()


class TestOwner:
    async def test_killed_takes_the_server_along(self, temporal_binary: Path, settings: TemporalSettings) -> None:
        owner = await asyncio.create_subprocess_exec(
            *[sys.executable, "-c", OWNER, str(temporal_binary), str(settings.data_dir)], stdout=asyncio.subprocess.PIPE
        )
        assert owner.stdout is not None
        pid = int(await owner.stdout.readline())
        assert is_running(pid)
        owner.send_signal(signal.SIGKILL)
        await owner.wait()
        assert ended_within(pid, 60)
        # and the data directory is free again at once
        async with EmbeddedTemporal(settings) as temporal:
            assert temporal.pid != pid
