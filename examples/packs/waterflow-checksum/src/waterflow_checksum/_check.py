"""The node ``checksum/check``."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from waterflow_sdk import Node, NodeError, NodeExample, NodeInput, NodeOutput, SyncNodeContext

from ._make import digest_of


class Check(Node):
    """Fail unless a file has the checksum that it should have."""

    name = "checksum/check"
    version = "1.0.0"
    retry_safe = True
    examples = (
        NodeExample(
            title="After a download",
            yaml="- uses: checksum/check\n  with:\n    path: release.tar.gz\n    sha256: ${{ inputs.sha256 }}\n",
        ),
    )

    class Input(NodeInput):
        """What to compare: one of ``sha256`` and ``sha512``."""

        path: Annotated[Path, Meta(description="File, relative to the workspace.")]
        sha256: Annotated[str, Meta(description="The SHA-256 it should have, in hex.")] = ""
        sha512: Annotated[str, Meta(description="The SHA-512 it should have, in hex.")] = ""

        def __post_init__(self) -> None:
            if bool(self.sha256) == bool(self.sha512):
                raise ValueError("give either sha256 or sha512")

    class Output(NodeOutput):
        """What came of it."""

        algorithm: Annotated[str, Meta(description="Which checksum was compared.")]

    def execute(self, ctx: SyncNodeContext, inputs: Input) -> Output:
        """Read the file, in a thread of the agent."""
        algorithm, wanted = ("sha256", inputs.sha256) if inputs.sha256 else ("sha512", inputs.sha512)
        found = digest_of(ctx, inputs.path, algorithm)
        if not hmac.compare_digest(found, wanted.strip().lower()):
            raise NodeError(
                f"{inputs.path} has the {algorithm} {found}, not {wanted}",
                code="checksum-mismatch",
                details={"path": str(inputs.path), "found": found},
            )
        return self.Output(algorithm=algorithm)
