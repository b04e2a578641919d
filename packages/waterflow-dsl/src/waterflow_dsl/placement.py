"""Whether the members of a job's target can run it: the part of placement that is certain before the run. Pure.

Which agents a target means, and which of them are online, the caller knows; this says what follows from it for the
file, as diagnostics at the place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from waterflow_dsl import model
from waterflow_dsl._analysis._blocks import all_blocks
from waterflow_dsl._analysis._targets import BUILT_IN_GROUPS
from waterflow_dsl._catalog import Catalog
from waterflow_dsl._check import CheckResult
from waterflow_dsl._codes import Code
from waterflow_dsl._confinement import levels_of, run_as_of
from waterflow_dsl._diagnostics import Diagnostic, Report, did_you_mean
from waterflow_dsl._uses import parse_uses
from waterflow_dsl.plan import OfflinePlan, TargetPlan, UsesKind

RUN_AS_CAPABILITY = "run-as/"
"""Begins the capability of agents that may run steps as a user; the user's name follows."""

_SHOWN = 5
# A name may end in digits: `cuda12`.
_REQUIRED = re.compile(r"\s*([^\s<>=]+)(?:(?:\s*>=\s*|\s+)(\d+(?:\.\d+)*))?\s*")


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as placement sees it.

    Attributes:
        name: what people call it.
        nodes: the nodes that it has, each with the capabilities that it needs there.
        capabilities: what its host has, with versions: ``{"docker": "28.2.2"}``.
        away: why it takes no work now, to stand after its name: ``offline since 10:14``; empty when it does.
    """

    name: str
    nodes: Mapping[str, tuple[str, ...]] = {}
    capabilities: Mapping[str, str] = {}
    away: str = ""


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """A job with its target as far as it is known.

    Attributes:
        job: id of the job.
        target: without expressions.
        members: the agents that the target means.
        certain: whether the job is sure to start at once when its turn comes; else nobody knows who will be online.
    """

    job: str
    target: TargetPlan
    members: tuple[Member, ...]
    certain: bool = True


def check_placings(result: CheckResult, placings: Iterable[Placing], catalog: Catalog) -> tuple[Diagnostic, ...]:
    """Everything that the members say against the jobs; errors are only what is certain."""
    if result.model is None or result.plan is None:
        return ()
    report = Report(result.plan.source or "workflow.yaml")
    plans = {plan.id: plan for plan in result.plan.jobs}
    lacks: _Lacks = {}
    for placing in placings:
        job, plan = result.model.jobs[placing.job], plans[placing.job]
        works = _works(job, result.model.defaults, catalog)
        checker = _Checker(job, works, placing, report, catalog, lacks)
        if checker.names_exist():
            checker.check_nodes()
            if placing.target.all or _needs_agent(job, works, catalog):
                checker.check_online(plan.offline)
    return report.sorted()


def describe(target: TargetPlan) -> str:
    """A target in words: ``the group `web` with the tags `ssd```."""
    if target.agent is not None:
        return f"the agent `{target.agent}`"
    groups = _listed("the group", target.groups) or "all servers"
    return f"{groups} with {_listed('the tag', target.tags)}" if target.tags else groups


def lacking(required: Iterable[str], present: Mapping[str, str]) -> list[str]:
    """The capabilities that are missing. ``docker`` asks for any version, ``node 20`` for 20 or a later one."""
    return [each for each in required if not _met(each, present)]


class _Work(msgspec.Struct, frozen=True):
    """A node and the user that it runs as, empty for the agent's own."""

    node: str
    user: str = ""

    def __str__(self) -> str:
        return f"`{self.node}` as `{self.user}`" if self.user else f"`{self.node}`"


_Works = dict[_Work, model.Step]
"""What a job does on its agent, each with the first step that does it."""

_Lacks = dict[tuple[TargetPlan, _Work], dict[str, str]]


class _Checker:
    def __init__(
        self, job: model.Job, works: _Works, placing: Placing, report: Report, catalog: Catalog, lacks: _Lacks
    ) -> None:
        self._lacks = lacks
        self._job = job
        self._works = works
        self._placing = placing
        self._report = report
        self._catalog = catalog
        self._where = describe(placing.target)

    def names_exist(self) -> bool:
        """Whether the groups and the agent that the target names are there; expressions may have given them."""
        target, catalog = self._placing.target, self._catalog
        groups = None if catalog.groups is None else catalog.groups | BUILT_IN_GROUPS
        unknown = [each for each in target.groups if groups is not None and each not in groups]
        for name in unknown:
            near = self._report.nearest(name, sorted(groups or ()))
            self._add(Code.UNKNOWN_GROUP, f"unknown group `{name}`", did_you_mean(near))
        agent = target.agent
        if agent is None or catalog.agents is None or agent in catalog.agents:
            return not unknown
        near = self._report.nearest(agent, sorted(catalog.agents))
        self._add(Code.UNKNOWN_AGENT, f"unknown agent `{agent}`", did_you_mean(near))
        return False

    def check_nodes(self) -> None:
        """Every node has a member that can run it, and without ``target: all`` one member can run them all."""
        members = self._placing.members
        lacks: dict[str, str] = {}
        for work, step in self._works.items() if members else ():
            without = self._without(work)
            if len(without) == len(members):
                self._nobody(step, work, without)
                return
            if without and self._placing.target.all:
                self._some(step, work, without)
            lacks = {**without, **lacks}
        if lacks and len(lacks) == len(members) and not self._placing.target.all:
            shown = _shortened([f"{member} {why}" for member, why in sorted(lacks.items())])
            message = f"no member of {self._where} can run all steps of the job: {shown}"
            self._add(
                Code.NO_MEMBER_FITS, message, "one host runs all steps of a job: split it, or add what is missing"
            )

    def _without(self, work: _Work) -> dict[str, str]:
        """The members that cannot run a node, and why; jobs of one target share what was found."""
        key = (self._placing.target, work)
        if key not in self._lacks:
            missing = {each.name: _why_not(each, work) for each in self._placing.members}
            self._lacks[key] = {member: why for member, why in missing.items() if why}
        return self._lacks[key]

    def _nobody(self, step: model.Step, work: _Work, without: Mapping[str, str]) -> None:
        shown = _shortened([f"{member} {why}" for member, why in sorted(without.items())])
        installed = all(work.node in each.nodes for each in self._placing.members)
        code = Code.NO_CAPABILITY if installed else Code.NODE_NOT_THERE
        alone = self._placing.target.agent is not None
        message = f"{self._where} cannot run {work}" if alone else f"no member of {self._where} can run {work}"
        what = f"add `{work.user}` to `nodes.run_as`" if installed and work.user else "install it"
        self._at(step, code, f"{message}: {shown}", f"{what} there, or let the job run elsewhere")

    def _some(self, step: model.Step, work: _Work, without: Mapping[str, str]) -> None:
        shown = _shortened([f"{member} {why}" for member, why in sorted(without.items())])
        message = f"{work} will fail on some members of {self._where}: {shown}"
        self._at(step, Code.NOT_EVERYWHERE, message, "every member runs the job because of `target: all`")

    def check_online(self, offline: OfflinePlan) -> None:
        """Somebody is online, or the job's ``offline`` policy says what happens."""
        members = self._placing.members
        if any(not member.away for member in members):
            return
        shown = _shortened([f"{member.name} {member.away}" for member in members])
        alone = self._placing.target.agent is not None
        message = shown if alone else f"no member of {self._where} is online: {shown or 'nobody has registered there'}"
        if offline.policy == "fail" and self._placing.certain:
            hint = "start an agent there, or write `offline: {wait: 2h}` or `offline: skip`"
            self._add(Code.NOBODY_ONLINE, message, hint)
            return
        then = {"skip": "the job is skipped", "wait": "the job waits for one"}.get(offline.policy, "the job would fail")
        self._add(Code.NOBODY_ONLINE_YET, f"{message}; {then} unless that changes", None)

    def _add(self, code: Code, message: str, hint: str | None) -> None:
        self._report.add(code, self._job.node_of("runs-on"), message, path=f"{self._job.path}.runs-on", hint=hint)

    def _at(self, step: model.Step, code: Code, message: str, hint: str) -> None:
        key = "uses" if step.uses is not None else "run"
        self._report.add(code, step.node_of(key), message, path=f"{step.path}.{key}", hint=hint)


def _works(job: model.Job, defaults: model.JobDefaults | None, catalog: Catalog) -> _Works:
    """The agent nodes of a job. A user that an expression gives is not known yet."""
    around = levels_of(job, defaults)
    found: _Works = {}
    for block in all_blocks(job):
        if isinstance(block, model.Step):
            uses = None if block.uses is None else parse_uses(block.uses, catalog)
            if block.uses is None or (uses and uses.kind is UsesKind.NODE):
                user, _written = run_as_of(block, around)
                found.setdefault(_Work(uses.name if uses else "shell", "" if "${{" in user else user), block)
    return found


def _needs_agent(job: model.Job, works: _Works, catalog: Catalog) -> bool:
    """Whether an agent is claimed for the job: not where its steps are control nodes alone."""
    if works:
        return True
    steps = [block for block in job.steps if isinstance(block, model.Step) and block.uses is not None]
    kinds = [uses.kind if (uses := parse_uses(step.uses or "", catalog)) else None for step in steps]
    return len(steps) < len(job.steps) or any(kind is not UsesKind.CONTROL for kind in kinds)


def _why_not(member: Member, work: _Work) -> str:
    """Why a member cannot run a node, to stand after its name; empty when it can."""
    required = member.nodes.get(work.node)
    if required is None:
        return f"lacks the node `{work.node}`"
    if work.user and RUN_AS_CAPABILITY + work.user not in member.capabilities:
        return f"may not run steps as `{work.user}`"
    missing = lacking(required, member.capabilities)
    if not missing:
        return ""
    there = member.capabilities.get(_parts(missing[0])[0])
    return f"has {_parts(missing[0])[0]} {there} instead of {missing[0]}" if there else f"has no `{missing[0]}`"


def _met(required: str, present: Mapping[str, str]) -> bool:
    name, least = _parts(required)
    return name in present and (not least or _numbers(present[name]) >= _numbers(least))


def _parts(required: str) -> tuple[str, str]:
    match = _REQUIRED.fullmatch(required)
    return (match[1], match[2] or "") if match else (required, "")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _listed(what: str, names: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{name}`" for name in names)
    return f"{what}{'s' if len(names) > 1 else ''} {shown}" if names else ""


def _shortened(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
