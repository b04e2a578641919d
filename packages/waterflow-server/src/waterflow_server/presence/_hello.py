"""What a hello must satisfy before it is accepted. Pure: run inside an update validator."""

from __future__ import annotations

import re

import msgspec
from temporalio.exceptions import ApplicationError

from waterflow_sdk.wire import (
    AgentDuplicate,
    AgentHello,
    AgentHome,
    WireVersionError,
    agent_workflow_id,
    check_wire_version,
)

_MAX_KEYWORDS_BYTES = 2000  # a search attribute over 2,048 bytes makes Temporal terminate the workflow
_MAX_NAME = 255
_MAX_NODES = 2000
_MAX_TEXT = 1000
_MAX_BYTES = 512 * 1024
"""All of a hello: it is kept in the memo of the agent's workflow, which every list of agents reads."""

_ID = re.compile(r"\w[\w.-]*")


def check_hello(hello: AgentHello, workflow_id: str, holder: AgentHello | None) -> None:
    """Refuses a hello to the workflow of that id; the error's type says why: WireVersion, BadHello or AgentTaken.

    ``holder`` is the agent that holds the lease, None where nobody does.
    """
    try:
        check_wire_version(hello.wire)
    except WireVersionError as error:
        raise ApplicationError(str(error), type="WireVersion", non_retryable=True) from None
    problem = _identity_problem(hello, workflow_id) or _problem(hello)
    if problem:
        raise ApplicationError(f"agent {hello.name!r} is refused: {problem}", type="BadHello", non_retryable=True)
    if holder and not _is_same(hello, holder):
        raise ApplicationError(
            f"agent id {hello.id!r} is in use: {holder.name!r} on {_where(holder)} holds its lease, and this is "
            f"another agent, on {_where(hello)}. Stop that one, or give this one an id of its own: another `agent.id` "
            "where its settings have one, else a new state directory.",
            type="AgentTaken",
        )


def is_sound(duplicate: AgentDuplicate) -> bool:
    """Whether what a refused agent says of itself can be shown."""
    words = (duplicate.incarnation, duplicate.name, duplicate.host)
    return all(_is_name(word) for word in words) and _is_path(duplicate.directory)


def _is_same(hello: AgentHello, holder: AgentHello) -> bool:
    """Whether both are one agent, started again. Agents of former versions are known by their host alone."""
    known = hello.home is not None and holder.home is not None
    return hello.host == holder.host and (not known or _nonce(hello) == _nonce(holder))


def _nonce(hello: AgentHello) -> str:
    return hello.home.nonce if hello.home else ""


def _where(hello: AgentHello) -> str:
    home = hello.home
    return f"host {hello.host!r}" + (f" (process {home.process}, state directory {home.directory})" if home else "")


def _identity_problem(hello: AgentHello, workflow_id: str) -> str:
    for what, value in (("id", hello.id), ("name", hello.name), ("incarnation", hello.incarnation)):
        if not value or not _is_name(value):
            return f"its {what} must be 1 to {_MAX_NAME} printable characters"
    if _ID.fullmatch(hello.id) is None:
        return f"its id {hello.id!r} must consist of letters, digits, `.`, `_` and `-`"
    if agent_workflow_id(hello.id) != workflow_id:
        return f"it says hello to {workflow_id!r} with the id {hello.id!r}, which is another agent's"
    return ""


def _problem(hello: AgentHello) -> str:
    for what, value in (("version", hello.version), ("host", hello.host)):
        if not _is_name(value):
            return f"its {what} must be at most {_MAX_NAME} printable characters"
    for what, words in (("groups", hello.groups), ("tags", hello.tags)):
        if not all(word and word.isprintable() for word in words):
            return f"its {what} must not be empty or hold control characters"
        if keyword_bytes(words) > _MAX_KEYWORDS_BYTES:
            return f"its {what} take more than {_MAX_KEYWORDS_BYTES} bytes"
    if hello.home and not _is_sound_home(hello.home):
        return f"its state directory must have at most {_MAX_TEXT} printable characters, and a nonce"
    if hello.slots < 1:
        return "it has no slot for a step"
    words = [*hello.capabilities, *hello.capabilities.values(), *hello.nodes, *hello.nodes.values()]
    if any(len(word) > _MAX_TEXT for word in words):
        return f"a capability or node of it takes more than {_MAX_TEXT} characters"
    if len(hello.nodes) > _MAX_NODES:
        return f"it has more than {_MAX_NODES} nodes"
    if not 1 <= hello.heartbeat_timeout <= 3600:
        return "its heartbeat time-out must be 1 to 3600 seconds"
    if (size := len(msgspec.json.encode(hello))) > _MAX_BYTES:
        return f"its hello takes {size} bytes, the most is {_MAX_BYTES}"
    return ""


def _is_name(text: str) -> bool:
    return len(text) <= _MAX_NAME and text.isprintable()


def _is_path(text: str) -> bool:
    return len(text) <= _MAX_TEXT and text.isprintable()


def _is_sound_home(home: AgentHome) -> bool:
    return bool(home.nonce) and _is_name(home.nonce) and _is_path(home.directory)


def fitting(own: list[str], assigned: list[str]) -> list[str]:
    """As many of the assigned groups as fit into the search attribute beside the agent's own."""
    kept: list[str] = []
    size = keyword_bytes(own)
    for group in assigned:
        size += 0 if group in own else keyword_bytes([group]) - keyword_bytes([])
        if size <= _MAX_KEYWORDS_BYTES:
            kept.append(group)
    return kept


def check_groups(groups: list[str]) -> None:
    """Refuses groups that would not fit into the search attribute (``BadGroups``)."""
    if not all(group and group.isprintable() for group in groups) or keyword_bytes(groups) > _MAX_KEYWORDS_BYTES:
        raise ApplicationError(
            f"groups must be printable and take at most {_MAX_KEYWORDS_BYTES} bytes together", type="BadGroups"
        )


def keyword_bytes(words: list[str]) -> int:
    """Size of a KeywordList search attribute as it is stored (JSON)."""
    return sum(len(word.encode()) + 3 for word in words) + 2
