"""What `compose.yaml` says of its service, as arguments for `docker run`: the tests run containers as it would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


def read(path: Path) -> dict[str, Any]:
    """The service of the file."""
    (service,) = yaml.safe_load(path.read_text())["services"].values()
    return service


def seconds(duration: str) -> int:
    """Such as ``120s``."""
    return int(duration.removesuffix("s"))


def arguments(service: Mapping[str, Any], environ: Mapping[str, str], sources: Mapping[str, str | Path]) -> list[str]:
    """``environ`` goes before the file's variables; ``sources`` are the volumes' by their place in the container.

    What is not known here is an error, so that nothing in the file goes untested.
    """
    found: list[str] = []
    for key, value in service.items():
        match key:
            case "environment":
                found += [f"--env={name}={text}" for name, text in {**value, **environ}.items()]
            case "volumes":
                found += _volumes(value, sources)
            case "stop_grace_period":
                found.append(f"--stop-timeout={seconds(value)}")
            case "read_only":
                found.append(f"--read-only={str(value).lower()}")
            case "tmpfs" | "cap_drop" | "security_opt":
                found += [f"--{key.replace('_', '-')}={item}" for item in value]
            case "image" | "restart":
                pass  # the test's own
            case _:
                raise AssertionError(f"{key} of compose.yaml is not tested")
    return found


def _volumes(volumes: Sequence[str], sources: Mapping[str, str | Path]) -> list[str]:
    found: list[str] = []
    for volume in volumes:
        _, place, *mode = volume.split(":")
        found.append(":".join([f"--volume={sources[place]}", place, *mode]))
    return found
