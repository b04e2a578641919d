"""A client of Temporal, however long it takes to get one."""

from __future__ import annotations

import asyncio
import logging

from temporalio.client import Client
from temporalio.service import TLSConfig

from waterflow_sdk.codec import CodecError, KeyRing, PayloadCodec

from ._converter import data_converter
from ._errors import SettingsError
from ._notices import Notices
from ._settings import AgentSettings

_BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)


def payload_codec(settings: AgentSettings) -> PayloadCodec:
    """The codec of the settings' key file. Raises SettingsError."""
    try:
        return PayloadCodec(KeyRing.load(settings.keys_file) if settings.keys_file else None)
    except CodecError as error:
        raise SettingsError(str(error)) from error


async def connect(settings: AgentSettings, codec: PayloadCodec, notices: Notices) -> Client:
    """Connects, trying for ever. Raises SettingsError for TLS files that cannot be read."""
    tls = _tls(settings)
    attempt = 0
    while True:
        try:
            client = await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                api_key=settings.temporal_api_key,
                tls=tls,
                data_converter=data_converter(codec),
                identity=f"waterflow-agent {settings.name or ''}".strip(),
            )
        except RuntimeError as error:  # the SDK's only sign that a server cannot be reached
            text = f"Temporal at {settings.temporal_address} cannot be reached ({_short(error)}); trying again for ever"
            notices.say("temporal", logging.WARNING, text)
        else:
            notices.clear("temporal", f"connected to Temporal at {settings.temporal_address}")
            return client
        await asyncio.sleep(_BACK_OFF[min(attempt, len(_BACK_OFF) - 1)])
        attempt += 1


def _tls(settings: AgentSettings) -> TLSConfig | bool:
    files = (settings.temporal_ca, settings.temporal_cert, settings.temporal_key)
    if not any(files):
        return settings.temporal_tls or settings.temporal_api_key is not None
    try:
        ca, cert, key = (file.read_bytes() if file else None for file in files)
    except OSError as error:
        raise SettingsError(f"TLS file {error.filename} cannot be read: {error.strerror}") from error
    return TLSConfig(server_root_ca_cert=ca, client_cert=cert, client_private_key=key)


def _short(error: Exception) -> str:
    """The innermost words of the SDK's chain of reasons."""
    return str(error).rpartition(": ")[2][:200].strip(' "(){}') or type(error).__name__
