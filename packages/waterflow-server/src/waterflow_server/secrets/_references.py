"""From declarations that say where a secret is read to what a run starts with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from waterflow_dsl.plan import SecretPlan
from waterflow_sdk.codec import PayloadCodec
from waterflow_sdk.secrets import SecretError, SecretReference, SecretSources, SecretUnavailable, make_segment

from .._inputs import FieldError
from ._errors import SecretsUnavailable, SecretsUnprotected


class SecretReferences:
    """Completes the secrets of runs. ``codec`` seals the segments that agents open."""

    def __init__(self, codec: PayloadCodec, sources: SecretSources) -> None:
        self._codec = codec
        self._sources = sources

    async def complete(
        self, declared: Mapping[str, SecretPlan], given: Mapping[str, str]
    ) -> tuple[dict[str, str], list[FieldError]]:
        """What was given, and what the references stand for that nobody gave: the server's own as values, those of
        agents as segments; and what is wrong with the others. Raises SecretsUnprotected and SecretsUnavailable.
        """
        asked = {name: each for name, each in declared.items() if each.source is not None and not given.get(name)}
        if (asked or given) and not self._codec.encrypts:
            raise SecretsUnprotected(
                "secrets are refused: this server has no key to encrypt them with. Give it a key file "
                "(WATERFLOW_KEYS_FILE), the same as the agents have"
            )
        found = await asyncio.gather(*(self._one(name, each) for name, each in asked.items()))
        values = {name: value for name, value in zip(asked, found, strict=True) if isinstance(value, str)}
        return {**given, **values}, [value for value in found if not isinstance(value, str)]

    async def _one(self, name: str, declared: SecretPlan) -> str | FieldError:
        source = declared.source or ""
        try:
            reference = SecretReference.parse(source)
            if declared.reader == "agent":
                return make_segment(name, source, self._codec)
            return await self._sources.read(reference)
        except SecretUnavailable as error:
            raise SecretsUnavailable(f"secret {name!r}: {error}", {"secret": name}) from error
        except SecretError as error:
            return {"path": f"secrets.{name}", "code": error.code, "message": f"secret {name!r}: {error}"}
