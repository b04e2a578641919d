"""Where logs are kept, as the settings say it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from waterflow_server._log_store import open_log_store
from waterflow_server.logs import FileLogStore, StoreUnavailable
from waterflow_server.settings import LogsSettings, Settings, SettingsError, load

KEYS = {"AWS_ACCESS_KEY_ID": "K", "AWS_SECRET_ACCESS_KEY": "hidden"}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment whose configuration directory is empty."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}


class TestSettings:
    def test_files_by_default(self, environ: dict[str, str]) -> None:
        assert load({}, environ).settings.logs == LogsSettings()

    def test_a_bucket(self, environ: dict[str, str], tmp_path: Path) -> None:
        file = tmp_path / "server.yaml"
        file.write_text(
            "logs: {store: s3, endpoint: 'https://s3.example.com/', bucket: runs, prefix: /a/b, region: eu-1, "
            "credentials_file: /etc/waterflow/s3}"
        )
        assert load({"config": str(file)}, environ).settings.logs == LogsSettings(
            store="s3",
            endpoint="https://s3.example.com",
            bucket="runs",
            prefix="a/b/",
            region="eu-1",
            credentials_file=Path("/etc/waterflow/s3"),
        )

    @pytest.mark.parametrize(
        ("flags", "message"),
        [
            ({"logs.store": "tape"}, "--logs-store: `logs.store` is 'tape'; it has to be files or s3"),
            (
                {"logs.store": "s3"},
                "`logs.store` is s3, so `logs.bucket` has to say which bucket (or WATERFLOW_LOGS_BUCKET)",
            ),
            (
                {"logs.endpoint": "s3.example.com"},
                "--logs-endpoint: `logs.endpoint` is 's3.example.com'; it has to be http(s)://host[:port]",
            ),
        ],
    )
    def test_a_wrong_one(self, environ: dict[str, str], flags: dict[str, str], message: str) -> None:
        with pytest.raises(SettingsError) as caught:
            load(flags, environ)
        assert caught.value.message == message


class TestOpen:
    def settings(self, tmp_path: Path, credentials: Path | None = None) -> Settings:
        logs = LogsSettings(store="s3", endpoint="http://127.0.0.1:1", bucket="runs", credentials_file=credentials)
        return Settings(data_dir=tmp_path, logs=logs)

    async def test_files(self, tmp_path: Path) -> None:
        store = await open_log_store(Settings(data_dir=tmp_path), {})
        assert type(store) is FileLogStore
        store.close()

    async def test_without_keys(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError) as caught:
            await open_log_store(self.settings(tmp_path), {"AWS_ACCESS_KEY_ID": "K"})
        assert caught.value.message == (
            "`logs.store` is s3, but the environment has no AWS_SECRET_ACCESS_KEY; set them, or name a file with them "
            "in `logs.credentials_file`"
        )

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("[default]\naws_access_key_id = K\n", "`logs.store` is s3, but {} has no AWS_SECRET_ACCESS_KEY; set them"),
            ("hidden", "logs.credentials_file: {} is not a file of sections, names and values"),
        ],
    )
    async def test_a_file_without_them(self, tmp_path: Path, text: str, reason: str) -> None:
        file = tmp_path / "keys"
        file.write_text(text)
        with pytest.raises(SettingsError) as caught:
            await open_log_store(self.settings(tmp_path, file), KEYS)
        assert caught.value.message.startswith(reason.format(file))
        assert "hidden" not in caught.value.message

    async def test_a_bucket_that_is_not_there_keeps_the_server_from_starting(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            await open_log_store(self.settings(tmp_path), KEYS)
        assert caught.value.message == (
            "the log store http://127.0.0.1:1/runs/waterflow/ cannot be used: PUT: [Errno 111] Connection refused"
        )
        assert not any(files for _, _, files in os.walk(tmp_path))
