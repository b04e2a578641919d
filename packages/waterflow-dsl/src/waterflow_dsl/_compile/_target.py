"""``runs-on`` to a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from waterflow_dsl import model
from waterflow_dsl.plan import TargetPlan

ALL_SERVERS = "all-servers"
DEFAULT_GROUP = "default"


def compile_target(runs_on: model.RunsOn | str | tuple[str, ...] | None) -> TargetPlan:
    """The target of a job; with an expression anywhere in it, ``dynamic`` holds the whole as it was written."""
    data = _plain(runs_on)
    if data is None:
        return TargetPlan(groups=(DEFAULT_GROUP,))
    return TargetPlan(dynamic=data) if _has_expression(data) else target_of(data)


def target_of(runs_on: Any) -> TargetPlan:
    """The target that a ``runs-on`` without expressions means: a group, a list of tags, or a mapping.

    The interpreter uses it for a ``dynamic`` target, once its expressions are evaluated.

    Raises:
        ValueError: the value is none of the forms; the message says what it is.
    """
    if isinstance(runs_on, str) and runs_on:
        return _groups((runs_on,), None)
    if isinstance(runs_on, (list, tuple)) and runs_on:
        return TargetPlan(tags=_texts(runs_on))
    if isinstance(runs_on, Mapping) and runs_on:
        return _from_mapping(cast("Mapping[str, Any]", runs_on))
    raise ValueError(f"`runs-on` gave {_shown(runs_on)}; it must give a group, a list of tags, or a mapping")


def _from_mapping(given: Mapping[str, Any]) -> TargetPlan:
    """What is named and turns out empty is an error: an expression without a value must not mean any server at all."""
    unknown = set(given) - {"group", "tags", "labels", "target", "agent"}
    if unknown:
        raise ValueError(f"`runs-on` gave the unknown key `{min(unknown)}`")
    if "agent" in given:
        return TargetPlan(agent=_agent(given["agent"]))
    tags, target = given.get("tags") or given.get("labels"), given.get("target")
    if target not in (None, "any", "all"):
        raise ValueError(f"`runs-on.target` gave {_shown(target)}; it must be any or all")
    if "group" in given and given["group"] in (None, "", []):
        raise ValueError(f"`runs-on.group` gave {_shown(given['group'])}; it must name a group")
    if "group" not in given and not tags and given.keys() & {"tags", "labels"}:
        raise ValueError(f"`runs-on` gave {_shown(given)}; it names nobody")
    every = None if target is None else target == "all"
    plan = _groups(_texts(given["group"]) if "group" in given else (), every)
    return TargetPlan(groups=plan.groups, tags=_texts(tags) if tags else (), all=plan.all)


def _agent(name: Any) -> str:
    """An agent may be named by a number alone."""
    if name in (None, "") or isinstance(name, (bool, list, dict)):
        raise ValueError(f"`runs-on.agent` gave {_shown(name)}; it must name an agent")
    return str(name)


def _groups(groups: tuple[str, ...], every: bool | None) -> TargetPlan:
    return TargetPlan(groups=groups, all=True if every is None and ALL_SERVERS in groups else every)


def _texts(value: Any) -> tuple[str, ...]:
    values: list[Any] = [*cast("list[Any]", value)] if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(each, str) and each for each in values):
        raise ValueError(f"`runs-on` gave {_shown(value)}; names are texts")
    return tuple(values)


def _plain(runs_on: model.RunsOn | str | tuple[str, ...] | None) -> Any:
    if isinstance(runs_on, tuple):
        return list(runs_on)
    if not isinstance(runs_on, model.RunsOn):
        return runs_on
    group: Any = runs_on.group if not isinstance(runs_on.group, tuple) else list(runs_on.group)
    given = {"group": group, "tags": list(runs_on.tags), "target": runs_on.target, "agent": runs_on.agent}
    return {name: value for name, value in given.items() if value}


def _has_expression(data: Any) -> bool:
    if isinstance(data, str):
        return "${{" in data
    values: list[Any] = list(cast("dict[str, Any]", data).values()) if isinstance(data, dict) else data
    return any(_has_expression(value) for value in values)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
