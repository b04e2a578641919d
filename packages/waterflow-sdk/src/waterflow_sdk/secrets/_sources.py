"""Reads secrets where references say, as far as that is allowed."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from ._allow import AllowList
from ._errors import SecretMissing, SecretNotAllowed, SecretUnavailable
from ._reference import SecretReference, SourceKind
from ._vault import VaultReader

MAX_BYTES = 64 * 1024
"""Most that a secret may have: it goes through environments and payloads."""


class SecretSources:
    """What a server or an agent may read: its allow-list, its environment and its Vault. ``who`` is named in errors
    (``the server``, ``agent web-01``), ``setting`` is what an administrator changes to allow more.
    """

    def __init__(
        self,
        who: str,
        allowed: AllowList,
        *,
        vault: VaultReader | None = None,
        environ: Mapping[str, str] = os.environ,
        setting: str = "secrets.allow",
    ) -> None:
        self._who = who
        self.allowed = allowed
        self._vault = vault
        self._environ = environ
        self._setting = setting

    async def read(self, reference: SecretReference) -> str:
        """The value, never empty. Raises SecretNotAllowed, SecretMissing and SecretUnavailable."""
        if not self.allowed.allows(reference):
            raise SecretNotAllowed(
                f"{self._who} may not read {reference}; its setting {self._setting} does not list it"
            )
        value = await self._value(reference)
        if not value:
            raise SecretMissing(f"{reference} is empty, as {self._who} sees it")
        if len(value.encode()) > MAX_BYTES:
            raise SecretMissing(f"{reference} has more than {MAX_BYTES // 1024} KiB, which is too much for a secret")
        return value

    async def _value(self, reference: SecretReference) -> str:
        if reference.kind is SourceKind.ENV:
            value = self._environ.get(reference.where)
            if value is None:
                raise SecretMissing(f"{reference}: {self._who} has no such environment variable")
            return value
        if reference.kind is SourceKind.FILE:
            return self._file(reference)
        if self._vault is None:
            raise SecretUnavailable(f"{reference}: {self._who} knows no Vault; set vault.address")
        return await self._vault.read(reference)

    def _file(self, reference: SecretReference) -> str:
        """The text of a file without the line break at its end, which editors and ``echo`` leave there."""
        try:
            # What realpath gave was judged by the allow-list; a link that comes in its place now is not followed.
            handle = os.open(os.path.realpath(reference.where), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise SecretMissing(f"{reference}: {self._who} finds no regular file there")
                data = file.read(MAX_BYTES + 2)
            text = data.decode()
        except OSError as error:
            raise SecretMissing(f"{reference}: {self._who} cannot read it: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SecretMissing(f"{reference} is not text in UTF-8, as {self._who} sees it") from None
        return text.removesuffix("\n").removesuffix("\r")
