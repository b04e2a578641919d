"""Many small objects of a journal in a bucket become few large ones, while servers read, add and remove.

Only chunks that have been there for an hour are merged. Whoever looked at the bucket within ten minutes has them
already; whoever did not looks at all of it again (see :mod:`._mirror`). Any number of servers may merge at once:

- A merged object is made under a name that says what it holds, and whoever made it removes its chunks.
- It is taken back where its chunks went meanwhile: another server was faster, or the log was removed.
- What a server left that was killed while merging is removed an hour later, when nobody takes anything back any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ._bucket import Bucket
from ._segments import Segment, mergeable, merged_name, segments

SETTLED = timedelta(hours=1)
"""Age from which chunks are merged. A bucket refuses requests of servers whose clock is wrong by a quarter of that."""

AT_ONCE = 8
"""Requests at the same time."""

T = TypeVar("T")


def merge_settled(bucket: Bucket, run: str, settled: timedelta = SETTLED) -> int:
    """Merge what is settled of a run's journal; gives the number of chunks that were. Raises StoreUnavailable."""
    limit = datetime.now(UTC) - settled
    found = segments(bucket.list(f"{run}/"))
    merged = [each for each in found if each.merged]
    chunks = [each for each in found if not each.merged and each.object.modified <= limit]
    left = [each for each in chunks if _within(each, [other for other in merged if other.object.modified <= limit])]
    _remove(bucket, left)
    groups = mergeable([each for each in chunks if not _within(each, merged)])
    return len(left) + sum(_merge(bucket, run, group) for group in groups)


def read_all(bucket: Bucket, keys: Sequence[str]) -> list[bytes] | None:
    """What the objects hold; None where one of them is gone."""
    found = at_once(bucket.get, keys)
    whole = [data for data in found if data is not None]
    return whole if len(whole) == len(found) else None


def at_once(ask: Callable[[str], T], keys: Sequence[str]) -> list[T]:
    """The answers for these keys, in their order; some are asked for at the same time."""
    if len(keys) <= 1:
        return [ask(key) for key in keys]
    with ThreadPoolExecutor(min(AT_ONCE, len(keys)), thread_name_prefix="log-bucket") as threads:
        return list(threads.map(ask, keys))


def _merge(bucket: Bucket, run: str, group: Sequence[Segment]) -> int:
    start, end = group[0].start, group[-1].end
    parts = read_all(bucket, [each.object.key for each in group])
    if parts is None or sum(map(len, parts)) != end - start:
        return 0
    name = merged_name(run, start, end)
    if not bucket.put_new(name, b"".join(parts)):
        return 0
    if any(bucket.size(each.object.key) is None for each in (group[0], group[-1])):
        bucket.delete(name)
        return 0
    if bucket.size(name) != end - start:
        return 0
    _remove(bucket, group)
    return len(group)


def _remove(bucket: Bucket, chunks: Sequence[Segment]) -> None:
    at_once(bucket.delete, [each.object.key for each in chunks])


def _within(chunk: Segment, merged: Sequence[Segment]) -> bool:
    return any(each.start <= chunk.start and chunk.end <= each.end for each in merged)
