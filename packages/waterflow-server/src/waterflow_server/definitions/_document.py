"""How a definition is kept: an index document by name, and the text of each version in a document by its digest."""

from __future__ import annotations

from datetime import datetime

import msgspec

from waterflow_sdk.wire import DefinitionInfo, DefinitionVersion, ScheduleSpec, digest

from ._errors import DefinitionNotFound

DEFINITION_KIND = "definition"
TEXT_KIND = "definition-text"

KEPT_VERSIONS = 50
"""Older versions are forgotten, but never the active one."""


class StoredText(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was sent: the workflow file and those that it calls. Never changes."""

    yaml: str
    filename: str
    files: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return digest(msgspec.to_builtins(self))

    @property
    def size(self) -> int:
        """Bytes of all texts."""
        return sum(len(text.encode(errors="surrogatepass")) for text in (self.yaml, *self.files.values()))


class StoredVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version in the index: what lists show, and the schedules that it asks for."""

    version: DefinitionVersion
    schedules: list[ScheduleSpec] = []


class StoredDefinition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The index of a definition: what counts. Texts and schedules follow it.

    ``versions`` are oldest first; ``slots`` is the most schedules that any version ever had.
    """

    active: int
    versions: list[StoredVersion]
    enabled: bool = True
    slots: int = 0

    @property
    def latest(self) -> StoredVersion:
        """The newest version."""
        return self.versions[-1]

    @property
    def current(self) -> StoredVersion:
        """The active version."""
        return next(each for each in self.versions if each.version.number == self.active)

    def get(self, name: str, number: int | None) -> DefinitionVersion:
        """One version, None = the active one. Raises DefinitionNotFound."""
        wanted = self.active if number is None else number
        for each in self.versions:
            if each.version.number == wanted:
                return each.version
        kept = f"{self.versions[0].version.number} to {self.latest.version.number}"
        raise DefinitionNotFound(f"definition {name!r} has no version {wanted}; it has {kept}", {"name": name})

    def wanted_schedules(self) -> list[ScheduleSpec]:
        """The schedules that should be there now."""
        return self.current.schedules if self.enabled else []

    def add(self, version: StoredVersion) -> StoredDefinition:
        """With one more version, which is active; the oldest is forgotten when there are too many."""
        versions = [*self.versions, version]
        slots = max(self.slots, len(version.schedules))
        return msgspec.structs.replace(
            self, active=version.version.number, versions=versions[-KEPT_VERSIONS:], slots=slots
        )


def text_name(name: str, digest: str) -> str:
    """Name of the document that holds a version's text: the same text is kept once."""
    return f"{name}@{digest[:32]}"


def definition_label(name: str) -> str:
    """The label of all runs of a definition."""
    return f"definition:{name}"


def schedule_names(name: str, count: int) -> list[str]:
    """The names of a definition's own schedules; the colon keeps them apart from those that people name."""
    return [f"{name}:{number}" for number in range(1, count + 1)]


def info(name: str, stored: StoredDefinition, *, created: bool = False) -> DefinitionInfo:
    """As the API shows it."""
    current = stored.current.version
    updated: datetime = stored.latest.version.created
    return DefinitionInfo(
        name=name,
        active=stored.active,
        latest=stored.latest.version.number,
        enabled=stored.enabled,
        title=current.title,
        description=current.description,
        updated=updated,
        schedules=schedule_names(name, len(stored.wanted_schedules())),
        created=created,
    )
