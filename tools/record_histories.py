"""Record the histories of `conformance/histories`, which the replay tests replay on every change.

    python tools/record_histories.py [FEATURE ...]

A real site (Temporal, server, agents) runs the `workflow.yaml` of each feature's folder. What Temporal then keeps of
the run and its jobs is written beside it, as `<workflow id>.json`; `presence` and `documents` have no workflow file:
they are driven from here. Payloads stay sealed, with the test key of `conformance/histories/keys.json`; names and paths
of the machine that records are replaced.

Record anew only when the commands of the interpreter change on purpose and no run of an older version has to survive.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from temporalio.client import Client

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration-tests"))

from harness import Site
from histories._driven import DRIVEN
from histories._features import HISTORY_EVENTS, record_run
from histories._recorder import HISTORIES, Recorder

from waterflow_sdk.codec import KeyRing, PayloadCodec
from waterflow_server._converter import data_converter


async def _restart_with(site: Site, history_events: int | None) -> None:
    """A server that lets histories grow so long, or as long as it does by default."""
    environ = {} if history_events is None else {"WATERFLOW_HISTORY_EVENTS": str(history_events)}
    if environ != site.server_environ:
        site.kill_server()
        site.server_environ = environ
        await site.start_server()


def features() -> list[str]:
    """All that can be recorded; the one that kills an agent comes last."""
    with_file = [path.parent.name for path in HISTORIES.glob("*/workflow.yaml")]
    return sorted({*with_file, *DRIVEN}, key=lambda name: (name == "agent-lost", name))


async def main(wanted: list[str]) -> None:
    """Record the wanted features, or all."""
    root = Path(tempfile.mkdtemp(prefix="waterflow-record-"))
    shutil.copy(HISTORIES / "keys.json", root / "keys.json")
    (root / "keys.json").chmod(0o600)
    codec = PayloadCodec(KeyRing.load(root / "keys.json"))
    async with Site.create(root, agents=["web-01", "web-02"]) as site:
        site.start_agent(
            "db-01", ["db"], WATERFLOW_TAGS="ssd", WATERFLOW_SECRETS_ALLOW="env:SHOP_*", SHOP_TOKEN="a-value-for-tests"
        )
        await site.until_online("db-01")
        client = await Client.connect(site.temporal.address, data_converter=data_converter(codec))
        recorder = Recorder(client, codec, root)
        for feature in wanted or features():
            for kind in ("run", "lock", "agent", "doc", "trigger"):
                shutil.rmtree(HISTORIES / feature / kind, ignore_errors=True)
            await _restart_with(site, HISTORY_EVENTS.get(feature))
            if driven := DRIVEN.get(feature):
                await driven(site, recorder)
            else:
                await record_run(site, recorder, feature)
            print(f"recorded {feature}", flush=True)
    shutil.rmtree(root)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Record the histories that the replay tests replay.")
    parser.add_argument("features", nargs="*", choices=[*features(), []], metavar="FEATURE", help=", ".join(features()))
    asyncio.run(main(parser.parse_args().features))
