"""``python -m soak``: runs the long proofs one after the other; the exit code is 0 when all held."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import Site
from logs._proof import Blow, Plan, Proof, prove, start_agents

PROOFS = ("logs", "chaos", "sizes")
REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the proofs that were asked for."""
    parser = argparse.ArgumentParser(prog="soak", description="The long forms of the proofs.")
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=f"of {', '.join(PROOFS)} (default: all)")
    parser.add_argument("--agents", type=int, default=20, help="agents that print lines (default: 20)")
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of all agents (default: 1000000)")
    parser.add_argument("--seeds", type=int, default=50, help="generated runs of the chaos proof (default: 50)")
    parser.add_argument("--root", type=Path, help="directory for data and logs (default: a temporary one, which stays)")
    given = parser.parse_args()
    if unknown := set(given.proofs) - set(PROOFS):
        parser.error(f"there is no proof {min(unknown)!r}; there are {', '.join(PROOFS)}")
    root = given.root or Path(tempfile.mkdtemp(prefix="waterflow-soak-"))
    print(f"logs of all processes: {root}", flush=True)
    wrong = 0
    for name in given.proofs or PROOFS:
        print(f"=== {name}", flush=True)
        place = root / name
        place.mkdir(parents=True, exist_ok=True)
        if name == "logs":
            wrong |= _logs(place, plan(given.agents, given.lines))
        else:
            wrong |= _chaos(place, given.seeds) if name == "chaos" else _sizes(place)
    return wrong


def plan(agents: int, lines: int) -> Plan:
    """Numbered lines for so many agents; each kind of process is killed more than once, alone and together."""
    names = tuple(f"a{number}" for number in range(1, agents + 1))
    size = 500
    return Plan(
        agents=names,
        batches=lines // (agents * size),
        size=size,
        pause=0.5,
        silence=600.0,
        blows=(
            Blow(at=0.08, targets=("server",), spooled=5 * size),
            Blow(at=0.16, targets=("a1", "a2")),
            Blow(at=0.24, targets=("temporal",), spooled=5 * size),
            Blow(at=0.32, targets=("server", "a3"), spooled=10 * size),
            Blow(at=0.45, targets=("server", "temporal", "a4"), spooled=5 * size),
            Blow(at=0.55, targets=("temporal",)),
            Blow(at=0.65, targets=("server",), spooled=20 * size),
        ),
    )


def _logs(root: Path, plan: Plan) -> int:
    proof = asyncio.run(_prove(root, plan))
    print(proof, *(f"        {problem}" for problem in proof.problems), sep="\n", flush=True)
    return int(bool(proof.problems) or proof.lines < plan.lines)


async def _prove(root: Path, plan: Plan) -> Proof:
    async with Site.create(root) as site:
        await start_agents(site, plan.agents)
        return await prove(site, plan)


def _chaos(root: Path, seeds: int) -> int:
    """As ``make chaos``: a command of its own."""
    words = [sys.executable, "-m", "chaos", "--seeds", str(seeds), "--root", str(root)]
    return int(subprocess.run(words, check=False).returncode != 0)


def _sizes(root: Path) -> int:
    """The tests that carry the mark ``soak``."""
    words = [sys.executable, "-m", "pytest", "-m", "soak", "--basetemp", str(root / "pytest"), "integration-tests"]
    return int(subprocess.run(words, check=False, cwd=REPOSITORY).returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
