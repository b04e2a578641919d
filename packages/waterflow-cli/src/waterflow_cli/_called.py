"""The workflows that a file calls: read along with it, from its own directory and below, or where the user says."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import click
import msgspec

from ._errors import CliError
from ._source import Source, read_source

MAX_FILES = 50
MAX_TOTAL = 1024 * 1024
"""What a server takes: 50 files, 1 MB together."""


def read_workflow(name: str) -> Source:
    """Read a workflow file (``-``: stdin) with all that it calls. Raises :class:`CliError`.

    What is not there is left to the language's diagnostics, which say where it is named.
    """
    source = read_source(name)
    root = Path() if name == "-" else Path(name).parent
    named: Collection[str] = click.get_current_context().meta.get("waterflow.files", ())
    allowed = {Path(each).resolve() for each in named}
    files: dict[str, str] = {}
    for key, path in _followed(source, root, files):
        _check_place(key, path, root, allowed)
        files[key] = read_source(str(path)).text
        _check_size(source.name, files)
    return msgspec.structs.replace(source, files=files)


def _followed(source: Source, root: Path, files: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """The files that are called and are there, each once; those read meanwhile are followed too."""
    own = Path(source.name).name
    pending, seen = [own], {own}
    while pending:
        key = pending.pop()
        for called in _names(source.text if key == own else files[key], key):
            path = root / called
            if called not in seen and not called.startswith("@") and path.exists():
                seen.add(called)
                yield called, path
                pending.append(called)


def _names(text: str, key: str) -> list[str]:
    from waterflow_dsl import check, named_workflows

    model = check(text, filename=key).model
    return [] if model is None else named_workflows(model, key)


def _check_place(key: str, path: Path, root: Path, allowed: Collection[Path]) -> None:
    """Never send what a file merely points at: ``../../etc`` or a link out of its directory."""
    found = path.resolve()
    if found not in allowed and not found.is_relative_to(root.resolve()):
        raise CliError(
            f"the workflow calls {key!r}, which is outside of its directory",
            f"to send it along, name it: --file {path}",
        )


def _check_size(name: str, files: dict[str, str]) -> None:
    size = sum(len(text.encode()) for text in files.values())
    if len(files) > MAX_FILES or size > MAX_TOTAL:
        raise CliError(f"{name!r} calls more than {MAX_FILES} files, or more than {MAX_TOTAL // 1024} KB together")
