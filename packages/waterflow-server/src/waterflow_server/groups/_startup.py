"""What a server does about groups when it starts: its ``groups_file`` comes into force, and agents are looked after."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from waterflow_sdk.wire import GroupsApply

from .._errors import ServerError
from ._errors import InvalidGroups
from ._file import MAX_FILE_BYTES, parse_groups
from ._service import AgentSource, Groups
from ._store import TableStore

_AGAIN = 5.0

_log = logging.getLogger("waterflow.groups")


def read_groups_file(path: Path) -> GroupsApply:
    """The file, checked as far as it can be without the other groups. Raises InvalidGroups."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InvalidGroups(f"groups_file: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidGroups(f"groups_file: {path}: byte {error.start} is not UTF-8 text") from error
    parse_groups(text, str(path))
    return GroupsApply(yaml=text, filename=str(path))


async def start_groups(client: Client, agents: AgentSource, file: GroupsApply | None) -> None:
    """Apply the file and have all agents looked after; again until Temporal and a worker are there to do it."""
    while True:
        try:
            if file is not None:
                await _apply(Groups(client, agents), file)
            # A server that ended just after a change of groups may not have told all agents.
            await TableStore(client).announce()
        except (RPCError, ServerError) as error:
            _log.warning("the groups could not be looked after, again in a moment: %s", error)
            await asyncio.sleep(_AGAIN)
        else:
            return


async def _apply(groups: Groups, file: GroupsApply) -> None:
    try:
        applied = await groups.apply(file)
    except InvalidGroups as error:
        # Only in the company of the other groups: running without the file is better than not at all.
        _log.error("the groups of %s are not in force: %s", file.filename, error.message)
    else:
        changed = ", ".join(f"{change.action} {change.name}" for change in applied.changes)
        _log.info("the groups of %s are in force: %s", file.filename, changed or "nothing has changed")
