"""Who is in which group. Pure: from the groups that are kept and what one agent says of itself."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

import msgspec

from waterflow_sdk.wire import AgentState, GroupSpec, MemberSource

from ..presence import AgentFacts
from ._names import ALL_SERVERS


class Membership:
    """Answers questions about a fixed set of groups; made once, asked for each agent."""

    def __init__(self, groups: Iterable[GroupSpec]) -> None:
        self._groups = {group.name: group for group in groups}
        self._listed: dict[str, set[str]] = defaultdict(set)
        self._includers: dict[str, list[str]] = defaultdict(list)
        self._by_tags = [(group.name, group.tags) for group in self._groups.values() if group.tags]
        for group in self._groups.values():
            for agent in group.agents:
                self._listed[agent].add(group.name)
            for included in group.include_groups:
                self._includers[included].append(group.name)

    def of(self, agent: AgentFacts) -> dict[str, list[MemberSource]]:
        """Every group that the agent is in, ``all-servers`` among them, by name, with the reasons."""
        sources: dict[str, list[MemberSource]] = {ALL_SERVERS: ["built-in"]}
        for name in sorted(self._listed.get(agent.id, set()) | self._listed.get(agent.name, set())):
            sources.setdefault(name, []).append("listed")
        for name in agent.groups:
            sources.setdefault(name, []).append("registered")
        tags = _Tags(agent.tags)
        for name, terms in self._by_tags:
            if tags.fulfil(terms):
                sources.setdefault(name, []).append("tags")
        self._include(sources)
        return dict(sorted(sources.items()))

    def assigned(self, agent: AgentFacts) -> list[str]:
        """The groups that the server gives the agent: all but the built-in one, by name."""
        return [name for name in self.of(agent) if name in self._groups]

    def _include(self, sources: dict[str, list[MemberSource]]) -> None:
        waiting = deque(sources)
        while waiting:
            for includer in self._includers.get(waiting.popleft(), ()):
                if includer not in sources:
                    waiting.append(includer)
                reasons = sources.setdefault(includer, [])
                if "included" not in reasons:
                    reasons.append("included")


def grouped(agents: Iterable[AgentState], groups: Iterable[GroupSpec]) -> list[AgentState]:
    """The agents in all groups that they are in, also such as they have not been told of yet."""
    membership = Membership(groups)
    return [
        msgspec.structs.replace(agent, groups=[name for name in membership.of(facts) if name != ALL_SERVERS])
        for agent, facts in ((agent, AgentFacts.shown(agent)) for agent in agents)
    ]


class _Tags:
    """The tags of an agent, as expressions ask for them."""

    def __init__(self, tags: Iterable[str]) -> None:
        self._tags = set(tags)
        self._keys = {key for key, equals, _ in (tag.partition("=") for tag in self._tags) if equals}

    def fulfil(self, terms: Iterable[str]) -> bool:
        return all(self._has(term[1:]) is False if term[0] == "!" else self._has(term) for term in terms)

    def _has(self, term: str) -> bool:
        key, _, value = term.partition("=")
        return key in self._keys if value == "*" else term in self._tags


def find_cycle(groups: Mapping[str, GroupSpec]) -> list[str] | None:
    """Groups that include each other in a circle, the first one named again at the end; None when there are none."""
    done: set[str] = set()
    for start in sorted(groups):
        # A stack of our own: a chain of includes may be longer than Python's.
        path: dict[str, deque[str]] = {start: deque(groups[start].include_groups)} if start not in done else {}
        while path:
            name, left = next(reversed(path.items()))
            if not left:
                done.add(name)
                del path[name]
                continue
            included = left.popleft()
            if included in path:
                names = list(path)
                return [*names[names.index(included) :], included]
            if included in groups and included not in done:
                path[included] = deque(groups[included].include_groups)
    return None
