"""``file/read``: the content of a small file as an output."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from typing import Annotated

from msgspec import Meta

from waterflow_sdk import Node, NodeError, NodeExample, NodeInput, NodeOutput, SyncNodeContext

from ._encodings import check_encoding
from ._paths import explain, resolve


class FileRead(Node):
    """Read a file of the host and give its content as an output."""

    name = "file/read"
    version = "1.0.0"
    retry_safe = True
    examples = (
        NodeExample(title="A file by its path", yaml="- uses: file/read\n  with:\n    path: /etc/hostname\n"),
        NodeExample(
            title="A binary file", yaml="- uses: file/read\n  with:\n    path: logo.png\n    encoding: base64\n"
        ),
    )

    class Input(NodeInput):
        """Which file."""

        path: Annotated[str, Meta(description="The file; a relative path starts at the job's workspace.")]
        encoding: Annotated[
            str, Meta(description="Text encoding such as utf-8 or latin-1; base64 gives the bytes as base64.")
        ] = "utf-8"
        max_size: Annotated[int, Meta(description="A larger file, in bytes, is an error.", ge=0, le=64 * 1024)] = (
            48 * 1024
        )

    class Output(NodeOutput):
        """The file."""

        content: Annotated[str, Meta(description="Its content.")]
        size: Annotated[int, Meta(description="Its size in bytes.")]
        sha256: Annotated[str, Meta(description="SHA-256 of its bytes, 64 hex digits.")]

    def execute(self, ctx: SyncNodeContext, inputs: Input) -> Output:
        """Read and decode."""
        try:
            data = _read(os.fspath(resolve(ctx.workspace, inputs.path)), inputs.path, inputs.max_size)
        except OSError as error:
            raise explain(error, inputs.path) from error
        return self.Output(
            content=_decode(data, inputs.encoding, inputs.path),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )


def _read(path: str, given: str, limit: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO must not block for ever
    with open(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if not stat.S_ISREG(mode):
            raise NodeError(f"{given!r} is no regular file", code="not-regular", details={"path": given})
        data = file.read(limit + 1)  # not st_size: it is 0 under /proc, and a file may grow
    if len(data) > limit:
        raise NodeError(
            f"{given!r} is larger than {limit:,} bytes; raise max-size (up to 65,536) or read a part of it in a script",
            code="file-too-large",
            details={"path": given, "limit": limit},
        )
    return data


def _decode(data: bytes, encoding: str, given: str) -> str:
    if encoding == "base64":
        return base64.b64encode(data).decode()
    check_encoding(encoding)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NodeError(
            f"{given!r} is no {encoding} text (byte {data[error.start]:#04x} at {error.start}); use encoding: base64",
            code="binary-file",
            details={"path": given, "position": error.start},
        ) from None
