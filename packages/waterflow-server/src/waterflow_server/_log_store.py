"""The log store that the settings ask for."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from .logs import BucketAddress, Credentials, FileLogStore, S3LogStore
from .settings import LogsSettings, Settings, SettingsError


async def open_log_store(settings: Settings, environ: Mapping[str, str] = os.environ) -> FileLogStore:
    """Ready to be used. Raises SettingsError, and StoreUnavailable where a bucket cannot be used."""
    logs = settings.logs
    if logs.store == "files" or logs.bucket is None:
        return FileLogStore(settings.data_dir / "logs")
    endpoint = logs.endpoint or f"https://s3.{logs.region}.amazonaws.com"
    address = BucketAddress(endpoint=endpoint, bucket=logs.bucket, prefix=logs.prefix, region=logs.region)
    store = S3LogStore(address, _credentials(logs, environ), settings.data_dir / "log-mirrors")
    try:
        await store.check()
    except BaseException:
        store.close()
        raise
    return store


def _credentials(logs: LogsSettings, environ: Mapping[str, str]) -> Credentials:
    values = _from_file(logs.credentials_file) if logs.credentials_file else environ
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if missing := [name for name in names if not values.get(name)]:
        where = str(logs.credentials_file) if logs.credentials_file else "the environment"
        raise SettingsError(
            f"`logs.store` is s3, but {where} has no {' and no '.join(missing)}; "
            "set them, or name a file with them in `logs.credentials_file`"
        )
    key_id, secret = (values[name] for name in names)
    return Credentials(key_id=key_id, secret=secret, token=values.get("AWS_SESSION_TOKEN") or None)


def _from_file(path: Path) -> Mapping[str, str]:
    """Section ``default`` of a file as the tools of Amazon have it, by the names of the environment."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"logs.credentials_file: {path}: {error.strerror}") from error
    except (configparser.Error, UnicodeDecodeError):
        # Neither the text nor what the parser quotes of it is repeated: it holds a secret.
        raise SettingsError(f"logs.credentials_file: {path} is not a file of sections, names and values") from None
    if not parser.has_section("default"):
        return {}
    return {name.upper(): value for name, value in parser.items("default")}
