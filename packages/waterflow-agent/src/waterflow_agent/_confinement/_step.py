"""The confinement of one step: its directories are shared with the user, and what sudo says is understood."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from waterflow_sdk.node import NodeError, NotFoundError, PermissionDenied

from .._process_table import MARK
from ._argv import as_user
from ._memory import limited
from ._reach import reach_as
from ._sharing import close_to_others, let_through, share, share_once
from ._users import Identity, Way, own_name

_TIMEOUT = 30.0
_NO_ENV, _NO_WRITE, _NO_ENTRY = 97, 98, 125
_PROBE = f'[ "${MARK}" = "$0" ] || exit {_NO_ENV}; [ -w . ] || exit {_NO_WRITE}'
"""env(1) ends with 125 where it cannot enter the directory."""


class StepConfinement:
    """Implements the SDK's ``Confinement`` for a step with ``run-as`` or a limit of memory.

    Args:
        user: Whom the processes belong to.
        memory: Bytes that each of them may have; None = no limit.
        mark: The value of the mark that the attempt's processes carry.
        workspace: The job's directory.
        above: The agent's own directories on the way to it.
        temp: The attempt's private directory, once there is one.
    """

    def __init__(
        self,
        user: Identity,
        memory: int | None,
        mark: str,
        workspace: Path,
        above: Sequence[Path],
        temp: Callable[[], Path | None],
    ) -> None:
        self._user = user
        self._memory = memory
        self._mark = mark
        self._workspace = workspace
        self._above = above
        self._temp = temp
        self._ready = False
        self._reach = reach_as(user.name)

    async def prepare(self) -> None:
        """Shares what the process needs. The first time it also tries whether the way to the user is open."""
        if self._user.way is Way.SELF:
            return
        if not self._ready:
            await self._share(lambda: self._open_workspace(self._user.uid))
            await self._try()
            self._ready = True
        temp = self._temp()
        if temp is not None:
            await self._share(lambda: share(temp, self._user.uid))

    def command(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> tuple[list[str], Path]:
        """The command as that user, with its memory limited; another user enters its directory itself."""
        words = limited(argv, self._memory)
        if self._user.way is Way.SELF:
            return words, cwd
        return as_user(words, env, cwd, self._user), Path("/")

    async def signal(self, group: int, number: signal.Signals) -> None:
        """To the members of the group that are that user's; where sudo leads it, it ends with them."""
        if self._reach is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
        else:
            await self._reach.send([-group], number)

    def _open_workspace(self, uid: int) -> None:
        close_to_others(self._above[0])
        let_through(self._above, uid)
        share_once(self._workspace, uid)

    async def _share(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(work)
        except OSError as error:
            raise NodeError(
                f"{self._user.name!r} cannot be given access to {error.filename or self._workspace}: {error.strerror}; "
                "the file system of the agent's state directory (`agent.state_dir`) has to keep access-control lists",
                code="run-as-workspace",
            ) from error

    async def _try(self) -> None:
        env = {"PATH": os.defpath, "LC_ALL": "C", MARK: self._mark}
        argv = as_user(["/bin/sh", "-c", _PROBE, self._mark], env, self._workspace, self._user)
        try:
            code, said = await _run(argv, env)
        except TimeoutError:
            message = f"sudo did not answer within {_TIMEOUT:g} s, so nothing was run as {self._user.name!r}"
            raise NodeError(message, code="run-as-refused", retryable=True) from None
        except FileNotFoundError as error:
            raise NotFoundError(f"{argv[0]} was not found", code="run-as-no-sudo") from error
        if code:
            raise self._why(code, said)

    def _why(self, code: int, said: str) -> NodeError:
        name = self._user.name
        if code in (_NO_ENTRY, _NO_WRITE):
            does = "enter" if code == _NO_ENTRY else "write to"
            return PermissionDenied(
                f"{name!r} cannot {does} the workspace {self._workspace}: every directory above the agent's state "
                f"directory must let it through (chmod o+x), or `agent.state_dir` has to be another one{_quoted(said)}",
                code="run-as-workspace",
            )
        if self._user.way is Way.ROOT:
            return PermissionDenied(f"the agent cannot become {name!r}{_quoted(said)}", code="run-as-refused")
        if "no new privileges" in said:
            remedy = "the agent runs with NoNewPrivileges, which sudo cannot work with: take it out of its unit"
        else:
            rule = f"{own_name()} ALL=({name}) NOPASSWD:SETENV: ALL"
            remedy = f"allow it with the line `{rule}` in /etc/sudoers.d/waterflow (visudo -f)"
        what = "hand on the environment" if code == _NO_ENV or "environment" in said else "run commands"
        return PermissionDenied(
            f"sudo does not let {own_name()!r} {what} as {name!r}{_quoted(said)}; {remedy}", code="run-as-refused"
        )


async def _run(argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )
    async with asyncio.timeout(_TIMEOUT):
        _, errors = await process.communicate()
    return process.returncode or 0, errors.decode(errors="replace")


def _quoted(said: str) -> str:
    lines = [re.sub(r"\s+", " ", line).strip() for line in said.splitlines()]
    told = "; ".join(line for line in lines if line)[:300]
    return f" ({told})" if told else ""
