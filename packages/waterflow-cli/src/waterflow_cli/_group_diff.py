"""What applying a file of groups changes, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from waterflow_sdk.wire import GroupChange, GroupsApplied, GroupSpec

_SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
_LISTS = ("agents", "tags", "include_groups")


def diff_lines(changes: Iterable[GroupChange]) -> Iterator[tuple[str, str]]:
    """Each line with its style: the group, and below it what is different."""
    for change in changes:
        sign, style = _SIGNS[change.action]
        yield f"{sign} {change.name}", style
        before, after = change.before or GroupSpec(name=change.name), change.after or GroupSpec(name=change.name)
        for key in (*_LISTS, "target", "description"):
            line = _difference(key, getattr(before, key), getattr(after, key))
            if line:
                yield f"    {line}", style


def _difference(key: str, before: Any, after: Any) -> str:
    if before == after:
        return ""
    if key in _LISTS:
        return f"{key}: {' '.join(_words(before, after)) or 'in another order'}"
    return f"{key}: {before or '(none)'} → {after or '(none)'}"


def _words(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    yield from (f"-{word}" for word in before if word not in after)
    yield from (f"+{word}" for word in after if word not in before)


def summary(applied: GroupsApplied) -> str:
    """All of it in one sentence."""
    count = {action: sum(change.action == action for change in applied.changes) for action in _SIGNS}
    would = " would be" if applied.dry_run else ""
    parts = [
        f"{number} {word}"
        for action, word in (("create", "new"), ("update", "changed"), ("delete", "deleted"))
        if (number := count[action])
    ]
    same = f"{len(applied.unchanged)} unchanged"
    return f"groups{would}: {', '.join([*parts, same])}"
