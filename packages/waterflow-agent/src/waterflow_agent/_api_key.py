"""API keys: as they are set, or as a file holds them now, so that another one is used without a restart."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from ._errors import SettingsError
from ._tls import FileMark, mark_of

_MOST = 8192  # characters; keys that are signed tokens (RFC 7519) may have thousands
_USABLE = re.compile(rf"[!-~]{{1,{_MOST}}}")


class ApiKey(msgspec.Struct, frozen=True):
    """What is set for one peer: the key itself, which goes first, or a file that holds it.

    ``section`` is that of ``agent.yaml``.
    """

    section: str
    given: str | None = None
    file: Path | None = None

    @property
    def setting(self) -> str:
        """The setting that the key comes from, or that it would have to be set by."""
        return f"{self.section}.api_key_file" if self.file and not self.given else f"{self.section}.api_key"

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.given or self.file)

    def value(self) -> str | None:
        """The key as it is now; None where none is set.

        Raises:
            SettingsError: The file holds none. It names the file, and not what is in it.
        """
        if self.given or not self.file:
            return self.given
        try:
            with self.file.open(encoding="ascii") as opened:
                key = opened.read(_MOST + 2).strip()
        except OSError as error:
            raise SettingsError(f"{self.setting}: {self.file} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            key = ""  # not chained: the error's own text would show what is in the file
        if not _USABLE.fullmatch(key):
            raise SettingsError(
                f"{self.setting}: {self.file} has to hold a key, in visible ASCII characters, and no more"
            )
        return key

    def mark(self) -> FileMark | None:
        """Something that changes when the file is renewed."""
        return mark_of(self.file) if self.file and not self.given else None
