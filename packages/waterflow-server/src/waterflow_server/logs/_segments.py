"""The objects that a journal in a bucket is cut into: their names, and which of them to read from a position on.

``<run>/<position>`` holds one chunk, ``<run>/<position>-<end>`` what several chunks were merged into; both are numbers
of bytes in the journal, as fifteen digits. What stands at a position never changes, so objects that overlap agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from ._bucket import Object

MERGED = 8 * 1024 * 1024
"""Bytes of a merged object, at most, unless it is one larger chunk."""

FEWEST = 8
"""Objects that are worth being merged."""

_WINDOW = 64

_NAME = re.compile(r"(\d{15})(?:-(\d{15}))?", re.ASCII)


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """An object, and the part of the journal that it holds: ``[start, end)``, in bytes."""

    object: Object
    start: int
    end: int

    @property
    def merged(self) -> bool:
        """Whether it was made of several."""
        return "-" in self.object.key.rpartition("/")[2]


def chunk_name(run: str, position: int) -> str:
    """The name of the object of the chunk at ``position``."""
    return f"{run}/{position:015d}"


def merged_name(run: str, start: int, end: int) -> str:
    """The name of the object that holds the chunks from ``start`` to ``end``."""
    return f"{run}/{start:015d}-{end:015d}"


def segments(objects: Iterable[Object]) -> list[Segment]:
    """What the objects hold, in order; other objects, and merged ones of a wrong length, are left out."""
    found: list[Segment] = []
    for each in objects:
        match = _NAME.fullmatch(each.key.rpartition("/")[2])
        if match is None:
            continue
        segment = Segment(object=each, start=int(match[1]), end=int(match[1]) + each.size)
        if match[2] is None or int(match[2]) == segment.end:
            found.append(segment)
    return sorted(found, key=lambda segment: (segment.start, segment.end))


def path(found: Sequence[Segment], position: int) -> list[Segment]:
    """The fewest of these, in order, that give the journal from ``position`` to where the first gap is."""
    taken: list[Segment] = []
    furthest: Segment | None = None
    for segment in found:
        while segment.start > position and furthest is not None and furthest.end > position:
            taken.append(furthest)
            position = furthest.end
        if segment.start > position:
            return taken
        if furthest is None or segment.end > furthest.end:
            furthest = segment
    if furthest is not None and furthest.end > position:
        taken.append(furthest)
    return taken


def mergeable(chunks: Sequence[Segment]) -> list[list[Segment]]:
    """Groups of chunks that follow one another, each worth one merged object."""
    groups: list[list[Segment]] = [[]]
    for segment in chunks:
        last = groups[-1]
        if last and (segment.start != last[-1].end or segment.end - last[0].start > MERGED):
            groups.append([])
        groups[-1].append(segment)
    return [group for group in groups if len(group) >= FEWEST]


def windows(found: Sequence[Segment]) -> list[list[Segment]]:
    """The same, in groups that are read at once: not too many bytes for the memory of a server."""
    groups: list[list[Segment]] = []
    size = 0
    for segment in found:
        if not groups or len(groups[-1]) >= _WINDOW or size + segment.object.size > 2 * MERGED:
            groups.append([])
            size = 0
        groups[-1].append(segment)
        size += segment.object.size
    return groups
