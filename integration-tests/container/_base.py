"""A base image without any registry: a small Debian of debootstrap's, kept in the cache as a tar file."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

from waterflow_server.dev import TemporalSettings

PACKAGES = ("ca-certificates", "python3", "python3-venv", "tini")
_UNNEEDED = ("usr/share/doc", "usr/share/locale", "usr/share/man", "var/cache/apt", "var/lib/apt/lists", "var/log")
_MADE_WITHIN = 480.0


def base_tar() -> Path:
    """The root file system of the Debian that this machine runs; made the first time, in a minute or two."""
    debian = platform.freedesktop_os_release()["VERSION_CODENAME"]
    version = hashlib.sha256(repr((PACKAGES, _UNNEEDED)).encode()).hexdigest()[:8]
    folder = TemporalSettings.from_environ().cache_dir / "container-base"
    tar = folder / f"{debian}-{version}.tar"
    if not tar.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(debian, tar, tar.with_suffix(f".{os.getpid()}"))
    return tar


def _make(debian: str, tar: Path, root: Path) -> None:
    new = root.with_name(f"{root.name}.tar")
    try:
        _execute(
            "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", debian, str(root), _mirror(debian)
        )
        for folder in _UNNEEDED:
            shutil.rmtree(root / folder)
            (root / folder).mkdir()
        _execute("tar", "--numeric-owner", "-C", str(root), "-cf", str(new), ".")
        new.replace(tar)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        new.unlink(missing_ok=True)


def _mirror(debian: str) -> str:
    """Where apt gets this Debian from."""
    told = _execute("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(SITE)", "Created-By: Packages")
    for line in told.splitlines():
        if line.startswith(f"{debian} main "):
            return line.split()[2]
    raise AssertionError(f"apt has no source for {debian} main:\n{told}")


def _execute(*command: str) -> str:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=_MADE_WITHIN,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}"
    return done.stdout
