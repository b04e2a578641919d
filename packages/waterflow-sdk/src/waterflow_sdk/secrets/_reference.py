"""Where a secret is read: ``env:NAME``, ``file:/path`` or ``vault:mount/path#field``."""

from __future__ import annotations

import re
from enum import Enum

import msgspec

from ._errors import SecretReferenceInvalid

_FORM = re.compile(
    r"(?P<env>env):(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<file>file):(?P<path>/[^\x00-\x1f\x7f]+)"
    r"|(?P<vault>vault):(?P<place>[^/#?\s]+(?:/[^/#?\s]+)+)#(?P<field>[^#\s]+)"
)


class SourceKind(Enum):
    """What a secret is read from."""

    ENV = "env"
    FILE = "file"
    VAULT = "vault"


class SecretReference(msgspec.Struct, frozen=True, kw_only=True):
    """``where`` is the name of a variable, an absolute path, or a path in Vault of which the first part is the mount of
    the KV engine; ``field`` is the key in Vault's secret.
    """

    kind: SourceKind
    where: str
    field: str = ""

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """The reference that a text is. Raises SecretReferenceInvalid."""
        match = _FORM.fullmatch(text)
        if match is None or ".." in text.partition("#")[0].split("/"):
            raise SecretReferenceInvalid(
                f"{text[:200]!r} is no place of a secret: write env:NAME, file:/path or vault:mount/path#field"
            )
        if match["env"]:
            return cls(kind=SourceKind.ENV, where=match["name"])
        if match["file"]:
            return cls(kind=SourceKind.FILE, where=match["path"])
        return cls(kind=SourceKind.VAULT, where=match["place"], field=match["field"])

    def __str__(self) -> str:
        field = f"#{self.field}" if self.field else ""
        return f"{self.kind.value}:{self.where}{field}"
