"""Keeps the registry in step with what is installed and what lies in the plug-in directory."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from pathlib import Path

from waterflow_sdk.wire import BrokenNode

from .._registry import NodeRegistry, Pack, Registered, register
from ._caution import Caution
from ._contained import Outcome, contained
from ._directory import plugin_units
from ._installed import InstalledPacks
from ._unit import Unit

logger = logging.getLogger("waterflow.agent")

POLL = 0.25
"""Seconds between two looks at the times of files."""

_SETTLE = 0.1


class Discovery:
    """Finds nodes and finds them again.

    Args:
        registry: Where the nodes go.
        directory: The plug-in directory, which may not exist; None for none.
        installed: The installed distributions; None to leave them out.
        caution: What keeps code away that would end the whole process; None to load everything.
    """

    def __init__(
        self,
        registry: NodeRegistry,
        directory: Path | None = None,
        installed: InstalledPacks | None = None,
        caution: Caution | None = None,
    ) -> None:
        self._registry = registry
        self._directory = directory
        self._installed = installed
        self._caution = caution
        self._stamps: dict[str, Hashable] = {}
        self._packs: dict[str, Pack] = {}

    async def refresh(self) -> bool:
        """Loads what is new or has changed, and forgets what is gone. Answers whether the agent's offer has changed."""
        units = {unit.key: unit for unit in self._scan()}
        self._forget(self._packs.keys() - units.keys())
        for key in sorted(units):
            if key not in self._stamps or self._stamps[key] != units[key].stamp:
                self._packs[key] = await self._load(units[key])
                self._stamps[key] = units[key].stamp
        known = self._registry.broken
        changed = self._registry.settle(self._packs[key] for key in sorted(self._packs))
        for broken in self._registry.broken:
            if broken not in known:
                _report(broken)
        return changed

    async def watch(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Looks for ever; calls ``changed`` when the offer has changed."""
        if self._caution:
            self._caution.trying = True
        while True:
            await asyncio.sleep(POLL)
            try:
                if self.differs():
                    await self._settled()
                    await self._renew(changed)
            except Exception:
                logger.exception("the nodes could not be looked for: a defect of the agent")

    async def _renew(self, changed: Callable[[], Awaitable[None]]) -> None:
        before = self._registry.digests
        if await self.refresh():
            self._tell(before)
            await changed()
        gc.collect()  # former code is full of cycles; an idle agent would keep it for hours

    def _scan(self) -> list[Unit]:
        units = self._installed.units() if self._installed else []
        return units + (plugin_units(self._directory) if self._directory else [])

    def _now(self) -> dict[str, Hashable]:
        return {unit.key: unit.stamp for unit in self._scan()}

    def differs(self) -> bool:
        """Whether anything has changed since it was last loaded; cheap."""
        return self._now() != self._stamps

    async def _settled(self) -> None:
        """Waits until nothing changes: whoever writes files is not interrupted half way."""
        seen = None
        while (now := self._now()) != seen:
            seen = now
            await asyncio.sleep(_SETTLE)

    def _forget(self, keys: set[str]) -> None:
        for key in keys:
            del self._packs[key]
            self._stamps.pop(key, None)
            if self._installed:
                self._installed.forget(key)

    async def _load(self, unit: Unit) -> Pack:
        """The new version of a unit; if anything in it is broken, the former one stays, whole."""
        outcome = await self._outcome(unit)
        pack = outcome.value
        if pack is None:
            broken = BrokenNode(name=unit.key, source=unit.label, reason=outcome.reason, traceback=outcome.traceback)
            pack = Pack(key=unit.key, label=unit.label, broken=[broken])
        former = self._packs.get(unit.key)
        if pack.broken and former and former.nodes:
            return Pack(key=unit.key, label=former.label, nodes=former.nodes, broken=pack.broken)
        return pack

    async def _outcome(self, unit: Unit) -> Outcome[Pack]:
        if self._caution is None:
            return await contained(partial(load_pack, unit), unit.label)
        if objection := await self._caution.objection(unit):
            return Outcome(reason=objection)
        with self._caution.loading(unit):
            return await contained(partial(load_pack, unit), unit.label)

    def _tell(self, before: dict[str, str]) -> None:
        now = self._registry.digests
        words = [f"{name} is new" for name in now if name not in before]
        words += [f"{name} has changed" for name in now if name in before and now[name] != before[name]]
        words += [f"{name} is gone" for name in before if name not in now]
        if words:
            logger.info("nodes: %s", ", ".join(words))


def load_pack(unit: Unit) -> Pack:
    """Loads the unit and looks at its nodes, which runs code of strangers too."""
    loaded = unit.load()
    nodes: dict[str, Registered] = {}
    broken = list(loaded.broken)
    for name, value in loaded.values:
        try:
            found = register(value, unit.label, loaded.code)
        # A metaclass, a property or a schema hook of a stranger may raise anything.
        except Exception as error:
            broken.append(BrokenNode(name=name, source=unit.label, reason=f"{type(error).__name__}: {error}"))
            continue
        taken = nodes.setdefault(found.manifest.name, found)
        if taken.node is not found.node:
            reason = f"node {taken.manifest.name!r} is there twice in {unit.label}; the first is used: remove one"
            broken.append(BrokenNode(name=taken.manifest.name, source=unit.label, reason=reason))
    return Pack(key=unit.key, label=unit.label, nodes=list(nodes.values()), broken=broken)


def _report(broken: BrokenNode) -> None:
    trace = f"\n{broken.traceback.rstrip()}" if broken.traceback else ""
    logger.error("node %s of %s is not usable: %s%s", broken.name, broken.source, broken.reason, trace)
