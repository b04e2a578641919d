"""The workflows that a file calls or starts: those that were sent along with it, and stored ones by their names."""

from __future__ import annotations

import asyncio
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from waterflow_dsl import Catalog, CheckedFiles, Plan, called_key, check_files
from waterflow_dsl.plan import SecretPlan

from ._inputs import FieldError

MAX_FILES = 50
"""Workflows that may be sent along with one (GitHub: 50 may be called from one file, nested ones included)."""

MAX_FILES_BYTES = 1024 * 1024
"""All of them together."""

_PATH = re.compile(r"[^@/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]{0,254}")


class StoredWorkflows(Protocol):
    """Workflows that are stored on the server under a name, for ``uses: release`` and ``workflow: release``."""

    async def files(self, name: str) -> Mapping[str, str] | None:
        """The texts of a stored workflow by path: ``workflow.yaml`` is its own, others are those that it calls by
        ``./path``. None when there is none of that name.
        """
        ...


class NothingStored:
    """A server that stores no workflows."""

    async def files(self, name: str) -> Mapping[str, str] | None:  # noqa: ARG002 - of the interface
        """None: there is none."""
        return None


def check_sent(files: Mapping[str, str]) -> list[FieldError]:
    """What is wrong with the files that were sent along, before any of them is read."""
    errors = [
        _error(f"files.{path[:100]}", f"{path[:100]!r} is not a path from the directory of the workflow file")
        for path in files
        if not _PATH.fullmatch(path) or posixpath.normpath(path) != path
    ]
    if len(files) > MAX_FILES:
        errors.append(_error("files", f"there are {len(files)} files; at most {MAX_FILES} may be sent along"))
    size = sum(len(text.encode(errors="surrogatepass")) for text in files.values())
    if size > MAX_FILES_BYTES:
        errors.append(_error("files", f"the files have {size} bytes together; at most {MAX_FILES_BYTES} may be sent"))
    return errors


async def check_with_files(
    text: str,
    filename: str,
    files: Mapping[str, str],
    variables: Collection[str],
    catalog: Catalog,
    stored: StoredWorkflows,
) -> CheckedFiles:
    """Check a file with all that it calls; stored workflows are fetched when a file names them."""
    known = dict(files)
    while True:
        checked = await asyncio.to_thread(
            check_files, text, filename=filename, files=known, catalog=catalog, variables=variables
        )
        more = await _fetch(checked.missing, known, stored)
        if not more:
            return checked
        known |= more


async def _fetch(missing: Collection[str], known: Mapping[str, str], stored: StoredWorkflows) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in dict.fromkeys(key[1:].partition("/")[0] for key in missing if key.startswith("@")):
        if f"@{name}/workflow.yaml" not in known:
            for path, text in (await stored.files(name) or {}).items():
                found[f"@{name}/{path}"] = text
    return found


def all_secrets(plan: Plan, called: Mapping[str, Plan]) -> dict[str, SecretPlan]:
    """The secrets that a run takes: its own, and those of workflows that inherit them, over any number of levels."""
    found: dict[str, SecretPlan] = {}
    pending, seen = [("", plan)], {""}
    while pending:
        key, current = pending.pop()
        for name, declared in current.secrets.items():
            if name not in found or declared.required:
                found[name] = declared
        for below in _inheriting(key, current):
            if below in called and below not in seen:
                seen.add(below)
                pending.append((below, called[below]))
    return found


def _inheriting(key: str, plan: Plan) -> Iterator[str]:
    for job in plan.jobs:
        below = called_key(key, str(job.call.workflow)) if job.call and job.call.inherit_secrets else None
        if below is not None:
            yield below


def _error(path: str, message: str) -> FieldError:
    return {"path": path, "code": "files", "message": message}
