"""The line of one group: who holds it, who waits, and what each is to be told. Pure: the coordinator tells it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ._names import in_words
from ._wire import LockMember, LockMemory, LockView, OnConflict, Verdict

REMEMBERED = 500
"""How many former members are known: one that gets in line again by a late message is ignored."""


class Notice(NamedTuple):
    """A verdict for a member that is still to be delivered."""

    to: str
    verdict: Verdict


class LockQueue:
    """First in, first out. ``outbox`` holds what is to be delivered, in order."""

    def __init__(self, memory: LockMemory) -> None:
        self._group = memory.group
        self.holder = memory.holder
        self._told = memory.told
        self.waiting = list(memory.waiting)
        self._departed = list(memory.departed)
        self.outbox: deque[Notice] = deque()

    @property
    def empty(self) -> bool:
        """Whether nobody is here and nobody is to be told anything."""
        return self.holder is None and not self.outbox

    def memory(self) -> LockMemory:
        """All there is, while the outbox is empty."""
        return LockMemory(
            group=self._group, holder=self.holder, told=self._told, waiting=self.waiting, departed=self._departed
        )

    def view(self) -> LockView:
        """For people to look at."""
        holder = self.holder.id if self.holder else None
        return LockView(group=self._group, holder=holder, waiting=[member.id for member in self.waiting])

    def enqueue(self, member: LockMember) -> None:
        """Let a newcomer in by its policy. Who is here already, or was, changes nothing."""
        if member.id in self._departed or any(each.id == member.id for each in self.waiting):
            return
        if self.holder is None:
            self._grant(member)
        elif self.holder.id == member.id:
            self.assure()
        elif self.holder.id in member.within:
            self._refuse(member.id, f"{self._taken()} that it is a part of, so it would wait for ever")
        elif member.on_conflict is OnConflict.REJECT:
            self._refuse(member.id, f"{self._taken()}, and on-conflict is reject")
        else:
            if member.on_conflict is OnConflict.CANCEL:
                self._displace(member)
            self.waiting.append(member)

    def leave(self, id: str) -> None:
        """A member is done, gave up, or is no more; the next one has its turn."""
        self._depart(id)
        self.waiting = [member for member in self.waiting if member.id != id]
        if self.holder is not None and self.holder.id == id:
            self.holder, self._told = None, False
            if self.waiting:
                self._grant(self.waiting.pop(0))

    def assure(self) -> None:
        """Tell the holder again that it has the group; if it cannot be told any more, it is gone."""
        if self.holder is not None:
            self._tell(self.holder.id, granted=True)

    def _grant(self, member: LockMember) -> None:
        self.holder = member
        self.assure()

    def _displace(self, newcomer: LockMember) -> None:
        reason = f"{in_words(newcomer.id)} took over concurrency group {self._group} (on-conflict: cancel)"
        for member in self.waiting:
            self._refuse(member.id, reason)
        self.waiting.clear()
        if self.holder is not None and not self._told:  # told twice, it would end its `finally` steps too
            self._told = True
            self._tell(self.holder.id, granted=False, reason=reason)

    def _refuse(self, id: str, reason: str) -> None:
        self._depart(id)
        self._tell(id, granted=False, reason=reason)

    def _taken(self) -> str:
        holder = in_words(self.holder.id) if self.holder else "nobody"
        return f"concurrency group {self._group} is held by {holder}"

    def _tell(self, id: str, *, granted: bool, reason: str = "") -> None:
        self.outbox.append(Notice(id, Verdict(granted=granted, reason=reason)))

    def _depart(self, id: str) -> None:
        self._departed = [*(each for each in self._departed if each != id), id][-REMEMBERED:]


def why_waiting(view: LockView, member: str) -> str:
    """Why a member waits, in words; empty when it does not stand in line."""
    if view.holder is None or member not in view.waiting:
        return ""
    before = view.waiting.index(member)
    place = f"{before} before this one" if before else "this one is next"
    return f"concurrency group {view.group} is held by {in_words(view.holder)}; {place}"
