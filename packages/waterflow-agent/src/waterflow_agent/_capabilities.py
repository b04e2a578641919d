"""What a host can do, found without starting anything that is slow."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import re
import shutil
from collections.abc import Mapping

_TIMEOUT = 5.0
_VERSION = re.compile(r"\d+(?:\.\d+)+")

_TOOLS: Mapping[str, tuple[str, ...]] = {
    "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
    "compose": ("docker", "compose", "version", "--short"),
    "node": ("node", "--version"),
    "git": ("git", "--version"),
}
_COMPOSE_V1 = ("docker-compose", "version", "--short")
_COMMANDS = (*_TOOLS, "docker-compose", "sudo")
_PLACES = (
    "/etc/passwd",
    "/var/run/docker.sock",
    *(
        f"{folder}/docker-compose"
        for folder in (
            "/usr/local/lib/docker/cli-plugins",
            "/usr/local/libexec/docker/cli-plugins",
            "/usr/lib/docker/cli-plugins",
            "/usr/libexec/docker/cli-plugins",
        )
    ),
)
"""Where a service or a plug-in of a tool shows that it came, went or was replaced."""


async def find_capabilities(declared: Mapping[str, str] | None = None) -> dict[str, str]:
    """Capabilities and their versions; ``declared`` ones are added and win."""
    names = list(_TOOLS)
    versions = await asyncio.gather(*(_version(_TOOLS[name]) for name in names))
    found = {name: version for name, version in zip(names, versions, strict=True) if version}
    if "compose" not in found and (version := await _version(_COMPOSE_V1)):
        found["compose"] = version
    found["python"] = platform.python_version()
    found["cpus"] = str(os.cpu_count() or 1)
    found["memory"] = f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f}GiB"
    return {**found, **(declared or {})}


def tool_marks() -> tuple[tuple[str, int, int], ...]:
    """Something that changes when a tool comes, goes or is replaced. Only looks at files, so it may be asked often."""
    paths = [path for path in map(shutil.which, _COMMANDS) if path]
    marks: list[tuple[str, int, int]] = []
    socket = os.environ.get("DOCKER_HOST", "").removeprefix("unix://")
    for path in (*paths, *_PLACES, *([socket] if socket.startswith("/") else [])):
        with contextlib.suppress(OSError):
            found = os.stat(path)
            marks.append((path, found.st_ino, found.st_mtime_ns if path in paths else 0))
    return tuple(marks)


def host_tags() -> list[str]:
    """Operating system and architecture, as tags: ``linux``, ``x86_64``."""
    return [os.uname().sysname.lower(), os.uname().machine]


async def _version(command: tuple[str, ...]) -> str:
    """First version number that a command prints; empty if it is not there, fails, or does not answer."""
    if shutil.which(command[0]) is None:
        return ""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(_TIMEOUT):
            output, _ = await process.communicate()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return ""
    match = _VERSION.search(output.decode(errors="replace")) if process.returncode == 0 else None
    return match[0] if match else ""
