"""What a group, a listed agent and a tag may look like. Everything here says what is wrong, in words, or nothing."""

from __future__ import annotations

import re

from waterflow_sdk.wire import GroupSpec

from .._nearest import did_you_mean

ALL_SERVERS = "all-servers"
"""The built-in group: every agent is a member."""

TARGETS = ("any", "all")

MAX_NAME = 63
MAX_DESCRIPTION = 500
MAX_AGENTS = 2000
MAX_INCLUDES = 100
MAX_TAGS = 20
MAX_TERM = 200

_NAME = re.compile(r"[^\W_][\w.-]*")
_AGENT = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_TERM = re.compile(r"!?[^\s,!=*]+(=([^\s,=*]+|\*))?")


def name_problem(name: str) -> str:
    """Why ``name`` cannot be that of a group; empty when it can."""
    if name == ALL_SERVERS:
        return f"{ALL_SERVERS!r} is built in: every agent is a member, and nothing about it can be changed"
    if len(name) > MAX_NAME or _NAME.fullmatch(name) is None:
        return (
            f"{_shown(name)} cannot be the name of a group: it needs 1 to {MAX_NAME} letters, digits, `.`, `_` or `-`, "
            "the first of them a letter or a digit"
        )
    return ""


def term_problem(term: str) -> str:
    """Why ``term`` is no tag expression; empty when it is one."""
    if len(term) <= MAX_TERM and _TERM.fullmatch(term):
        return ""
    return f"{_shown(term)} is no tag expression: write `ssd`, `env=prod`, `env=*`, or one of these after a `!`"


def spec_problems(spec: GroupSpec) -> list[tuple[str, str]]:
    """All that is wrong with a group by itself, as (path in the group, sentence)."""
    found = [("name", name_problem(spec.name))]
    if len(spec.description) > MAX_DESCRIPTION:
        found.append(("description", f"the description has more than {MAX_DESCRIPTION} characters"))
    if spec.target not in TARGETS:
        near = did_you_mean(spec.target, TARGETS)
        found.append(("target", f"target {_shown(spec.target)} is neither `any` nor `all`{near}"))
    found += _list_problems("agents", spec.agents, MAX_AGENTS)
    found += _list_problems("include_groups", spec.include_groups, MAX_INCLUDES)
    found += _list_problems("tags", spec.tags, MAX_TAGS)
    return [(path, problem) for path, problem in found if problem]


def _list_problems(key: str, words: list[str], most: int) -> list[tuple[str, str]]:
    if len(words) > most:
        return [(key, f"{key} has {len(words)} entries, at most {most}")]
    seen: set[str] = set()
    found: list[tuple[str, str]] = []
    for number, word in enumerate(words):
        problem = f"{_shown(word)} stands twice in {key}" if word in seen else _word_problem(key, word)
        found.append((f"{key}[{number}]", problem))
        seen.add(word)
    return found


def _word_problem(key: str, word: str) -> str:
    if key == "tags":
        return term_problem(word)
    if key == "agents":
        return "" if _AGENT.fullmatch(word) else f"{_shown(word)} cannot be the id or name of an agent"
    # What is not there is found later, when all groups are known; agents may name groups as they like.
    return "" if _AGENT.fullmatch(word) else f"{_shown(word)} cannot be the name of a group"


def _shown(word: str) -> str:
    return repr(word if len(word) <= 80 else f"{word[:77]}…")
