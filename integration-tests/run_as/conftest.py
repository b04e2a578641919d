"""A site, and agents with little rights: one that sudo lets become somebody else, one that it does not.

Nothing changes on the host: the agents live in a mount namespace of their own, in which another file lies over
``/etc/sudoers``. The users are those that every Debian has. The agents may read all files (a capability), because
Python and Waterflow may lie where only root can look.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import Agent, Site

AGENT = "daemon"
"""The user that the agents run as."""

DEPUTY = {"WATERFLOW_RUN_AS": "nobody,games,mail,no-such-user"}
"""Its settings: more than sudo allows."""

SUDOERS = f"""
Defaults env_reset, use_pty
Defaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
{AGENT} ALL=(nobody) NOPASSWD:SETENV: ALL
{AGENT} ALL=(games) NOPASSWD: /usr/bin/env, /bin/sh
"""

_ENTER = 'mount --bind "$0" /etc/sudoers && exec "$@"'
_LESS = ("--clear-groups", "--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search")


class Deputies:
    """Agents that run as :data:`AGENT`."""

    def __init__(self, site: Site, root: Path, sudoers: Path) -> None:
        self.site = site
        self._root = root
        self._sudoers = sudoers

    def start(self, name: str, **settings: str) -> Agent:
        """Start an agent with settings from its environment; the same name takes up its old state directory."""
        agent = self.site.agents.get(name) or Agent(name, [name], self._root / name)
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("TEMPORAL_", "WATERFLOW_"))}
        environ |= {
            "TEMPORAL_ADDRESS": self.site.temporal.address,
            "SERVER_ADDRESS": self.site.url,
            "WATERFLOW_KEYS_FILE": str(self.site.root / "keys.json"),
            "WATERFLOW_AGENT_NAME": name,
            "SERVER_GROUP": name,
            "WATERFLOW_STATE_DIR": str(agent.state_dir),
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        less = ("setpriv", f"--reuid={AGENT}", f"--regid={AGENT}", *_LESS, "--")
        own = ("unshare", "--mount", "--propagation=private", "--", "/bin/sh", "-c", _ENTER, str(self._sudoers))
        with (self.site.root / f"agent-{name}.log").open("ab") as log:
            agent.process = subprocess.Popen(
                [*own, *less, sys.executable, "-m", "waterflow_agent"],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.site.agents[name] = agent  # the site ends it
        return agent


@pytest.fixture(scope="session")
def _place() -> Iterator[Path]:
    """A directory that other users can reach, unlike pytest's own, and that belongs to the agents' user."""
    root = Path(tempfile.mkdtemp(prefix="waterflow-run-as-"))
    root.chmod(0o755)
    shutil.chown(root, AGENT)
    yield root
    shutil.rmtree(root)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def deputies(
    tmp_path_factory: pytest.TempPathFactory,
    temporal_binary: Path,
    require_component: Callable[[str, str], Path],
    _place: Path,
) -> AsyncIterator[Deputies]:
    """``deputy`` may become ``nobody``, and believes so of ``games`` and ``mail``; ``plain`` may become nobody else and
    gives a process 96 MiB of memory; ``warden`` runs as root.
    """
    require_component("sudo", "Install Debian's package sudo.")
    for program in ("setpriv", "unshare"):
        require_component(program, "Install Debian's package util-linux.")
    if os.geteuid() != 0:
        require_component("The right to make mount namespaces", "Run the tests as root.")
    root = tmp_path_factory.mktemp("site")
    sudoers = root / "sudoers"
    sudoers.write_text(SUDOERS)
    sudoers.chmod(0o440)
    async with Site.create(root) as site:
        made = Deputies(site, _place, sudoers)
        made.start("deputy", **DEPUTY)
        made.start("plain", WATERFLOW_MEMORY_LIMIT="96MiB")
        site.start_agent("warden", ["warden"], WATERFLOW_RUN_AS="nobody", WATERFLOW_STATE_DIR=str(_place / "warden"))
        await site.until_online("deputy", "plain", "warden")
        yield made
