"""What the answers of agents mean for a run. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from waterflow_sdk.wire import SecretAnswer

from ._wire import Demand, Demands, Finding, Lack

MAX_LACKS = 50
"""Lacks that are listed: a whole group that lacks all of a run's secrets would fill its history."""

_LONGEST_MESSAGE = 500

Answers = Mapping[int, Mapping[str, SecretAnswer]]
"""By the agent's place and the segment; of an agent that gave no answer there is none."""


def questions(asked: Demands) -> dict[int, list[str]]:
    """The segments that each agent is asked for, once each, by the agent's place."""
    found: dict[int, dict[str, None]] = {}
    for demand in asked.demands:
        for place in demand.agents:
            found.setdefault(place, {}).update(dict.fromkeys(demand.segments))
    return {place: list(segments) for place, segments in sorted(found.items())}


def judge(asked: Demands, answers: Answers) -> Finding:
    """Whether the run may start. Where all who get a job have to have a secret, one that lacks it is too many; where
    any of them will do, only if all do. Who gave no answer lacks nothing: its steps will tell.
    """
    lacks: list[Lack] = []
    lacking: dict[str, list[str]] = {}
    for demand in asked.demands:
        found = _lacking(asked, demand, answers)
        if demand.every or len(found) == len(demand.agents):
            lacks += [lack for each in found.values() for lack in each]
        elif found:
            lacking[demand.job] = [asked.agents[place].id for place in found]
    return Finding(lacks=lacks[:MAX_LACKS], more=max(len(lacks) - MAX_LACKS, 0), lacking=lacking)


def _lacking(asked: Demands, demand: Demand, answers: Answers) -> dict[int, list[Lack]]:
    """The agents that lack something of what the job needs, by their places."""
    found: dict[int, list[Lack]] = {}
    for place in demand.agents:
        given = answers.get(place, {})
        missing = [given[segment] for segment in demand.segments if segment in given and given[segment].code]
        if missing:
            found[place] = [_lack(demand.job, asked.agents[place].name, answer) for answer in missing]
    return found


def _lack(job: str, agent: str, answer: SecretAnswer) -> Lack:
    return Lack(job=job, agent=agent, code=answer.code, message=answer.message[:_LONGEST_MESSAGE])
