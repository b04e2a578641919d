"""A client of Temporal, however long it takes to get one, and another when certificates or its API key are renewed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from temporalio.client import Client
from temporalio.service import GrpcCompression, TLSConfig

from waterflow_sdk.codec import CodecError, KeyFile, PayloadCodec

from ._api_key import ApiKey
from ._converter import data_converter
from ._errors import SettingsError
from ._notices import Notices
from ._settings import AgentSettings
from ._tls import TlsFiles, speaks_tls, trouble

logger = logging.getLogger("waterflow.agent")

_BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)
_LOOK_AT_FILES = 5.0
_DENIED = ("code: Unauthenticated", "code: PermissionDenied")


def payload_codec(settings: AgentSettings) -> PayloadCodec:
    """The codec of the settings' key file. Raises SettingsError."""
    try:
        return PayloadCodec(KeyFile(settings.keys_file) if settings.keys_file else None)
    except CodecError as error:
        raise SettingsError(str(error)) from error


async def connect(settings: AgentSettings, codec: PayloadCodec, notices: Notices) -> Client:
    """Connects, trying for ever. Raises SettingsError for TLS files, and one of a key, that cannot be used."""
    files = _files(settings)
    if files.any:
        files.context()
    _key(settings).value()
    attempt = 0
    while True:
        client = await _try(settings, files, codec, notices)
        if client:
            return client
        await asyncio.sleep(_BACK_OFF[min(attempt, len(_BACK_OFF) - 1)])
        attempt += 1


async def keep_credentials(
    settings: AgentSettings, codec: PayloadCodec, notices: Notices, use: Callable[[Client], None]
) -> None:
    """Hands over another client whenever a TLS file or that of the API key has changed; until it works, the old one
    stays.
    """
    files, key = _files(settings), _key(settings)
    certificates, key_file = files.marks(), key.mark()
    while certificates or key_file:
        await asyncio.sleep(_LOOK_AT_FILES)
        found, found_key = files.marks(), key.mark()
        if (found, found_key) == (certificates, key_file):
            continue
        client = await _try(settings, files, codec, notices)
        if client:
            use(client)
            what = "certificates for Temporal are" if found != certificates else "API key for Temporal is"
            certificates, key_file = found, found_key
            logger.info("the renewed %s in use", what)


async def _try(settings: AgentSettings, files: TlsFiles, codec: PayloadCodec, notices: Notices) -> Client | None:
    address = settings.temporal_address
    try:
        client = await Client.connect(
            address,
            namespace=settings.temporal_namespace,
            api_key=_key(settings).value(),
            tls=_tls(settings, files),
            data_converter=data_converter(codec),
            identity=f"waterflow-agent {settings.name or ''}".strip(),
            grpc_compression=GrpcCompression.NONE,  # our codec has compressed what is large, and sealed it
        )
    except SettingsError as error:  # while files are renewed, they may not fit together
        notices.say("temporal", logging.WARNING, f"{error.message}; trying again for ever")
    except (RuntimeError, ValueError) as error:  # the SDK's only signs that it cannot connect
        text = f"{await _why(settings, files, error)}; trying again for ever"
        notices.say("temporal", logging.WARNING, text)
    else:
        notices.clear("temporal", f"connected to Temporal at {address}")
        return client
    return None


async def _why(settings: AgentSettings, files: TlsFiles, error: Exception) -> str:
    address = settings.temporal_address
    if any(word in str(error) for word in _DENIED):
        set_key = _key(settings)
        key = set_key.setting if set_key.any else "no API key: set TEMPORAL_API_KEY"
        return f"Temporal at {address} refuses {key}"
    if _wants_tls(settings):
        if text := await asyncio.to_thread(trouble, files, address):
            return text
    elif await asyncio.to_thread(speaks_tls, address):
        return (
            f"Temporal at {address} speaks TLS: set temporal.tls to on, or temporal.ca to the authority's certificate"
        )
    return f"Temporal at {address} cannot be reached ({_short(error)})"


def _wants_tls(settings: AgentSettings) -> bool:
    given = (_key(settings).any, settings.temporal_server_name)
    return settings.temporal_tls or any(given) or _files(settings).any


def _key(settings: AgentSettings) -> ApiKey:
    return ApiKey("temporal", settings.temporal_api_key, settings.temporal_api_key_file)


def _files(settings: AgentSettings) -> TlsFiles:
    return TlsFiles(
        section="temporal",
        peer="Temporal",
        instead="set temporal.tls to off",
        ca=settings.temporal_ca,
        cert=settings.temporal_cert,
        key=settings.temporal_key,
        server_name=settings.temporal_server_name,
    )


def _tls(settings: AgentSettings, files: TlsFiles) -> TLSConfig | bool:
    if not files.any and not files.server_name:
        return _wants_tls(settings)
    if files.any:
        files.context()  # says which file is wrong, which the SDK does not
    ca, cert, key = (file.read_bytes() if file else None for file in (files.ca, files.cert, files.key))
    return TLSConfig(server_root_ca_cert=ca, client_cert=cert, client_private_key=key, domain=files.server_name)


def _short(error: Exception) -> str:
    """The innermost words of the SDK's chain of reasons."""
    return str(error).rpartition(": ")[2][:200].strip(' "(){}') or type(error).__name__
