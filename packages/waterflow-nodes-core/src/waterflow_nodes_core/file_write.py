"""``file/write``: put text into a file."""

from __future__ import annotations

import hashlib
from typing import Annotated

from msgspec import Meta

from waterflow_sdk import InvalidInput, Node, NodeExample, NodeInput, NodeOutput, NotFoundError, SyncNodeContext

from ._encodings import check_encoding
from ._paths import explain, resolve
from ._writing import append, replace


class FileWrite(Node):
    """Write text to a file of the host. The file is replaced as a whole: a reader sees the old content or the new."""

    name = "file/write"
    version = "1.0.0"
    examples = (
        NodeExample(
            title="A configuration file",
            yaml="- uses: file/write\n  with:\n    path: conf/app.ini\n    create-directories: true\n"
            '    mode: "0640"\n    content: |\n      [app]\n      port = 8080\n',
        ),
        NodeExample(
            title="A line at the end",
            yaml='- uses: file/write\n  with:\n    path: deploy.log\n    append: true\n    content: "deployed\\n"\n',
        ),
    )

    class Input(NodeInput):
        """What to write, and where."""

        path: Annotated[str, Meta(description="The file; a relative path starts at the job's workspace.")]
        content: Annotated[str, Meta(description="The text.")]
        mode: Annotated[
            str,
            Meta(
                description='Permissions in octal, quoted: "0640". Default: those it has, "0644" for a new file.',
                pattern=r"^(0?[0-7]{3,4})?$",
            ),
        ] = ""
        append: Annotated[bool, Meta(description="Add to the end of the file instead of replacing it.")] = False
        create_directories: Annotated[bool, Meta(description="Make missing directories in front of it.")] = False
        encoding: Annotated[str, Meta(description="Text encoding.")] = "utf-8"

    class Output(NodeOutput):
        """The file as it is now."""

        path: Annotated[str, Meta(description="Its absolute path.")]
        size: Annotated[int, Meta(description="Its size in bytes.")]
        sha256: Annotated[str, Meta(description="SHA-256 of its bytes, 64 hex digits.")]
        changed: Annotated[bool, Meta(description="Whether content or permissions are other than before.")]

    def execute(self, ctx: SyncNodeContext, inputs: Input) -> Output:
        """Encode, then append or replace."""
        data = _encode(inputs.content, inputs.encoding)
        mode = int(inputs.mode, 8) if inputs.mode else None
        path = resolve(ctx.workspace, inputs.path).resolve()  # of a symbolic link the target is written
        try:
            if inputs.create_directories:
                path.parent.mkdir(parents=True, exist_ok=True)
            elif not path.parent.exists():
                raise NotFoundError(
                    f"the directory of {inputs.path!r} does not exist; use create-directories: true to make it",
                    details={"path": inputs.path},
                )
            changed = append(path, data, mode) if inputs.append else replace(path, data, mode)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return self.Output(path=str(path), size=path.stat().st_size, sha256=digest, changed=changed)
        except OSError as error:
            raise explain(error, inputs.path) from error


def _encode(text: str, encoding: str) -> bytes:
    check_encoding(encoding)
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        where = f"{text[error.start]!a} at {error.start}"
        raise InvalidInput(
            f"the content cannot be written as {encoding}: {where}", details={"input": "content"}
        ) from None
