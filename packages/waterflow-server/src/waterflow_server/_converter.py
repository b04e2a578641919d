"""Temporal data converter: msgspec JSON, then the SDK's payload codec (compression, encryption with a key ring)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)
from temporalio.converter import PayloadCodec as TemporalPayloadCodec

from waterflow_sdk import codec

from ._garbage import no_collection
from ._structs import build_structs

_JSON = "json/plain"
_LARGE = 256 * 1024


class MsgspecPayloadConverter(EncodingPayloadConverter):
    """``json/plain`` by msgspec; decodes into the type hint and says where a value does not fit it."""

    @property
    def encoding(self) -> str:
        """The encoding this converter reads and writes."""
        return _JSON

    def to_payload(self, value: Any) -> Payload | None:
        """Encode any JSON value or Struct."""
        return Payload(metadata={"encoding": _JSON.encode()}, data=msgspec.json.encode(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Decode into ``type_hint``; without one, into plain JSON values."""
        wanted = cast("type[Any]", type_hint or Any)
        if len(payload.data) < _LARGE:
            return msgspec.json.decode(payload.data, type=wanted)
        with no_collection():
            return msgspec.json.decode(payload.data, type=wanted)


class WaterflowPayloadConverter(CompositePayloadConverter):
    """The default converters with JSON done by msgspec."""

    def __init__(self) -> None:
        super().__init__(
            *(
                MsgspecPayloadConverter() if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


class SealingCodec(TemporalPayloadCodec):
    """Adapter of :class:`waterflow_sdk.codec.PayloadCodec` to Temporal payloads."""

    def __init__(self, inner: codec.PayloadCodec) -> None:
        self._inner = inner

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal every payload."""
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open the payloads that we sealed; others pass through."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        sealed = self._inner.seal(payload.SerializeToString())
        return Payload(metadata=sealed.metadata, data=sealed.data)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != codec.ENCODING.encode():
            return payload
        return Payload.FromString(self._inner.open(payload.data, payload.metadata))


def data_converter(inner: codec.PayloadCodec) -> DataConverter:
    """The one data converter of the server; failures' messages and stack traces are sealed too."""
    build_structs()
    return DataConverter(
        payload_converter_class=WaterflowPayloadConverter,
        payload_codec=SealingCodec(inner),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
