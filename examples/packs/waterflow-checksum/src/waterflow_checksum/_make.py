"""The node ``checksum/make``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from waterflow_sdk import Node, NodeExample, NodeInput, NodeOutput, SyncNodeContext
from waterflow_sdk.node import NotFoundError

BLOCK = 1024 * 1024

Algorithm = Literal["sha256", "sha512"]


def digest_of(ctx: SyncNodeContext, path: Path, algorithm: str) -> str:
    """The digest of a file in the workspace, in hex; tells how far it is, and stops when the step is cancelled."""
    file = ctx.workspace / path
    if not file.is_file():
        raise NotFoundError(f"there is no file {str(path)!r} in the workspace", details={"path": str(path)})
    size, done, digest = file.stat().st_size, 0, hashlib.new(algorithm)
    with file.open("rb") as stream:
        while not ctx.cancelled and (block := stream.read(BLOCK)):
            digest.update(block)
            done += len(block)
            ctx.progress(100 * done / size, f"{done:,} of {size:,} bytes")
    return digest.hexdigest()


class Make(Node):
    """Make the checksum of a file."""

    name = "checksum/make"
    version = "1.0.0"
    retry_safe = True
    examples = (
        NodeExample(
            title="Of a release", yaml="- id: made\n  uses: checksum/make\n  with:\n    path: release.tar.gz\n"
        ),
    )

    class Input(NodeInput):
        """What to read."""

        path: Annotated[Path, Meta(description="File, relative to the workspace.")]
        algorithm: Annotated[Algorithm, Meta(description="How.")] = "sha256"

    class Output(NodeOutput):
        """What came of it."""

        digest: Annotated[str, Meta(description="The checksum in hex.")]

    def execute(self, ctx: SyncNodeContext, inputs: Input) -> Output:
        """Read the file, in a thread of the agent."""
        return self.Output(digest=digest_of(ctx, inputs.path, inputs.algorithm))
