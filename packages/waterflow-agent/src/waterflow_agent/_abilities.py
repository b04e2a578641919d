"""What this host can do, and whether that is enough for a node: asked for a claim, and before a step begins."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

# `docker`, `node 20`, `node >= 20.11`; a name may end in digits: `cuda12`.
_REQUIRED = re.compile(r"\s*([^\s<>=]+)(?:(?:\s*>=\s*|\s+)(\d+(?:\.\d+)*))?\s*")


class Abilities:
    """The capabilities of the host as they were last found, by name with their version.

    Args:
        find: Looks at the host.
    """

    def __init__(self, find: Callable[[], Awaitable[dict[str, str]]]) -> None:
        self._find = find
        self.found: dict[str, str] = {}

    async def look(self) -> None:
        """Looks at the host again."""
        self.found = await self._find()

    def objection(self, required: Iterable[str]) -> str:
        """What is missing first, to stand after the agent's name: ``has no 'docker'``; empty if nothing is."""
        for each in required:
            name, least = _parts(each)
            if name not in self.found:
                return f"has no {name!r}"
            if least and _numbers(self.found[name]) < _numbers(least):
                return f"has {name} {self.found[name]} instead of {least} or later"
        return ""


def objection_of_node(abilities: Abilities, needs: Mapping[str, Iterable[str]]) -> str:
    """As :meth:`Abilities.objection`, for nodes by name with what each needs; it says which node."""
    for node, required in needs.items():
        if why := abilities.objection(required):
            return f"{why}, which node {node!r} needs"
    return ""


def _parts(required: str) -> tuple[str, str]:
    match = _REQUIRED.fullmatch(required)
    return (match[1], match[2] or "") if match else (required, "")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
